// Capture: what each kind of SQL comes to.
#include "core/store/capture.h"

#include "tests/core/store/captured_database.h"

using namespace starling;

namespace {

Model shared(const char* ddl) { return Model::from_sql(ddl, Kind::shared); }

}  // namespace

TEST_CASE("Capture: an insert carries every field, an update those that differ, an erase none") {
  CapturedDatabase t({note_model()});
  CHECK(t.transaction("INSERT INTO note VALUES ('a', 'x', 0, x'00ff')") ==
        "insert note 'a': title = 'x', done = 0, body = x'00ff'");
  CHECK(t.transaction("UPDATE note SET done = 1") == "update note 'a': done = 1");
  CHECK(t.transaction("UPDATE note SET title = 'y', body = NULL") == "update note 'a': title = 'y', body = NULL");
  CHECK(t.transaction("DELETE FROM note WHERE id = 'a'") == "erase note 'a'");
}

TEST_CASE("Capture: what comes to nothing is no change") {
  CapturedDatabase t({note_model()});
  t.transaction("INSERT INTO note VALUES ('a', 'x', 0, NULL)");
  CHECK(t.transaction("UPDATE note SET title = title, done = done + 0") == "");
  CHECK(t.transaction("UPDATE note SET done = 5; UPDATE note SET done = 0") == "");
  CHECK(t.transaction("INSERT INTO note(id) VALUES ('b'); DELETE FROM note WHERE id = 'b'") == "");
  CHECK(t.transaction("DELETE FROM note; INSERT INTO note VALUES ('a', 'x', 0, NULL)") == "");
  CHECK(t.transaction("INSERT OR IGNORE INTO note VALUES ('a', 'z', 9, NULL)") == "");
  CHECK(t.transaction("UPDATE note SET id = 'b'; UPDATE note SET id = 'a'") == "");
  CHECK(t.transaction("SELECT * FROM note") == "");
}

TEST_CASE("Capture: several writes of one row are one change") {
  CapturedDatabase t({note_model()});
  CHECK(t.transaction(
            "INSERT INTO note(id, title) VALUES ('a', 'x'); UPDATE note SET title = 'y'; UPDATE note SET done = 1") ==
        "insert note 'a': title = 'y', done = 1, body = NULL");
  CHECK(t.transaction("UPDATE note SET title = 'long enough to need more room'; UPDATE note SET done = 2; UPDATE note "
                      "SET title = 'z'") == "update note 'a': title = 'z', done = 2");
  CHECK(t.transaction("DELETE FROM note; INSERT INTO note(id, title, done, body) VALUES ('a', 'z', 3, x'01')") ==
        "update note 'a': done = 3, body = x'01'");
  CHECK(t.transaction("UPDATE note SET done = 4; DELETE FROM note") == "erase note 'a'");
}

TEST_CASE("Capture: changes stand in the order of first touch") {
  CapturedDatabase t({note_model(), shared("CREATE TABLE album (id TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID")});
  CHECK(t.transaction(
            "INSERT INTO note(id) VALUES ('b'); INSERT INTO album VALUES ('z'); INSERT INTO note(id) VALUES ('a');"
            "UPDATE note SET done = 1 WHERE id = 'b'") ==
        "insert note 'b': title = NULL, done = 1, body = NULL; insert album 'z'; "
        "insert note 'a': title = NULL, done = NULL, body = NULL");
}

TEST_CASE("Capture: a change of the key is an erase and an insert") {
  CapturedDatabase t({note_model(), shared("CREATE TABLE pair (v, b TEXT, a TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID")});
  t.transaction("INSERT INTO note VALUES ('a', 'x', 0, NULL); INSERT INTO pair VALUES (1, 'b', 'a')");
  CHECK(t.transaction("UPDATE note SET id = 'b', done = 1") ==
        "erase note 'a'; insert note 'b': title = 'x', done = 1, body = NULL");
  CHECK(t.transaction("UPDATE pair SET b = 'c'") == "erase pair 'a', 'b'; insert pair 'a', 'c': v = 1");
  // Onto a row that stands there already, which REPLACE takes away.
  t.transaction("INSERT INTO note VALUES ('z', 'old', 7, NULL)");
  CHECK(t.transaction("UPDATE OR REPLACE note SET id = 'z' WHERE id = 'b'") ==
        "update note 'z': title = 'x', done = 1; erase note 'b'");
}

TEST_CASE("Capture: REPLACE and UPSERT change what differs") {
  CapturedDatabase t({note_model()});
  t.transaction("INSERT INTO note VALUES ('a', 'x', 0, NULL)");
  CHECK(t.transaction("REPLACE INTO note VALUES ('a', 'x', 1, NULL), ('b', 'y', 2, NULL)") ==
        "update note 'a': done = 1; insert note 'b': title = 'y', done = 2, body = NULL");
  CHECK(t.transaction("INSERT INTO note VALUES ('a', 'q', 1, NULL), ('c', 'w', 0, NULL)"
                      " ON CONFLICT (id) DO UPDATE SET title = excluded.title") ==
        "update note 'a': title = 'q'; insert note 'c': title = 'w', done = 0, body = NULL");
  CHECK(t.transaction("INSERT INTO note VALUES ('a', 'r', 1, NULL) ON CONFLICT DO NOTHING") == "");
}

