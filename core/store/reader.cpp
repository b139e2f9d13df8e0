#include "core/store/reader.h"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <sqlite3.h>

#include "core/base/sha256.h"
#include "core/store/schema_reader.h"
#include "core/store/sql_error.h"
#include "core/store/statement_cache.h"

namespace starling {
namespace {
constexpr int kBusyTimeoutMs = 5000;
}

struct Reader::Impl {
  explicit Impl(const std::filesystem::path& file)
      : db(file.string(), SQLite::OPEN_READONLY | SQLite::OPEN_NOMUTEX, kBusyTimeoutMs) {
    db.exec("PRAGMA query_only=ON; PRAGMA cache_size=-16384");
  }
  SQLite::Database db;
  StatementCache statements;
};

Reader::Reader(const std::filesystem::path& database) : impl_(std::make_shared<Impl>(database)) {}
Reader::~Reader() = default;
Reader::Reader(Reader&&) noexcept = default;
Reader& Reader::operator=(Reader&&) noexcept = default;

Expected<Snapshot> Reader::snapshot() {
  if (sqlite3_get_autocommit(impl_->db.getHandle()) == 0)
    return Error{Errc::busy, "this reader holds a snapshot already", "", "let that one go first, or open another reader"};
  impl_->db.exec("BEGIN; SELECT 1 FROM sqlite_schema LIMIT 1");  // the view is that of the first read
  return Snapshot(impl_);
}

Snapshot::~Snapshot() {
  if (!reader_) return;
  try {
    reader_->db.exec("COMMIT");
  } catch (const SQLite::Exception&) {  // a failing machine: closing the reader ends it
  }
}

Expected<Rows> Reader::query_values(std::string_view sql, std::span<const ValueView> args) const {
  try {
    Expected<Statement*> found = impl_->statements.get(impl_->db.getHandle(), sql);
    if (!found) return found.error();
    return run_query(**found, sql, args);
  } catch (const SQLite::Exception& e) {
    if (!is_user_error(e)) throw;
    return sql_error(e, sql, "");
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
