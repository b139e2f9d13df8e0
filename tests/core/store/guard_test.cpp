#include "core/store/guard.h"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <doctest/doctest.h>
#include <sqlite3.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <vector>

#include "core/store/schema_reader.h"

using namespace starling;

namespace {

constexpr char kNoGuard[] = "no such function: starling_guard";

// A database file with two guarded tables, one of them WITHOUT ROWID, and one that is not synchronised.
struct GuardedFile {
  GuardedFile() {
    std::string pattern = (std::filesystem::temp_directory_path() / "starling-guard-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    folder = pattern;
    db.emplace(file(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    register_guard_functions(db->getHandle(), &applying);
    db->exec("CREATE TABLE plain (n); CREATE TABLE parent (id TEXT PRIMARY KEY)");
    install({Model::from_sql("CREATE TABLE note (id TEXT NOT NULL PRIMARY KEY, title TEXT, parent TEXT REFERENCES "
                             "parent ON DELETE SET NULL)",
                             Kind::shared),
             Model::from_sql("CREATE TABLE \"odd \"\"name\" (id TEXT PRIMARY KEY, n) WITHOUT ROWID", Kind::shared)});
    db->exec(
        "INSERT INTO parent VALUES ('p'); INSERT INTO note VALUES ('a', 'x', 'p'); INSERT INTO \"odd \"\"name\" VALUES "
        "('a', 1)");
  }
  ~GuardedFile() {
    db.reset();
    std::filesystem::remove_all(folder);
  }
  void install(const std::vector<Model>& models) {
    db->exec("BEGIN");
    const Expected<Schema> schema = open_models(*db, models);
    if (!schema) FAIL(schema.error().text());
    install_guards(*db, *schema);
    db->exec("COMMIT");
    switch_triggers(*db);
  }
  [[nodiscard]] std::string file() const { return (folder / "data.db").string(); }
  [[nodiscard]] int guards() {
    return db->execAndGet("SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND name GLOB 'sync_guard_*'")
        .getInt();
  }

  std::filesystem::path folder;
  bool applying = false;
  std::optional<SQLite::Database> db;
};

constexpr const char* kWrites[] = {
    "INSERT INTO note VALUES ('b', 'y', NULL)",
    "INSERT INTO note SELECT * FROM note",
    "INSERT OR IGNORE INTO note VALUES ('a', 'y', NULL)",
    "REPLACE INTO note VALUES ('a', 'y', NULL)",
    "INSERT INTO note VALUES ('a', 'y', NULL) ON CONFLICT DO NOTHING",
    "INSERT INTO note VALUES ('a', 'y', NULL) ON CONFLICT (id) DO UPDATE SET title = 'y'",
    "INSERT INTO note DEFAULT VALUES",
    "UPDATE note SET title = 'y'",
    "UPDATE note SET id = 'y'",
    "UPDATE note SET title = n FROM plain",
    "UPDATE note SET title = 'y' WHERE 0",
    "DELETE FROM note",
    "DELETE FROM note WHERE id = 'a'",
    "DELETE FROM note RETURNING id",
    "INSERT INTO \"odd \"\"name\" VALUES ('b', 1)",
    "REPLACE INTO \"odd \"\"name\" VALUES ('a', 2)",
    "UPDATE \"odd \"\"name\" SET n = 2",
    "DELETE FROM \"odd \"\"name\"",
    "PRAGMA foreign_keys = ON; DELETE FROM parent",
};

constexpr const char* kReads[] = {
    "SELECT * FROM note",
    "PRAGMA integrity_check",
    "PRAGMA foreign_key_check",
    "INSERT INTO plain VALUES (1)",
    "EXPLAIN QUERY PLAN SELECT * FROM note WHERE id = 'a'",
    "CREATE INDEX by_title ON note (title)",
    "ANALYZE",
    "REINDEX",
    "VACUUM",
};

std::string shell(const std::string& file,
                  const std::string& sql) {  // what the sqlite3 program says, and its exit code
  const std::string command = "sqlite3 -batch '" + file + "' 2>&1 <<'END'\n.bail on\n" + sql + ";\nEND\n";
  FILE* pipe = popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string said;
  char buffer[256];
  for (std::size_t n = 0; (n = fread(buffer, 1, sizeof buffer, pipe)) > 0;) said.append(buffer, n);
  return said + "exit " + std::to_string(pclose(pipe) != 0 ? 1 : 0);
}

}  // namespace

TEST_CASE("[N22] guard: every kind of write from another connection fails and says why; reading works") {
  GuardedFile t;
  SQLite::Database other(t.file(), SQLite::OPEN_READWRITE);
  for (const char* sql : kWrites) {
    CAPTURE(std::string(sql));
    CHECK_THROWS_WITH_AS(other.exec(sql), kNoGuard, SQLite::Exception);
  }
  for (const char* sql : kReads) {
    CAPTURE(std::string(sql));
    CHECK_NOTHROW(other.exec(sql));
  }
  CHECK(other.execAndGet("SELECT title FROM note").getString() == "x");
}

TEST_CASE("guard: the sqlite3 program cannot write either, and reads") {
  GuardedFile t;
  for (const char* sql : {"INSERT INTO note VALUES ('b', 'y', NULL)", "UPDATE note SET title = 'y'", "DELETE FROM note",
                          "REPLACE INTO note VALUES ('a', 'y', NULL)"}) {
    const std::string said = shell(t.file(), sql);
    CAPTURE(said);
    CHECK(said.find(kNoGuard) != std::string::npos);
    CHECK(said.ends_with("exit 1"));
  }
  CHECK(shell(t.file(), "SELECT title FROM note") == "x\nexit 0");
  CHECK(shell(t.file(), "PRAGMA integrity_check") == "ok\nexit 0");
  const std::string copy = (t.folder / "copy.db").string();
  CHECK(shell(t.file(), "VACUUM INTO '" + copy + "'") == "exit 0");
  CHECK(shell(copy, "DELETE FROM note").find(kNoGuard) != std::string::npos);
}

TEST_CASE("guard: where the schema is not trusted, reading and our own writing still work") {
  GuardedFile t;
  t.db->exec("CREATE TRIGGER own AFTER UPDATE ON note BEGIN INSERT INTO plain VALUES (starling_applying()); END");
  switch_triggers(*t.db);
  t.db->exec("PRAGMA trusted_schema = OFF; UPDATE note SET title = 'z'");
  CHECK(t.db->execAndGet("SELECT n FROM plain").getInt() == 0);
}

TEST_CASE("guard: our own connection writes, with triggers switched off until the application has one") {
  GuardedFile t;
  const auto triggers = [&t] {
    int on = -1;
    sqlite3_db_config(t.db->getHandle(), SQLITE_DBCONFIG_ENABLE_TRIGGER, -1, &on);
    return on;
  };
  for (const char* sql : kWrites) {
    if (std::string_view(sql).starts_with("INSERT INTO note SELECT") ||
        std::string_view(sql).starts_with("INSERT INTO note DEFAULT"))
      continue;  // constraints
    CAPTURE(std::string(sql));
    t.db->exec("SAVEPOINT s");
    CHECK_NOTHROW(t.db->exec(sql));
    t.db->exec("ROLLBACK TO s; RELEASE s");
  }
  CHECK(triggers() == 0);
  t.db->exec("CREATE TRIGGER own AFTER UPDATE ON note BEGIN INSERT INTO plain VALUES (starling_applying()); END");
  switch_triggers(*t.db);
  CHECK(triggers() == 1);
  t.db->exec("UPDATE note SET title = 'z'");
  t.applying = true;
  t.db->exec("UPDATE note SET title = 'w'");
  CHECK(t.db->execAndGet("SELECT group_concat(n) FROM plain").getString() == "0,1");
  t.db->exec("DROP TRIGGER own");
  switch_triggers(*t.db);
  CHECK(triggers() == 0);
}

TEST_CASE("guard: the engine changes tables as it likes, and they stay guarded") {
  GuardedFile t;
  CHECK(t.guards() == 6);
  t.db->exec(
      "ALTER TABLE note ADD COLUMN stars INTEGER DEFAULT 3; ALTER TABLE note RENAME COLUMN title TO heading;"
      "ALTER TABLE note ADD COLUMN gone; ALTER TABLE note DROP COLUMN gone");
  CHECK(shell(t.file(), "UPDATE note SET stars = 4").find(kNoGuard) != std::string::npos);
  t.db->exec("ALTER TABLE note RENAME TO memo");
  CHECK(shell(t.file(), "UPDATE memo SET stars = 4").find(kNoGuard) != std::string::npos);

  t.install({Model::existing("memo", Kind::shared)});  // the other table is no model any more
  CHECK(t.guards() == 3);
  CHECK(t.db->execAndGet(
                "SELECT group_concat(name) FROM (SELECT name FROM sqlite_schema WHERE type = 'trigger' ORDER BY 1)")
            .getString() == "sync_guard_delete_memo,sync_guard_insert_memo,sync_guard_update_memo");
  CHECK(shell(t.file(), "INSERT INTO \"odd \"\"name\" VALUES ('b', 1)") == "exit 0");
}

TEST_CASE("guard: installing again writes nothing, repairs what was tampered with, and removing takes all away") {
  GuardedFile t;
  const std::int64_t before = t.db->execAndGet("PRAGMA schema_version").getInt64();
  t.install({Model::existing("note", Kind::shared), Model::existing("odd \"name", Kind::shared)});
  CHECK(t.db->execAndGet("PRAGMA schema_version").getInt64() == before);

  t.db->exec(
      "DROP TRIGGER sync_guard_insert_note; CREATE TRIGGER sync_guard_insert_note AFTER INSERT ON note BEGIN SELECT 1; "
      "END");
  t.install({Model::existing("note", Kind::shared), Model::existing("odd \"name", Kind::shared)});
  CHECK(shell(t.file(), "INSERT INTO note(id) VALUES ('b')").find(kNoGuard) != std::string::npos);

  t.db->exec("BEGIN");
  remove_guards(*t.db);
  t.db->exec("COMMIT");
  CHECK(t.guards() == 0);
  CHECK(shell(t.file(), "INSERT INTO note(id) VALUES ('b')") == "exit 0");
}