TEST_CASE("Capture: DELETE without WHERE erases row by row, INSERT … SELECT inserts row by row") {
  CapturedDatabase t({note_model()});
  CHECK(t.transaction("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3)"
                      " INSERT INTO note(id, done) SELECT 'n' || i, i FROM n") ==
        "insert note 'n1': title = NULL, done = 1, body = NULL; insert note 'n2': title = NULL, done = 2, body = NULL; "
        "insert note 'n3': title = NULL, done = 3, body = NULL");
  CHECK(t.transaction("DELETE FROM note") == "erase note 'n1'; erase note 'n2'; erase note 'n3'");
}

TEST_CASE("Capture: foreign-key actions are captured like writes of the application") {
  CapturedDatabase t(
      {shared("CREATE TABLE album (id TEXT NOT NULL PRIMARY KEY)"),
       shared("CREATE TABLE photo (id TEXT NOT NULL PRIMARY KEY,"
              " album TEXT REFERENCES album ON DELETE CASCADE ON UPDATE CASCADE)"),
       shared("CREATE TABLE comment (id TEXT NOT NULL PRIMARY KEY, album TEXT REFERENCES album ON DELETE SET NULL)")});
  t.transaction(
      "INSERT INTO album VALUES ('a'), ('b'); INSERT INTO photo VALUES ('p', 'a'); INSERT INTO comment VALUES ('c', "
      "'b')");
  CHECK(t.transaction("UPDATE album SET id = 'x' WHERE id = 'a'") ==
        "erase album 'a'; insert album 'x'; update photo 'p': album = 'x'");
  CHECK(t.transaction("DELETE FROM album") ==
        "erase album 'x'; erase photo 'p'; erase album 'b'; update comment 'c': album = NULL");
}

TEST_CASE("Capture: writes of triggers are captured, also into other models and the same row") {
  CapturedDatabase t({note_model(), shared("CREATE TABLE journal (id TEXT NOT NULL PRIMARY KEY, what TEXT)")},
                     "CREATE TABLE plain (n)");
  t.engine(
      "CREATE TRIGGER on_note AFTER INSERT ON note BEGIN INSERT INTO plain VALUES (1);"
      " INSERT INTO journal VALUES (new.id || '!', new.title); UPDATE note SET title = title || '?' WHERE id = new.id; "
      "END");
  t.open();
  CHECK(t.transaction("INSERT INTO note(id, title) VALUES ('a', 'x')") ==
        "insert note 'a': title = 'x?', done = NULL, body = NULL; insert journal 'a!': what = 'x'");
}

TEST_CASE("Capture: without rowid, with a key that is not the first column and in another order") {
  CapturedDatabase t({shared("CREATE TABLE pair (v, b TEXT, w, a BLOB, PRIMARY KEY (a, b)) WITHOUT ROWID")});
  CHECK(t.transaction("INSERT INTO pair VALUES (1, 'b', 2, x'0a')") == "insert pair x'0a', 'b': v = 1, w = 2");
  CHECK(t.transaction("UPDATE pair SET w = 3") == "update pair x'0a', 'b': w = 3");
  CHECK(t.transaction("DELETE FROM pair") == "erase pair x'0a', 'b'");
}

TEST_CASE("Capture: integer keys, where the model vouches for them") {
  Model row = shared("CREATE TABLE row (v, id INTEGER PRIMARY KEY, w)");
  row.unique_integers = true;
  Model cell = shared("CREATE TABLE cell (page BLOB, number INT, v, PRIMARY KEY (page, number)) WITHOUT ROWID");
  cell.unique_integers = true;
  CapturedDatabase t({row, cell});
  CHECK(t.transaction("INSERT INTO row VALUES (1, 7, 2); UPDATE row SET w = 3") == "insert row 7: v = 1, w = 3");
  CHECK(t.transaction("UPDATE row SET rowid = 8") == "erase row 7; insert row 8: v = 1, w = 3");
  CHECK(t.transaction("REPLACE INTO row VALUES (1, 8, 4)") == "update row 8: w = 4");
  CHECK(t.transaction("INSERT INTO cell VALUES (x'01', '12', 5)") == "insert cell x'01', 12: v = 5");
}

