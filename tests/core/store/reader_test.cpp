// A reader reads: whatever else is asked of it is an error that says so, and a query that somebody else wrote is bounded.
#include "core/store/reader.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <doctest/doctest.h>
#include <stdlib.h>

#include <optional>

namespace starling {
namespace {

namespace fs = std::filesystem;

// A database with 100 rows, and no guard: a write must be refused without one.
struct Fixture {
  fs::path folder = make_folder();
  fs::path file = folder / "a.db";
  SQLite::Database writer{file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE};
  std::optional<Reader> reader;

  Fixture() {
    writer.exec(
        "PRAGMA journal_mode=WAL; CREATE TABLE note(id TEXT PRIMARY KEY NOT NULL, body TEXT);"
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)"
        " INSERT INTO note SELECT printf('%03d', i), 'body' FROM n");
    reader.emplace(file);
  }
  ~Fixture() { fs::remove_all(folder); }
  static fs::path make_folder() {
    std::string name = (fs::temp_directory_path() / "starling-test-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    return name;
  }
};

}  // namespace

TEST_CASE("reader: all that could write is refused, and nothing has changed") {
  Fixture f;
  for (const std::string sql :
       {"INSERT INTO note VALUES('a', 'b')", "UPDATE note SET body = ''", "DELETE FROM note", "CREATE TABLE t(a)",
        "CREATE TEMP TABLE t(a)", "DROP TABLE note", "ALTER TABLE note RENAME TO n", "REINDEX", "ANALYZE", "BEGIN",
        "SAVEPOINT s", "PRAGMA query_only = OFF", "PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA journal_mode = DELETE",
        "VACUUM INTO 'copy.db'", "ATTACH 'other.db' AS other", "REPLACE INTO note VALUES('a', 'b')",
        "WITH n AS (SELECT 'x' AS x) INSERT INTO note SELECT x, x FROM n", "SELECT load_extension('x')"}) {
    CAPTURE(sql);
    const Expected<Rows> rows = f.reader->query(sql);
    REQUIRE_FALSE(rows.has_value());
    CHECK(rows.error().code == Errc::forbidden);
    CHECK(rows.error().what.find("a reader only reads") != std::string::npos);
  }
  CHECK(f.reader->query("SELECT count(*) FROM note")->integer(0) == 100);
  CHECK_FALSE(fs::exists(f.folder / "copy.db"));
}

TEST_CASE("reader: what only reads goes through, inside and outside a snapshot") {
  Fixture f;
  for (const std::string sql :
       {"SELECT * FROM note", "WITH n AS (SELECT 1) SELECT * FROM n", "VALUES(1)", "PRAGMA table_info(note)",
        "SELECT name FROM pragma_table_info('note')", "EXPLAIN QUERY PLAN SELECT * FROM note", "PRAGMA user_version"}) {
    CAPTURE(sql);
    const Expected<Rows> rows = f.reader->query(sql);
    CHECK_MESSAGE(rows.has_value(), (rows ? "" : rows.error().text()));
  }
  {
    const Expected<Snapshot> view = f.reader->snapshot();
    REQUIRE(view.has_value());
    CHECK(f.reader->query("SELECT count(*) FROM note")->integer(0) == 100);
    f.writer.exec("DELETE FROM note");
    CHECK(f.reader->query("SELECT count(*) FROM note")->integer(0) == 100);
    CHECK_FALSE(f.reader->query("DELETE FROM note").has_value());
  }
  CHECK(f.reader->query("SELECT count(*) FROM note")->integer(0) == 0);
  CHECK(f.reader->query("SELECT nonsense FROM note").error().code == Errc::constraint);
}

TEST_CASE("reader: a visitor takes as many rows as it likes, and ends a query that takes too long") {
  Fixture f;
  std::vector<std::string> seen;
  const auto some = [&seen](std::vector<SqlValue>&& row) {
    seen.push_back(std::get<std::string>(row.at(0)));
    return seen.size() < 3;
  };
  const auto names = f.reader->visit("SELECT id, body AS b FROM note ORDER BY id", {some, {}});
  REQUIRE(names.has_value());
  CHECK(*names == std::vector<std::string>{"id", "b"});
  CHECK(seen == std::vector<std::string>{"001", "002", "003"});

  int asked = 0;
  const auto not_for_long = [&asked] { return ++asked < 5; };
  const auto endless = f.reader->visit(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n", {some, not_for_long});
  REQUIRE_FALSE(endless.has_value());
  CHECK(endless.error().code == Errc::busy);
  CHECK(asked == 5);
  CHECK(f.reader->query("SELECT count(*) FROM note")->integer(0) == 100);  // and it goes on
}

}  // namespace starling
