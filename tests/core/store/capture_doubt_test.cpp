// Capture: work that is undone, and commits that nobody asked for.
#include "tests/core/store/captured_database.h"

using namespace starling;

namespace {

void blob_write(CapturedDatabase& t, const char* column, BytesView bytes, int at) {
  sqlite3_blob* blob = nullptr;
  REQUIRE(sqlite3_blob_open(t.db.getHandle(), "main", "note", column, 1, 1, &blob) == SQLITE_OK);
  REQUIRE(sqlite3_blob_write(blob, bytes.data(), static_cast<int>(bytes.size()), at) == SQLITE_OK);
  REQUIRE(sqlite3_blob_close(blob) == SQLITE_OK);
}

}  // namespace

TEST_CASE("Capture: what a savepoint took back is no change") {
  CapturedDatabase t({note_model()});
  t.transaction("INSERT INTO note VALUES ('a', 'x', 0, NULL)");
  CHECK(t.transaction("SAVEPOINT s; UPDATE note SET done = 1; INSERT INTO note(id) VALUES ('b'); ROLLBACK TO s") == "");
  CHECK(t.transaction("UPDATE note SET title = 'y'; SAVEPOINT s; DELETE FROM note; ROLLBACK TO s; RELEASE s") ==
        "update note 'a': title = 'y'");
  CHECK(t.transaction("SAVEPOINT s; UPDATE note SET done = 1; RELEASE s") == "update note 'a': done = 1");
  CHECK(t.transaction("SAVEPOINT s; UPDATE note SET done = 2; SAVEPOINT t; UPDATE note SET done = 3; ROLLBACK TO t;"
                      " INSERT INTO note(id) VALUES ('c'); RELEASE t; RELEASE s") ==
        "update note 'a': done = 2; insert note 'c': title = NULL, done = NULL, body = NULL");
  CHECK(t.transaction("SAVEPOINT s; SAVEPOINT t; UPDATE note SET done = 9; RELEASE t; ROLLBACK TO s") == "");
  CHECK(t.transaction("SAVEPOINT s; UPDATE note SET id = 'z' WHERE id = 'a'; ROLLBACK TO s") == "");
}

TEST_CASE("Capture: a ROLLBACK TO that was prepared in an earlier transaction is reckoned with") {
  CapturedDatabase t({note_model()});
  t.transaction("INSERT INTO note VALUES ('a', 'x', 0, NULL)");
  t.begin();
  t.run("SAVEPOINT s");
  sqlite3_stmt* rollback_to = nullptr;
  REQUIRE(sqlite3_prepare_v2(t.db.getHandle(), "ROLLBACK TO s", -1, &rollback_to, nullptr) == SQLITE_OK);
  CHECK(t.commit() == "");
  t.begin();
  t.run("SAVEPOINT s; UPDATE note SET done = 1");
  CHECK(sqlite3_step(rollback_to) == SQLITE_DONE);
  CHECK(t.commit() == "");
  sqlite3_finalize(rollback_to);
  CHECK(t.transaction("UPDATE note SET done = 1") == "update note 'a': done = 1");
}

TEST_CASE("Capture: a statement that fails half-way leaves no change behind") {
  CapturedDatabase t({note_model()});
  t.transaction("INSERT INTO note VALUES ('a', 'x', 0, NULL), ('c', 'z', 0, NULL)");
  t.begin();
  CHECK_FALSE(t.run("INSERT INTO note(id) VALUES ('d'), ('e'), ('a')"));
  CHECK_FALSE(t.run("UPDATE note SET id = 'q'"));
  t.run("UPDATE note SET done = 5 WHERE id = 'c'");
  CHECK(t.commit() == "update note 'c': done = 5");
}

TEST_CASE("Capture: OR FAIL keeps the rows before the failing one, OR IGNORE those around it") {
  CapturedDatabase t({note_model()});
  t.transaction("INSERT INTO note VALUES ('a', 'x', 0, NULL)");
  t.begin();
  CHECK_FALSE(t.run("INSERT OR FAIL INTO note(id) VALUES ('d'), ('e'), ('a'), ('f')"));
  CHECK(t.commit() ==
        "insert note 'd': title = NULL, done = NULL, body = NULL; insert note 'e': title = NULL, done = NULL, body = "
        "NULL");
  CHECK(t.transaction("INSERT OR IGNORE INTO note(id) VALUES ('g'), ('a')") ==
        "insert note 'g': title = NULL, done = NULL, body = NULL");
}

TEST_CASE("Capture: a blob write is an update of what it wrote") {
  CapturedDatabase t({note_model()});
  t.transaction("INSERT INTO note VALUES ('a', 'x', 0, x'000000')");
  t.begin();
  blob_write(t, "body", "\x01\x02", 1);
  CHECK(t.commit() == "update note 'a': body = x'000102'");
  t.begin();
  blob_write(t, "body", BytesView("\0\1\2", 3), 0);
  CHECK(t.commit() == "");
  t.begin();
  blob_write(t, "title", "y", 0);
  t.run("UPDATE note SET done = 1");
  blob_write(t, "body", "\x07", 0);
  CHECK(t.commit() == "update note 'a': title = 'y', done = 1, body = x'070102'");
}

