#include "core/store/digest_table.h"

#include <algorithm>
#include <tuple>

#include "core/base/assert.h"

namespace starling {
namespace {

void write(ByteWriter& w, const GroupDigest& digest) {
  for (const RowSum sum : digest.ranges) w.be64(sum);
  w.be64(digest.rows);
}

GroupDigest read(BytesView bytes) {
  GroupDigest digest;
  ByteReader r(bytes);
  for (RowSum& sum : digest.ranges) sum = r.be64();
  digest.rows = r.be64();
  if (!r.done()) throw std::runtime_error("sync_digest.ranges does not decode: the database is damaged");
  return digest;
}

}  // namespace

Hash128 GroupDigest::hash() const {
  if (*this == GroupDigest{}) return {};
  ByteWriter w;
  w.reserve((kRanges + 1) * sizeof(RowSum));
  write(w, *this);
  return hash_of_bytes(w.bytes());
}

DigestTable::DigestTable(sqlite3* db, const OriginTable& origins)
    : origins_(origins),
      put_(db, "INSERT INTO sync_digest(model, origin, ranges) VALUES(?1,?2,?3)"
               " ON CONFLICT(model, origin) DO UPDATE SET ranges=?3"),
      select_(db, "SELECT model, origin, ranges FROM sync_digest"),
      names_(db, "SELECT name FROM sync_model WHERE number=?") {
  reload();
}

void DigestTable::reload() {
  std::map<Key, Row> groups;
  std::uint64_t rows = 0;
  const ResetGuard guard(select_);
  while (select_.step()) {
    Row row;
    row.digest = read(select_.column_bytes(2));
    rows += row.digest.rows;
    groups.emplace(Key{select_.column_integer(0), select_.column_integer(1)}, row);
  }
  groups_ = std::move(groups);
  rows_ = rows;
  dirty_ = false;
  hash_.reset();
}

DigestTable::Row& DigestTable::change(const Key& key) {
  Row& row = groups_[key];
  row.dirty = row.stale = dirty_ = true;
  hash_.reset();
  return row;
}

void DigestTable::add(const Key& key, std::uint8_t range, RowSum sum) {
  Row& row = change(key);
  row.digest.ranges[range] += sum;
  ++row.digest.rows;
  ++rows_;
}

void DigestTable::remove(const Key& key, std::uint8_t range, RowSum sum) {
  Row& row = change(key);
  row.digest.ranges[range] -= sum;
  --row.digest.rows;
  --rows_;
}

bool DigestTable::replace(const Key& key, const GroupDigest& digest) {
  if (group(key) == digest) return false;
  Row& row = change(key);
  rows_ += digest.rows - row.digest.rows;
  row.digest = digest;
  return true;
}

GroupDigest DigestTable::group(const Key& key) const {
  const auto at = groups_.find(key);
  return at == groups_.end() ? GroupDigest{} : at->second.digest;
}

std::uint64_t DigestTable::rows() const { return rows_; }

std::vector<DigestTable::Listed> DigestTable::list() {
  std::vector<Listed> listed;
  std::int64_t number = 0;
  std::string name;
  for (auto& [key, row] : groups_) {
    if (std::exchange(row.stale, false)) row.hash = row.digest.hash();
    if (row.hash.is_zero()) continue;
    if (name.empty() || number != key.first) {
      const ResetGuard guard(names_);
      ASSERT(names_.integer(key.first).step());
      number = key.first;
      name = names_.column_bytes(0);
    }
    listed.push_back({name, key.second == kShared ? Origin{} : origins_.origin(key.second), row.hash});
  }
  std::sort(listed.begin(), listed.end(),
            [](const Listed& a, const Listed& b) { return std::tie(a.model, a.owner) < std::tie(b.model, b.owner); });
  return listed;
}

Hash128 DigestTable::hash() {
  if (hash_) return *hash_;
  ByteWriter w;
  for (const Listed& one : list()) {
    w.blob(one.model);
    write_origin(w, one.owner);
    w.raw(one.hash.view());
  }
  hash_ = hash_of_bytes(w.bytes());
  return *hash_;
}

void DigestTable::flush() {
  if (!dirty_) return;
  for (auto& [key, row] : groups_) {
    if (!row.dirty) continue;
    ByteWriter w;
    write(w, row.digest);
    put_.integer(key.first).integer(key.second).blob(w.bytes()).run();
    row.dirty = false;
  }
  dirty_ = false;
}

}  // namespace starling
