// What SQLite says about a table: the facts that the rules of schema_reader are about.
//
// Read through SQLite's own pragmas, of a table in the database or of a declaration: a CREATE TABLE text is run in a
// scratch database in memory, so that SQLite is the only parser of SQL here.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/schema.h"

namespace SQLite {
class Database;
}

namespace starling {

enum class Generated { no, virtually, stored };

struct ColumnInfo {
  std::string name;
  std::string type;         // as declared
  std::string default_sql;  // empty: none
  std::string collation;
  bool not_null = false;
  int key_position = 0;  // 1, 2, … in the primary key; 0: not part of it
  Generated generated = Generated::no;
};

struct IndexInfo {
  std::string name;
  bool unique = false;
  bool primary = false;  // it is the primary key's
  bool partial = false;  // it has a WHERE
  bool binary = true;    // it compares bytes
  std::vector<std::string> columns;  // an empty name: an expression
};

struct ForeignKeyInfo {
  std::string parent;                // as declared: any case of letters
  std::vector<std::string> columns;  // of this table
  std::vector<std::string> to;       // of the parent; empty names: its primary key
};

struct TableInfo {
  std::string name;  // as it was created
  std::string type;  // table, view, virtual or shadow
  std::string sql;   // CREATE TABLE …
  bool temporary = false;
  bool without_rowid = false;
  bool strict = false;
  bool rowid_key = false;  // INTEGER PRIMARY KEY: the key is the rowid
  bool autoincrement = false;
  bool key_is_binary = true;  // the index of the primary key compares bytes
  std::vector<ColumnInfo> columns;
  std::vector<IndexInfo> indexes;
  std::vector<ForeignKeyInfo> foreign_keys;
};

// By name, in any case of letters; a temporary table hides one of the same name, as it does for the application.
[[nodiscard]] std::optional<TableInfo> read_table(SQLite::Database&, const std::string& name);

// The one table that `ddl` creates. `sql` is the statement in SQLite's own words, without IF NOT EXISTS. Errors:
// anything but exactly one CREATE TABLE statement; no TEMP, no virtual table, no AS SELECT.
[[nodiscard]] Expected<TableInfo> parse_create_table(const std::string& ddl);

// By SQLite's rules (https://sqlite.org/datatype3.html section 3.1); in a STRICT table ANY converts nothing.
[[nodiscard]] Affinity affinity_of(const std::string& declared_type, bool strict);

[[nodiscard]] bool equal_ignoring_case(std::string_view, std::string_view);  // of ASCII letters, as SQLite does

}  // namespace starling