TEST_CASE("Capture: distrust gives what is in the table, whatever the hook said") {
  CapturedDatabase t(
      {note_model(),
       Model::from_sql("CREATE TABLE link (a TEXT, b TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID", Kind::shared)});
  t.begin();
  t.capture->distrust();
  t.run(
      "INSERT INTO note VALUES ('a', 'x', 0, NULL); INSERT INTO link VALUES ('a', 'b'), ('a', 'c'); DELETE FROM link "
      "WHERE b = 'c'");
  CHECK(t.commit() == "insert note 'a': title = 'x', done = 0, body = NULL; insert link 'a', 'b'");
}

TEST_CASE("Capture: when SQLite rolls the transaction back, fold says so and nothing is committed") {
  CapturedDatabase t({note_model()});
  t.transaction("INSERT INTO note(id) VALUES ('a')");
  t.begin();
  CHECK_FALSE(t.capture->rolled_back());
  t.run("INSERT INTO note(id) VALUES ('b')");
  CHECK_FALSE(t.run("INSERT OR ROLLBACK INTO note(id) VALUES ('a')"));
  CHECK(t.capture->rolled_back());
  CHECK_FALSE(t.capture->touched_anything());
  CHECK_FALSE(t.run("INSERT INTO note(id) VALUES ('c')"));  // on its own now, and refused at its commit
  const Expected<std::vector<NetChange>> changes = t.capture->fold();
  REQUIRE_FALSE(changes);
  CHECK(changes.error().code == Errc::constraint);
  CHECK(changes.error().what == "SQLite has rolled the whole transaction back");
  t.capture->end();
  CHECK(t.transaction("DELETE FROM note") == "erase note 'a'");
}

TEST_CASE("Capture: only a commit that the engine allowed goes through, and only one") {
  CapturedDatabase t({note_model()});
  CHECK_FALSE(t.run("INSERT INTO note(id) VALUES ('a')"));
  CHECK(t.error == "constraint failed");
  t.capture->allow_commit();
  t.db.exec("INSERT INTO note(id) VALUES ('a')");
  CHECK_FALSE(t.run("INSERT INTO note(id) VALUES ('b')"));
  t.begin();
  t.run("INSERT INTO note(id) VALUES ('c')");
  REQUIRE(t.capture->fold());
  t.capture->allow_commit();
  t.db.exec("ROLLBACK");
  t.capture->end();  // forgets the permission
  CHECK_FALSE(t.run("INSERT INTO note(id) VALUES ('d')"));
  CHECK(t.db.execAndGet("SELECT group_concat(id) FROM note").getString() == "a");
}

TEST_CASE("Capture: after a failed commit the next transaction starts clean") {
  CapturedDatabase t({note_model()});
  t.begin();
  t.run("INSERT INTO note(id) VALUES ('a')");
  REQUIRE(t.capture->fold());
  CHECK_THROWS_AS(t.db.exec("COMMIT"), SQLite::Exception);
  t.capture->end();
  CHECK(t.transaction("INSERT INTO note(id) VALUES ('b')") ==
        "insert note 'b': title = NULL, done = NULL, body = NULL");
}

TEST_CASE("Capture: a bug inside the hook comes out of fold, not through SQLite") {
  CapturedDatabase t({note_model()});
  t.schema.models[0].fields[1].storage = 99;  // no such column
  t.open();
  t.begin();
  CHECK(t.run("INSERT INTO note(id) VALUES ('a'), ('b')"));
  CHECK_THROWS_AS((void)t.capture->fold(), InvariantBroken);
  t.end(false);
  t.begin();
  CHECK(t.commit() == "");
}

TEST_CASE("Capture: a deferred foreign key that fails at COMMIT can be mended or rolled back") {
  CapturedDatabase t({Model::from_sql("CREATE TABLE album (id TEXT NOT NULL PRIMARY KEY)", Kind::shared),
                      Model::from_sql("CREATE TABLE photo (id TEXT NOT NULL PRIMARY KEY,"
                                      " album TEXT REFERENCES album DEFERRABLE INITIALLY DEFERRED)",
                                      Kind::shared)});
  t.begin();
  t.run("INSERT INTO photo VALUES ('p', 'nowhere')");
  REQUIRE(t.capture->fold());
  t.capture->allow_commit();
  CHECK_THROWS_AS(t.db.exec("COMMIT"), SQLite::Exception);
  t.end(false);
  CHECK(t.transaction("INSERT INTO photo VALUES ('p', 'a'); INSERT INTO album VALUES ('a')") ==
        "insert photo 'p': album = 'a'; insert album 'a'");
}
