#include "core/store/authorizer.h"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <doctest/doctest.h>
#include <sqlite3.h>

using namespace starling;

namespace {

struct StrictDatabase {
  StrictDatabase() : db(":memory:", SQLite::OPEN_READWRITE) {
    db.exec(
        "CREATE TABLE note (id TEXT PRIMARY KEY, n); CREATE TABLE sync_row (n); CREATE TABLE synced (n); CREATE INDEX "
        "i ON note (n);"
        "CREATE VIEW w AS SELECT 1 AS n; CREATE TRIGGER g AFTER DELETE ON synced BEGIN INSERT INTO sync_row VALUES "
        "(1); END;"
        "ATTACH ':memory:' AS other; CREATE TEMP TABLE scratch (n)");
    authorizer.begin_strict();
  }
  // What is said about a statement: the refusal, SQLite's own message, or nothing.
  std::string prepare(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v2(db.getHandle(), sql.c_str(), -1, &statement, nullptr);
    sqlite3_finalize(statement);
    const std::string refusal = authorizer.take_refusal();
    if (code == SQLITE_OK) return "";
    CHECK((code == SQLITE_AUTH || sql.find("load_extension") != std::string::npos));  // a function is an SQLITE_ERROR
    CHECK(authorizer.take_refusal().empty());
    return refusal.empty() ? sqlite3_errmsg(db.getHandle()) : refusal;
  }

  SQLite::Database db;
  Authorizer authorizer{db.getHandle()};
};

}  // namespace

TEST_CASE("Authorizer: refuses what an application must not do in a transaction, and says what") {
  StrictDatabase t;
  const struct {
    const char* sql;
    const char* message;
  } refused[] = {
      {"CREATE TABLE x (n)", "CREATE TABLE inside a transaction"},
      {"CREATE TABLE IF NOT EXISTS note (n)", "CREATE TABLE inside a transaction"},
      {"CREATE TABLE x AS SELECT 1", "CREATE TABLE inside a transaction"},
      {"CREATE TEMP TABLE x (n)", "CREATE TEMP TABLE inside a transaction"},
      {"CREATE TABLE other.x (n)", "CREATE TABLE inside a transaction"},
      {"CREATE VIRTUAL TABLE x USING fts5(n)", "CREATE VIRTUAL TABLE inside a transaction"},
      {"CREATE INDEX x ON note (n, id)", "CREATE INDEX inside a transaction"},
      {"CREATE VIEW x AS SELECT 1", "CREATE VIEW inside a transaction"},
      {"CREATE TEMP VIEW x AS SELECT 1", "CREATE TEMP VIEW inside a transaction"},
      {"CREATE TRIGGER x AFTER INSERT ON note BEGIN SELECT 1; END", "CREATE TRIGGER inside a transaction"},
      {"CREATE TEMP TRIGGER x AFTER INSERT ON note BEGIN SELECT 1; END", "CREATE TEMP TRIGGER inside a transaction"},
      {"DROP TABLE note", "DROP TABLE inside a transaction"},
      {"DROP TABLE scratch", "DROP TABLE inside a transaction"},
      {"DROP INDEX i", "DROP INDEX inside a transaction"},
      {"DROP VIEW w", "DROP VIEW inside a transaction"},
      {"DROP TRIGGER g", "DROP TRIGGER inside a transaction"},
      {"ALTER TABLE note ADD COLUMN x", "ALTER TABLE inside a transaction"},
      {"ALTER TABLE note RENAME TO x", "ALTER TABLE inside a transaction"},
      {"ALTER TABLE note RENAME COLUMN n TO x", "ALTER TABLE inside a transaction"},
      {"ALTER TABLE note DROP COLUMN n", "ALTER TABLE inside a transaction"},
      {"REINDEX", "REINDEX inside a transaction"},
      {"REINDEX i", "REINDEX inside a transaction"},
      {"ANALYZE", "ANALYZE inside a transaction"},
      {"ATTACH ':memory:' AS x", "ATTACH inside a transaction"},
      {"DETACH other", "DETACH inside a transaction"},
      {"BEGIN", "BEGIN inside a transaction"},
      {"COMMIT", "COMMIT inside a transaction"},
      {"END", "COMMIT inside a transaction"},
      {"ROLLBACK", "ROLLBACK inside a transaction"},
      {"PRAGMA foreign_keys = OFF", "PRAGMA foreign_keys inside a transaction"},
      {"PRAGMA defer_foreign_keys = ON", "PRAGMA defer_foreign_keys inside a transaction"},
      {"PRAGMA user_version = 7", "PRAGMA user_version inside a transaction"},
      {"PRAGMA writable_schema = ON", "PRAGMA writable_schema inside a transaction"},
      {"PRAGMA writable_schema", "PRAGMA writable_schema inside a transaction"},
      {"PRAGMA journal_mode", "PRAGMA journal_mode inside a transaction"},
      {"PRAGMA wal_checkpoint", "PRAGMA wal_checkpoint inside a transaction"},
      {"PRAGMA optimize", "PRAGMA optimize inside a transaction"},
      {"SELECT load_extension('x')", "load_extension()"},
      {"INSERT INTO sync_row VALUES (1)", "a write to sync_row"},
      {"UPDATE SYNC_ROW SET n = 1", "a write to sync_row"},
      {"DELETE FROM sync_row", "a write to sync_row"},
      {"DELETE FROM synced", "a write to sync_row"},  // by its trigger
      {"SAVEPOINT sync_models", "a savepoint named sync_models"},
  };
  for (const auto& sample : refused) {
    CAPTURE(std::string(sample.sql));
    CHECK(t.prepare(sample.sql) == sample.message);
  }
}

