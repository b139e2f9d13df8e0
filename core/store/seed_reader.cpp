#include "core/store/seed_reader.h"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>

#include <set>

#include "core/store/row_image.h"
#include "core/store/sql_error.h"
#include "core/store/statement.h"
#include "core/store/triggers_off.h"

namespace starling {
namespace {

Error bad_seed(const ModelSchema& m, const std::string& seed, const std::string& why) {
  return {Errc::schema, "a declared seed is no row of this table: " + why, m.name + " (" + seed.substr(0, 80) + ")",
          "give a value for each column, in order, as SQL writes them"};
}

struct Columns {
  std::string stored, keys, plain, marks;  // lists for SQL
};

Columns columns_of(const ModelSchema& m) {
  const auto add = [](std::string& list, const std::string& name) { list += (list.empty() ? "" : ",") + name; };
  Columns columns;
  for (const FieldSchema& f : m.fields) add(columns.stored, quote_identifier(f.name));
  for (const FieldIndex i : m.key) {
    add(columns.keys, quote_identifier(m.fields[i].name));
    add(columns.marks, "?");
  }
  for (const FieldSchema& f : m.fields)
    if (f.key_position == 0) add(columns.plain, quote_identifier(f.name));
  return columns;
}

Expected<SeedRow> read_seed(SQLite::Database& db, const ModelSchema& m, const Columns& columns, const std::string& seed) {
  const std::string table = "main." + quote_identifier(m.name);
  ByteWriter given;  // the key, before the table had it
  Statement insert(db.getHandle(), "INSERT OR REPLACE INTO " + table + "(" + columns.stored + ") VALUES (" + seed + ") RETURNING " + columns.keys);
  if (!insert.step()) return bad_seed(m, seed, "SQLite has ignored it");
  for (int i = 0; i < insert.columns(); ++i) write_value(given, insert.column_value(i));
  if (insert.step()) return bad_seed(m, seed, "it is several rows");
  Statement select(db.getHandle(), "SELECT " + columns.keys + (columns.plain.empty() ? "" : "," + columns.plain) + " FROM " + table +
                                       " WHERE (" + columns.keys + ") = (" + columns.marks + ")");
  if (!select.values(given.bytes()).step()) return bad_seed(m, seed, "its key is not found again");
  ByteWriter key;
  ByteWriter values;
  for (int i = 0; i < select.columns(); ++i) {
    const ValueView value = select.column_value(i);
    if (value.bytes.size() > limits::kValueMax) return bad_seed(m, seed, "a value is too large");
    write_value(static_cast<std::size_t>(i) < m.key.size() ? key : values, value);
  }
  if (values.size() > limits::kRowMax) return bad_seed(m, seed, "it is too large");
  if (const Expected<void> good = check_key(m, key.bytes()); !good) return good.error();
  return SeedRow{key.take(), values.take()};
}

}  // namespace

Expected<std::vector<SeedRow>> read_seeds(SQLite::Database& db, const ModelSchema& m) {
  const TriggersOff off(db.getHandle());
  const Columns columns = columns_of(m);
  std::vector<SeedRow> rows;
  std::set<Bytes> keys;
  for (const std::string& seed : m.seeds) {
    db.exec("SAVEPOINT sync_seed");
    Expected<SeedRow> row = [&]() -> Expected<SeedRow> {
      try {
        return read_seed(db, m, columns, seed);
      } catch (const SQLite::Exception& e) {
        if (!is_user_error(e) && e.getErrorCode() != SQLITE_ERROR) throw;
        return bad_seed(m, seed, e.what());
      }
    }();
    db.exec("ROLLBACK TO sync_seed; RELEASE sync_seed");
    if (!row) return row.error();
    if (!keys.insert(row->key).second) return bad_seed(m, seed, "another seed has its key");
    rows.push_back(std::move(*row));
  }
  return rows;
}

}  // namespace starling
