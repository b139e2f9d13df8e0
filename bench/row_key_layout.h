// What ADR 0003 and ADR 0005 weigh against each other: layouts of the merge metadata, ways of capture, and the SQL
// that each layout asks for.
//
// Tombstones stand in sync_row where it is keyed by the canonical key; else in a table of their own, because a dead row
// has neither a rowid nor columns.
#pragma once

#include <string>

namespace starling::bench {

// Where the metadata stands: `canonical` is a table without rowid keyed by (model, key); `indexed` the same with a
// rowid and a unique index; `integer` a table keyed by the rowid of the application's row; `hidden` columns of the
// application's table.
enum class Layout { none, canonical, indexed, integer, hidden };
// How changes are found: `told` is a floor, nobody tells a real engine; `hook` copies what the pre-update hook shows;
// `reread` takes keys and old values from the hook and selects each row before the commit; `triggers` fill a table.
enum class Capture { told, hook, reread, triggers };

struct Variant {
  const char* name;
  Layout layout = Layout::none;
  Capture capture = Capture::hook;
  bool guard = false;   // the guard's triggers stand, and triggers are enabled
  bool select = false;  // apply looks for the row's metadata before it writes
  int at_once = 1;      // rows that one INSERT writes, where it writes many
};

struct Settings {
  int page_size = 4'096;
  int wal_autocheckpoint = 1'000;
  int cache_kib = 65'536;
};

// create: the metadata of a new row (its key or rowid, origin, hlc); stamp: the packed stamps of its fields (?2).
struct LayoutSql {
  std::string tables, create, create_if_absent, read, stamp;
  std::string apply = "INSERT INTO tag VALUES(?, ?, ?, ?, ?)";  // the row of a peer
};

inline LayoutSql canonical_sql(const std::string& primary_key) {
  const std::string insert =
      "INSERT INTO sync_row(model, key, origin, hlc) VALUES(3, ?, ?, ?) ON CONFLICT(model, key) ";
  return {.tables =
              "CREATE TABLE sync_row(model INTEGER NOT NULL, key BLOB NOT NULL, origin INTEGER NOT NULL, hlc INTEGER,"
              "fields BLOB, dead_origin INTEGER, dead_seq INTEGER, rev INTEGER, " +
              primary_key +
              ";"
              "CREATE INDEX sync_row_rev ON sync_row(origin, rev) WHERE rev IS NOT NULL",
          .create = insert +
                    "DO UPDATE SET origin = excluded.origin, hlc = excluded.hlc, fields = NULL, "
                    "dead_origin = NULL, dead_seq = NULL",
          .create_if_absent = insert + "DO NOTHING",
          .read = "SELECT hlc, origin, fields FROM sync_row WHERE model = 3 AND key = ?1",
          .stamp = "UPDATE sync_row SET fields = ?2 WHERE model = 3 AND key = ?1"};
}

inline LayoutSql sql_of(Layout layout) {
  const std::string dead =
      "CREATE TABLE sync_dead(model INTEGER, key BLOB, hlc INTEGER, PRIMARY KEY(model, key)) WITHOUT ROWID";
  switch (layout) {
    case Layout::none: return {};
    case Layout::canonical: return canonical_sql("PRIMARY KEY(model, key)) WITHOUT ROWID");
    case Layout::indexed: return canonical_sql("UNIQUE(model, key))");
    case Layout::integer:
      return {.tables =
                  "CREATE TABLE sync_row(id INTEGER PRIMARY KEY, origin INTEGER NOT NULL, hlc INTEGER, fields BLOB,"
                  "rev INTEGER);"
                  "CREATE INDEX sync_row_rev ON sync_row(origin, rev) WHERE rev IS NOT NULL;" +
                  dead,
              .create = "INSERT OR REPLACE INTO sync_row(id, origin, hlc) VALUES(?1, ?2, ?3)",
              .create_if_absent = "INSERT INTO sync_row(id, origin, hlc) VALUES(?1, ?2, ?3)",
              .read = "SELECT hlc, origin, fields FROM sync_row WHERE id = ?1",
              .stamp = "UPDATE sync_row SET fields = ?2 WHERE id = ?1",
              .apply = "INSERT INTO tag VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT(id) DO NOTHING"};
    case Layout::hidden:
      return {.tables =
                  "ALTER TABLE tag ADD COLUMN _origin INTEGER; ALTER TABLE tag ADD COLUMN _hlc INTEGER;"
                  "ALTER TABLE tag ADD COLUMN _fields BLOB;" +
                  dead,
              .create = "UPDATE tag SET _origin = ?2, _hlc = ?3, _fields = NULL WHERE rowid = ?1",
              .create_if_absent = {},
              .read = "SELECT _hlc, _origin, _fields FROM tag WHERE rowid = ?1",
              .stamp = "UPDATE tag SET _fields = ?2 WHERE rowid = ?1",
              .apply = "INSERT INTO tag VALUES(?1, ?2, ?3, ?4, ?5, 2, ?6, NULL) ON CONFLICT(id) DO NOTHING"};
  }
  return {};
}

// The same INSERT for several rows at once. OR FAIL spares the journal that lets SQLite undo one statement: it would copy
// each page that the statement touches, and the engine rolls back the whole transaction anyway.
inline std::string repeat_values(std::string sql, int times) {
  const std::size_t open = sql.find("VALUES(") + 6, close = sql.find(')', open) + 1;
  const std::string row = ", " + sql.substr(open, close - open);
  for (int i = 1; i < times; ++i) sql.insert(close, row);
  return sql.replace(0, 6, "INSERT OR FAIL");
}

}  // namespace starling::bench