TEST_CASE("Authorizer: lets through what applications need") {
  StrictDatabase t;
  for (const char* sql :
       {"INSERT INTO note VALUES ('a', 1)",
        "UPDATE note SET n = 2",
        "DELETE FROM note",
        "SELECT * FROM sync_row",
        "INSERT INTO synced VALUES (1)",
        "INSERT INTO scratch VALUES (1)",
        "SAVEPOINT s",
        "PRAGMA table_info(note)",
        "PRAGMA TABLE_XINFO(note)",
        "PRAGMA main.index_list(note)",
        "PRAGMA foreign_key_list(note)",
        "PRAGMA foreign_key_check",
        "PRAGMA foreign_key_check(note)",
        "PRAGMA integrity_check",
        "PRAGMA integrity_check(5)",
        "PRAGMA quick_check",
        "PRAGMA user_version",
        "PRAGMA data_version",
        "PRAGMA foreign_keys",
        "SELECT * FROM pragma_table_info('note')",
        "SELECT upper(id), count(*) FROM note GROUP BY 1",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i FROM n"}) {
    CAPTURE(std::string(sql));
    CHECK(t.prepare(sql) == "");
  }
  CHECK(t.db.execAndGet("SELECT count(*) FROM pragma_table_info('note')").getInt() == 2);
}

TEST_CASE("Authorizer: VACUUM has no action code, and SQLite refuses it inside a transaction") {
  StrictDatabase t;
  t.authorizer.end_strict();
  t.db.exec("BEGIN");
  t.authorizer.begin_strict();
  CHECK_THROWS_WITH(t.db.exec("VACUUM"), "cannot VACUUM from within a transaction");
  CHECK_THROWS_WITH(t.db.exec("VACUUM INTO '/nowhere'"), "cannot VACUUM from within a transaction");
}

TEST_CASE(
    "Authorizer: the engine does as it likes; a statement of the application is judged when it is prepared anew") {
  StrictDatabase t;
  sqlite3_stmt* insert = nullptr;
  t.authorizer.end_strict();
  REQUIRE(sqlite3_prepare_v2(t.db.getHandle(), "INSERT INTO sync_row VALUES (1)", -1, &insert, nullptr) == SQLITE_OK);
  t.authorizer.begin_strict();
  CHECK(sqlite3_step(insert) == SQLITE_DONE);
  sqlite3_finalize(insert);
  t.authorizer.end_strict();
  CHECK(t.prepare("CREATE TABLE x (n)") == "");
  CHECK(t.prepare("PRAGMA foreign_keys = ON") == "");
}

TEST_CASE("Authorizer: notes ROLLBACK TO for as long as such a statement exists, and only that") {
  StrictDatabase t;
  CHECK(t.prepare("SAVEPOINT s") == "");
  CHECK(t.prepare("RELEASE s") == "");
  CHECK_FALSE(t.authorizer.undo_possible());
  sqlite3_stmt* kept = nullptr;
  REQUIRE(sqlite3_prepare_v2(t.db.getHandle(), "rollback to s", -1, &kept, nullptr) == SQLITE_OK);
  CHECK(t.authorizer.undo_possible());
  t.authorizer.end_strict();
  t.authorizer.begin_strict();
  CHECK(t.authorizer.undo_possible());
  sqlite3_finalize(kept);
  CHECK(t.authorizer.undo_possible());
  t.authorizer.end_strict();
  t.authorizer.begin_strict();
  CHECK_FALSE(t.authorizer.undo_possible());
}