TEST_CASE("Capture: generated columns are not fields, and do not shift those that are") {
  CapturedDatabase t(
      {shared("CREATE TABLE r (k TEXT NOT NULL PRIMARY KEY, s AS (a || '!') STORED, a TEXT, v AS (a || '?'), b, c AS "
              "(1), d)"),
       shared(
           "CREATE TABLE w (s AS (a || '!') STORED, a TEXT, k TEXT PRIMARY KEY, b, v AS (a || '?')) WITHOUT ROWID")});
  CHECK(t.transaction("INSERT INTO r(k, a, b, d) VALUES ('k', 'a', 1, 2)") == "insert r 'k': a = 'a', b = 1, d = 2");
  CHECK(t.transaction("UPDATE r SET d = 3") == "update r 'k': d = 3");
  CHECK(t.transaction("UPDATE r SET a = 'z'; SAVEPOINT s; UPDATE r SET b = 9; ROLLBACK TO s") ==
        "update r 'k': a = 'z'");
  CHECK(t.transaction("INSERT INTO w(k, a, b) VALUES ('k', 'a', 1)") == "insert w 'k': a = 'a', b = 1");
  CHECK(t.transaction("UPDATE w SET b = 2") == "update w 'k': b = 2");
  CHECK(t.transaction("UPDATE w SET a = 'x'") == "update w 'k': a = 'x'");
  CHECK(t.transaction("DELETE FROM w; DELETE FROM r") == "erase w 'k'; erase r 'k'");
}

TEST_CASE("Capture: other tables, temporary ones and other databases are not captured") {
  CapturedDatabase t({note_model()},
                     "CREATE TABLE plain (id TEXT PRIMARY KEY); ATTACH ':memory:' AS other;"
                     "CREATE TABLE other.note (id TEXT NOT NULL PRIMARY KEY); CREATE TEMP TABLE scratch (x)");
  t.begin();
  t.run("INSERT INTO plain VALUES ('a'); INSERT INTO other.note VALUES ('a'); INSERT INTO scratch VALUES (1)");
  CHECK_FALSE(t.capture->touched_anything());
  t.run("UPDATE note SET done = 1");
  CHECK_FALSE(t.capture->touched_anything());
  t.run("INSERT INTO note(id) VALUES ('a')");
  CHECK(t.capture->touched_anything());
  CHECK(t.commit() == "insert note 'a': title = NULL, done = NULL, body = NULL");
}

TEST_CASE("Capture: the engine's own writes are not captured, and move nothing that fold gave") {
  CapturedDatabase t({note_model()});
  t.engine("INSERT INTO note(id) VALUES ('a')");
  CHECK_FALSE(t.capture->touched_anything());
  CHECK(t.transaction("UPDATE note SET done = 1") == "update note 'a': done = 1");
  t.begin();
  t.run("INSERT INTO note(id) VALUES ('b')");
  const Expected<std::vector<NetChange>> changes = t.capture->fold();
  REQUIRE(changes);
  t.db.exec(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) INSERT INTO note(id, done) "
      "SELECT 'c' || i, i FROM n");
  CHECK(describe(changes->front(), t.schema) == "insert note 'b': title = NULL, done = NULL, body = NULL");
  t.end(true);
  CHECK(t.transaction("DELETE FROM note WHERE done > 999 OR done IS NULL") == "erase note 'b'; erase note 'c1000'");
}

TEST_CASE("Capture: full-text search with triggers of its own works inside a transaction") {
  CapturedDatabase t({note_model()}, "CREATE VIRTUAL TABLE search USING fts5(title)");
  t.engine("CREATE TRIGGER note_search AFTER INSERT ON note BEGIN INSERT INTO search(title) VALUES (new.title); END");
  t.open();
  CHECK(t.transaction("INSERT INTO note(id, title) VALUES ('a', 'hello world')") ==
        "insert note 'a': title = 'hello world', done = NULL, body = NULL");
  CHECK(t.db.execAndGet("SELECT count(*) FROM search WHERE search MATCH 'world'").getInt() == 1);
}

TEST_CASE("Capture: a field added with a default is known once the rows are filled in") {
  CapturedDatabase t({note_model()});
  t.engine("INSERT INTO note(id) VALUES ('a'), ('b')");
  t.engine("ALTER TABLE note ADD COLUMN stars INTEGER DEFAULT 3");
  t.db.exec("BEGIN");
  t.schema = *open_models(t.db, std::vector{Model::existing("note", Kind::shared)});
  t.capture->allow_commit();
  fill_in_defaults(t.db, t.schema.models[0]);
  t.db.exec("COMMIT");
  t.open();
  CHECK(t.transaction("UPDATE note SET stars = NULL WHERE id = 'a'") == "update note 'a': stars = NULL");
  CHECK(t.transaction("UPDATE note SET done = 1 WHERE id = 'b'") == "update note 'b': done = 1");
}

TEST_CASE("Capture: many rows, touched again in another order") {
  CapturedDatabase t({note_model()});
  t.begin();
  t.run(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
      " INSERT INTO note(id, done) SELECT printf('%05d', i * 7919 % 20011), i FROM n");
  t.run("DELETE FROM note WHERE done % 2 = 0");
  const Expected<std::vector<NetChange>> changes = t.capture->fold();
  REQUIRE(changes);
  CHECK(changes->size() == 10000);
  CHECK(describe(changes->front(), t.schema) == "insert note '07919': title = NULL, done = 1, body = NULL");
  t.end(true);
  CHECK_FALSE(t.capture->touched_anything());
  CHECK(t.transaction("DELETE FROM note WHERE id = '07919'") == "erase note '07919'");
}
