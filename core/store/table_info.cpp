#include "core/store/table_info.h"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Statement.h>
#include <sqlite3.h>

#include <algorithm>

namespace starling {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

// Collation and AUTOINCREMENT stand in no pragma, only here.
void read_metadata(SQLite::Database& db, TableInfo& table, ColumnInfo& column) {
  const char* collation = nullptr;
  int autoincrement = 0;
  const int code =
      sqlite3_table_column_metadata(db.getHandle(), table.temporary ? "temp" : "main", table.name.c_str(),
                                    column.name.c_str(), nullptr, &collation, nullptr, nullptr, &autoincrement);
  if (code != SQLITE_OK) throw SQLite::Exception(db.getHandle(), code);
  column.collation = collation;
  table.autoincrement = table.autoincrement || autoincrement != 0;
}

void read_columns(SQLite::Database& db, TableInfo& table) {
  SQLite::Statement rows(db,
                         "SELECT name, type, \"notnull\", coalesce(dflt_value, ''), pk, hidden"
                         " FROM pragma_table_xinfo(?, ?)");
  rows.bind(1, table.name);
  rows.bind(2, table.temporary ? "temp" : "main");
  while (rows.executeStep()) {
    ColumnInfo c;
    c.name = rows.getColumn(0).getString();
    c.type = rows.getColumn(1).getString();
    c.not_null = rows.getColumn(2).getInt() != 0;
    c.default_sql = rows.getColumn(3).getString();
    c.key_position = rows.getColumn(4).getInt();
    const int hidden = rows.getColumn(5).getInt();
    c.generated = hidden == 2 ? Generated::virtually : hidden == 3 ? Generated::stored : Generated::no;
    if (table.type == "table") read_metadata(db, table, c);
    table.columns.push_back(std::move(c));
  }
}

void read_index(SQLite::Database& db, IndexInfo& index) {
  SQLite::Statement rows(db, "SELECT name, coll <> 'BINARY' COLLATE NOCASE FROM pragma_index_xinfo(?) WHERE key ORDER BY seqno");
  rows.bind(1, index.name);
  while (rows.executeStep()) {
    index.columns.push_back(rows.getColumn(0).getString());  // of an expression: NULL, which reads as empty
    index.binary = index.binary && rows.getColumn(1).getInt() == 0;
  }
}

void read_foreign_keys(SQLite::Database& db, TableInfo& table) {
  if (table.type != "table") return;
  SQLite::Statement rows(db, "SELECT id, \"table\", \"from\", coalesce(\"to\", '') FROM pragma_foreign_key_list(?, ?) ORDER BY id, seq");
  rows.bind(1, table.name);
  rows.bind(2, table.temporary ? "temp" : "main");
  int id = -1;
  while (rows.executeStep()) {
    if (rows.getColumn(0).getInt() != id) table.foreign_keys.push_back({rows.getColumn(1).getString(), {}, {}});
    id = rows.getColumn(0).getInt();
    table.foreign_keys.back().columns.push_back(rows.getColumn(2).getString());
    table.foreign_keys.back().to.push_back(rows.getColumn(3).getString());
  }
}

void read_indexes(SQLite::Database& db, TableInfo& table) {
  SQLite::Statement rows(db, "SELECT name, \"unique\", origin, partial FROM pragma_index_list(?, ?) ORDER BY name");
  rows.bind(1, table.name);
  rows.bind(2, table.temporary ? "temp" : "main");
  bool key_has_index = false;
  while (rows.executeStep()) {
    IndexInfo index{rows.getColumn(0).getString(), rows.getColumn(1).getInt() != 0, rows.getColumn(2).getString() == "pk",
                    rows.getColumn(3).getInt() != 0, true, {}};
    read_index(db, index);
    if (index.primary) {
      key_has_index = true;
      table.key_is_binary = index.binary;
    }
    table.indexes.push_back(index);
  }
  const bool has_key =
      std::any_of(table.columns.begin(), table.columns.end(), [](const ColumnInfo& c) { return c.key_position != 0; });
  table.rowid_key = has_key && !key_has_index;
}

// What the authorizer lets a declaration do: create one table, its indexes, and note them in the schema.
int judge_declaration(void*, int action, const char* /*table*/, const char*, const char*, const char*) {
  switch (action) {
    case SQLITE_CREATE_TABLE:
    case SQLITE_CREATE_INDEX:  // of a constraint
    case SQLITE_INSERT:        // into sqlite_schema
    case SQLITE_UPDATE:
    case SQLITE_READ:
    case SQLITE_FUNCTION: return SQLITE_OK;
    default: return SQLITE_DENY;
  }
}

bool is_blank(sqlite3* db, const char* sql) {  // nothing but blanks, comments and semicolons
  while (*sql != '\0') {
    sqlite3_stmt* statement = nullptr;
    const char* tail = nullptr;
    const int code = sqlite3_prepare_v2(db, sql, -1, &statement, &tail);
    sqlite3_finalize(statement);
    if (code != SQLITE_OK || statement != nullptr) return false;
    sql = tail;
  }
  return true;
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) { return lower(a) == lower(b); }

std::optional<TableInfo> read_table(SQLite::Database& db, const std::string& name) {
  SQLite::Statement found(db,
                          "SELECT name, type, wr, strict, schema = 'temp' FROM pragma_table_list"
                          " WHERE name = ? COLLATE NOCASE AND schema IN ('main', 'temp') ORDER BY schema DESC");
  found.bind(1, name);
  if (!found.executeStep()) return std::nullopt;
  TableInfo table;
  table.name = found.getColumn(0).getString();
  table.type = found.getColumn(1).getString();
  table.without_rowid = found.getColumn(2).getInt() != 0;
  table.strict = found.getColumn(3).getInt() != 0;
  table.temporary = found.getColumn(4).getInt() != 0;

  SQLite::Statement text(db, table.temporary ? "SELECT sql FROM temp.sqlite_schema WHERE name = ? AND sql IS NOT NULL"
                                             : "SELECT sql FROM main.sqlite_schema WHERE name = ? AND sql IS NOT NULL");
  text.bind(1, table.name);
  if (text.executeStep()) table.sql = text.getColumn(0).getString();
  read_columns(db, table);
  read_indexes(db, table);
  read_foreign_keys(db, table);
  return table;
}

Expected<TableInfo> parse_create_table(const std::string& ddl) {
  const std::string where = ddl.substr(0, 80);
  const auto refuse = [&where](std::string what) {
    return Error{
        Errc::schema, std::move(what), where,
        "give exactly one CREATE TABLE statement; no TEMP, VIRTUAL or AS SELECT; indexes belong into migrate()"};
  };
  SQLite::Database scratch(":memory:", SQLite::OPEN_READWRITE);
  sqlite3* db = scratch.getHandle();
  sqlite3_set_authorizer(db, judge_declaration, nullptr);
  sqlite3_stmt* statement = nullptr;
  const char* tail = nullptr;
  int code = sqlite3_prepare_v2(db, ddl.c_str(), -1, &statement, &tail);
  if (code == SQLITE_OK && statement != nullptr && is_blank(db, tail)) code = sqlite3_step(statement);
  const bool alone = statement == nullptr || code == SQLITE_DONE;
  const std::string message = sqlite3_errmsg(db);
  sqlite3_finalize(statement);
  sqlite3_set_authorizer(db, nullptr, nullptr);
  if (code == SQLITE_AUTH) return refuse("the declaration does more than create one table");
  if (code != SQLITE_OK && code != SQLITE_DONE) return refuse(message);
  if (!alone) return refuse("the declaration has more than one statement");

  SQLite::Statement created(scratch,
                            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%'"
                            " ESCAPE '\\'");
  if (!created.executeStep()) return refuse("the declaration creates no table");
  return *read_table(scratch, created.getColumn(0).getString());
}

Affinity affinity_of(const std::string& declared_type, bool strict) {
  const std::string type = lower(declared_type);
  const auto has = [&type](const char* part) { return type.find(part) != std::string::npos; };
  if (has("int")) return Affinity::integer;
  if (has("char") || has("clob") || has("text")) return Affinity::text;
  if (has("blob") || type.empty() || (strict && type == "any")) return Affinity::blob;
  if (has("real") || has("floa") || has("doub")) return Affinity::real;
  return Affinity::numeric;
}

}  // namespace starling
