#include "core/store/snapshot_spool.h"

#include <SQLiteCpp/Database.h>

#include "core/base/assert.h"
#include "core/base/limits.h"
#include "core/base/sha256.h"
#include "core/store/guard.h"

namespace starling {
namespace {

constexpr bool kNotApplying = false;
constexpr std::size_t kPerRow = 24;  // bytes of its version, roughly

// Whether a page that is large enough ends with this key: one of 256. The last bytes of a key reach few bits of FNV-1a,
// so keys that count up are mixed once more (murmur3): else thousands of them in a row would end no page.
bool ends_page(BytesView key) {
  std::uint32_t hash = 2166136261U;
  for (const char c : key) hash = (hash ^ static_cast<std::uint8_t>(c)) * 16777619U;
  hash = (hash ^ hash >> 16) * 0x85ebca6bU;
  hash = (hash ^ hash >> 13) * 0xc2b2ae35U;
  return ((hash ^ hash >> 16) & 0xff) == 0;
}

}  // namespace

SnapshotSpool::SnapshotSpool(const Source& source, OriginTable& origins, DigestTable& digests, const SnapshotHead& head)
    : schema_(source.schema), origins_(origins), digests_(digests), vector_(head.vector()) {
  open(source);
  const Bytes first = encode_snapshot_head(head);
  id_ = hash128(first);
  append(first);
  next_model();
}

SnapshotSpool::~SnapshotSpool() = default;

void SnapshotSpool::open(const Source& source) {
  const int read = SQLite::OPEN_READONLY | SQLite::OPEN_NOMUTEX;
  const int write_too = SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_NOMUTEX;
  pinned_ = std::make_unique<SQLite::Database>(source.file, read, 0, source.vfs);
  (void)sqlite3_db_config(pinned_->getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  register_guard_functions(pinned_->getHandle(), &kNotApplying);
  pinned_->exec("BEGIN");
  (void)pinned_->execAndGet("SELECT count(*) FROM sync_meta");  // begins to read now
  rows_ = std::make_unique<RowStore>(pinned_->getHandle(), *schema_, origins_, digests_);

  file_ = std::make_unique<SQLite::Database>(std::string(), write_too, 0, source.vfs);  // unlinked as soon as it is made
  file_->exec("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-1024;"
              "CREATE TABLE page(number INTEGER PRIMARY KEY, hash BLOB NOT NULL, body BLOB NOT NULL)");
  sqlite3* db = file_->getHandle();
  append_ = Statement(db, "INSERT INTO page(number, hash, body) VALUES(?,?,?)");
  read_body_ = Statement(db, "SELECT body FROM page WHERE number=?");
  read_hash_ = Statement(db, "SELECT hash FROM page WHERE number=?");
}

void SnapshotSpool::append(const Bytes& page) {
  const Hash128 hash = hash128(page);
  append_.integer(static_cast<std::int64_t>(pages_++)).blob(hash.view()).blob(page).run();
}

void SnapshotSpool::next_model() {
  after_.clear();
  while (model_ < schema_->models.size() && schema_->models[model_].kind != Kind::shared) ++model_;
  if (model_ < schema_->models.size()) return;
  rows_.reset();  // before the connection, whose transaction ends here
  pinned_.reset();
}

void SnapshotSpool::write_more(std::size_t bytes) {
  for (std::size_t done = 0; done < bytes && !complete();) done += write_page();
}

std::size_t SnapshotSpool::write_page() {
  struct Kept {
    Bytes key, values;
    RowVersion version;
  };
  std::vector<Kept> kept;
  std::size_t size = 0;
  SnapshotRange range{{}, true};
  rows_->read_shared(model_, after_, [&](BytesView key, const RowVersion& version) {
    std::optional<BytesView> values = version.death ? std::optional<BytesView>(BytesView{}) : rows_->read_row(model_, key);
    if (!values) return true;  // a trigger of the application's took it away without a trace
    kept.push_back({Bytes(key), Bytes(*values), version});
    size += key.size() + values->size() + kPerRow + 40 * version.fields.size();
    const bool full = size >= limits::kSnapshotPageMax || (size >= limits::kSnapshotPageMin && ends_page(key));
    if (full) range = {Bytes(key), false};
    return !full;
  });
  std::vector<SnapshotRow> rows;
  rows.reserve(kept.size());
  for (const Kept& row : kept) rows.push_back({row.key, row.version, row.values});
  append(encode_snapshot_page(*schema_, model_, rows, range));
  after_ = range.through;
  if (range.to_end) {
    ++model_;
    next_model();
  }
  return size + 1;
}

Hash128 SnapshotSpool::hash(std::uint64_t page) {
  const ResetGuard guard(read_hash_);
  ASSERT(read_hash_.integer(static_cast<std::int64_t>(page)).step());
  return Hash128::from(read_hash_.column_bytes(0));
}

Bytes SnapshotSpool::body(std::uint64_t page) {
  const ResetGuard guard(read_body_);
  ASSERT(read_body_.integer(static_cast<std::int64_t>(page)).step());
  return Bytes(read_body_.column_bytes(0));
}

}  // namespace starling
