#include "core/store/reader.h"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <sqlite3.h>

#include "core/base/sha256.h"
#include "core/store/authorizer.h"
#include "core/store/schema_reader.h"
#include "core/store/sql_error.h"
#include "core/store/statement_cache.h"

namespace starling {
namespace {

constexpr int kBusyTimeoutMs = 5000;

// Calls `go_on` every so many instructions of SQLite's machine, as long as it stands.
class Interrupter {
 public:
  Interrupter(sqlite3* db, const std::function<bool()>& go_on) : db_(db), go_on_(go_on) {
    constexpr int kInstructions = 100'000;  // about a millisecond
    sqlite3_progress_handler(db, go_on ? kInstructions : 0, &Interrupter::ask, this);
  }
  ~Interrupter() { sqlite3_progress_handler(db_, 0, nullptr, nullptr); }
  Interrupter(const Interrupter&) = delete;
  Interrupter& operator=(const Interrupter&) = delete;
  [[nodiscard]] bool stopped() const { return stopped_; }

 private:
  static int ask(void* self) noexcept {
    auto* interrupter = static_cast<Interrupter*>(self);
    interrupter->stopped_ = interrupter->stopped_ || !interrupter->go_on_();
    return interrupter->stopped_ ? 1 : 0;
  }

  sqlite3* db_;
  const std::function<bool()>& go_on_;
  bool stopped_ = false;
};

}  // namespace

struct Reader::Impl {
  explicit Impl(const std::filesystem::path& file)
      : db(file.string(), SQLite::OPEN_READONLY | SQLite::OPEN_NOMUTEX, kBusyTimeoutMs) {
    db.exec("PRAGMA query_only=ON; PRAGMA cache_size=-16384");
    authorizer.begin_reading();
  }
  void exec_own(const char* sql) {
    authorizer.end_reading();
    db.exec(sql);
    authorizer.begin_reading();
  }
  Expected<Statement*> prepare(std::string_view sql) { return statements.get(db.getHandle(), sql); }
  // What became of a statement that SQLite did not take; rethrows if that was the machine's fault.
  Error error_of(const SQLite::Exception& e, std::string_view sql) {
    if (!is_user_error(e)) throw;
    Error error = sql_error(e, sql, authorizer.take_refusal());
    if (error.code != Errc::forbidden) return error;
    error.what += " is refused: a reader only reads";
    error.remedy = "write through the application that the table belongs to";
    return error;
  }

  SQLite::Database db;
  Authorizer authorizer{db.getHandle()};
  StatementCache statements;
};

Reader::Reader(const std::filesystem::path& database) : impl_(std::make_shared<Impl>(database)) {}
Reader::~Reader() = default;
Reader::Reader(Reader&&) noexcept = default;
Reader& Reader::operator=(Reader&&) noexcept = default;

Expected<Snapshot> Reader::snapshot() {
  if (sqlite3_get_autocommit(impl_->db.getHandle()) == 0)
    return Error{Errc::busy, "this reader holds a snapshot already", "", "let that one go first, or open another reader"};
  impl_->exec_own("BEGIN; SELECT 1 FROM sqlite_schema LIMIT 1");  // the view is that of the first read
  return Snapshot(impl_);
}

Snapshot::~Snapshot() {
  if (!reader_) return;
  try {
    reader_->exec_own("COMMIT");
  } catch (const SQLite::Exception&) {  // a failing machine: closing the reader ends it
  }
}

Expected<Rows> Reader::query_values(std::string_view sql, std::span<const ValueView> args) const {
  try {
    Expected<Statement*> found = impl_->prepare(sql);
    if (!found) return found.error();
    return run_query(**found, sql, args);
  } catch (const SQLite::Exception& e) {
    return impl_->error_of(e, sql);
  }
}

Expected<std::vector<std::string>> Reader::visit(std::string_view sql, const Visit& visit) const {
  const Interrupter interrupter(impl_->db.getHandle(), visit.go_on);
  try {
    Expected<Statement*> found = impl_->prepare(sql);
    if (!found) return found.error();
    return visit_rows(**found, sql, {}, visit.row);
  } catch (const SQLite::Exception& e) {
    if (interrupter.stopped()) return Error{Errc::busy, "the query took too long", std::string(sql.substr(0, 120)), ""};
    return impl_->error_of(e, sql);
  }
}

TableDigest Reader::digest(const ModelSchema& model) const {
  std::string keys;
  std::string others;
  for (const FieldIndex i : model.key) keys += (keys.empty() ? "" : ",") + quote_identifier(model.fields[i].name);
  for (const FieldSchema& f : model.fields)
    if (f.key_position == 0) others += "," + quote_identifier(f.name);
  Statement rows(impl_->db.getHandle(),
                 "SELECT " + keys + others + " FROM main." + quote_identifier(model.name) + " ORDER BY " + keys);
  TableDigest result{model.name, 0, {}};
  Sha256 hash;
  ByteWriter row;
  const ResetGuard guard(rows);
  while (rows.step()) {
    row.clear();
    for (int i = 0; i < rows.columns(); ++i) write_value(row, rows.column_value(i));
    hash.update(row.bytes());
    ++result.rows;
  }
  const Sha256Sum sum = hash.finish();
  result.digest = to_hex({reinterpret_cast<const char*>(sum.data()), sum.size()});
  return result;
}

}  // namespace starling
