// Capture: values and keys of every kind, and the limits.
#include "core/store/statement.h"
#include "tests/core/store/captured_database.h"

using namespace starling;

namespace {

CapturedDatabase typed_columns() {
  return CapturedDatabase({Model::from_sql(
      "CREATE TABLE v (id TEXT NOT NULL PRIMARY KEY, t TEXT, i INTEGER, r REAL, n NUMERIC, b)", Kind::shared)});
}

// The captured row must be what SQLite reads back, type by type and byte by byte.
Bytes stored_row(CapturedDatabase& t, const char* columns) {
  Statement select(t.db.getHandle(), std::string("SELECT ") + columns + " FROM v WHERE id = 'k'");
  REQUIRE(select.step());
  ByteWriter row;
  for (int i = 0; i < select.columns(); ++i) write_value(row, select.column_value(i));
  return row.take();
}

Bytes captured_row(CapturedDatabase& t, const std::string& sql) {
  t.begin();
  if (!t.run(sql)) FAIL(t.error);
  const Expected<std::vector<NetChange>> changes = t.capture->fold();
  REQUIRE(changes);
  REQUIRE(changes->size() == 1);
  const Bytes row(changes->front().row);
  t.end(true);
  return row;
}

constexpr const char* kValues[] = {
    "NULL", "0", "-1", "127", "128", "-129", "TRUE", "9007199254740993", "9223372036854775807", "-9223372036854775808",
    "9223372036854775808", "0.0", "-0.0", "1.5", "5.0", "1e300", "9e999", "-9e999",
    "''", "'7'", "'7.0'", "'7.5'", "'text'", "'€'", "'  12  '", "'a' || char(0) || 'b'", "CAST(x'ff00fe' AS TEXT)",
    "printf('%.40c', 'x')", "hex(randomblob(200000))",
    "x''", "x'00'", "x'37'", "zeroblob(40)", "randomblob(400000)",
};

}  // namespace

TEST_CASE("Capture: any value in a column of any affinity is captured as it stands on disk") {
  CapturedDatabase t = typed_columns();
  for (const char* value : kValues) {
    CAPTURE(std::string(value));
    const std::string v = value;
    const std::string five = v + "," + v + "," + v + "," + v + "," + v;
    for (const std::string& sql :
         {"INSERT INTO v VALUES ('k'," + five + ")", "UPDATE v SET (t, i, r, n, b) = (" + five + "), b = 'another'",
          "REPLACE INTO v VALUES ('k'," + five + ")"}) {
      const Bytes row = captured_row(t, sql);
      CHECK((row == stored_row(t, "t, i, r, n, b")));
    }
    t.transaction("DELETE FROM v");
  }
}

TEST_CASE("Capture: a value of 1 MiB is captured whole, and one byte that changes in it") {
  CapturedDatabase t = typed_columns();
  for (const char* sql : {"INSERT INTO v(id, b) VALUES ('k', CAST(randomblob(1048575) || x'42' AS BLOB))",
                          "UPDATE v SET b = CAST(substr(b, 1, 1048575) || x'41' AS BLOB)"}) {
    const Bytes row = captured_row(t, sql);
    CHECK(row.size() > limits::MiB);
    CHECK((row == stored_row(t, "t, i, r, n, b")));  // in parentheses: no megabyte in the report
  }
}

TEST_CASE("Capture: an integer in a REAL column is the real number that SQLite stores") {
  CapturedDatabase t = typed_columns();
  CHECK(t.transaction("INSERT INTO v(id, r) VALUES ('k', 5)") ==
        "insert v 'k': t = NULL, i = NULL, r = 5.0, n = NULL, b = NULL");
  CHECK(t.transaction("UPDATE v SET i = 1") == "update v 'k': i = 1");
  CHECK(t.transaction("UPDATE v SET r = 5") == "");
  CHECK(t.transaction("UPDATE v SET r = '5'") == "");
}

TEST_CASE("Capture: values that SQL calls equal are told apart") {
  CapturedDatabase t = typed_columns();
  t.transaction("INSERT INTO v(id, b) VALUES ('k', 1)");
  CHECK(t.transaction("UPDATE v SET b = 1.0") == "update v 'k': b = 1.0");
  CHECK(t.transaction("UPDATE v SET b = 0.0") == "update v 'k': b = 0.0");
  CHECK(t.transaction("UPDATE v SET b = -0.0") == "update v 'k': b = -0.0");
  CHECK(t.transaction("UPDATE v SET b = '1'") == "update v 'k': b = '1'");
  CHECK(t.transaction("UPDATE v SET b = x'31'") == "update v 'k': b = x'31'");
}

TEST_CASE("Capture: keys may hold any text or bytes") {
  CapturedDatabase t({Model::from_sql("CREATE TABLE k (id TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID", Kind::shared),
                      Model::from_sql("CREATE TABLE l (id BLOB NOT NULL PRIMARY KEY)", Kind::shared)});
  CHECK(t.transaction("INSERT INTO k VALUES (''), ('a' || char(0) || 'b'), (42), (x'00')") ==
        "insert k ''; insert k 'a\\x00b'; insert k '42'; insert k x'00'");
  CHECK(t.transaction(
            "SAVEPOINT s; ROLLBACK TO s; INSERT INTO l VALUES (x''), (''), ('a' || char(0)), (CAST(x'ff' AS TEXT))") ==
        "insert l x''; insert l ''; insert l 'a\\x00'; insert l '\xff'");
}

TEST_CASE("Capture: a key of another type is refused at fold, with the column and what to do") {
  CapturedDatabase t({Model::from_sql("CREATE TABLE l (id BLOB NOT NULL PRIMARY KEY)", Kind::shared)});
  for (const char* key : {"1", "1.5"}) {
    t.transaction("INSERT INTO l VALUES (" + std::string(key) + ")");
    CHECK(t.fold_error.code == Errc::constraint);
    CHECK(t.fold_error.where == "l.id");
    CHECK(t.fold_error.what.find("takes text or a blob") != std::string::npos);
    CHECK_FALSE(t.fold_error.remedy.empty());
  }
  CHECK(t.transaction("INSERT INTO l VALUES (1); DELETE FROM l; INSERT INTO l VALUES ('1')") == "insert l '1'");

  Model cell = Model::from_sql("CREATE TABLE c (id INT PRIMARY KEY NOT NULL)", Kind::shared);
  cell.unique_integers = true;
  CapturedDatabase u({cell});
  u.transaction("INSERT INTO c VALUES ('seven')");
  CHECK(u.fold_error.what.find("takes integers") != std::string::npos);
}

TEST_CASE("Capture: values, rows and keys beyond the limits are refused at fold, up to them taken") {
  CapturedDatabase t = typed_columns();
  const auto insert = [&t](std::size_t text, std::size_t blob) {
    return t.transaction("INSERT INTO v(id, t, b) VALUES ('k', hex(zeroblob(" + std::to_string(text / 2) +
                         ")), zeroblob(" + std::to_string(blob) + "))");
  };
  insert(0, limits::kValueMax);
  CHECK(t.db.execAndGet("SELECT count(*) FROM v").getInt() == 1);
  CHECK(t.transaction("UPDATE v SET i = 1") == "update v 'k': i = 1");
  CHECK(t.transaction("DELETE FROM v") == "erase v 'k'");

  insert(0, limits::kValueMax + 1);
  CHECK(t.fold_error.code == Errc::too_large);
  CHECK(t.fold_error.where == "v 'k'");
  insert(limits::kValueMax, limits::kRowMax - limits::kValueMax);
  CHECK(t.fold_error.what.find("the row is larger") != std::string::npos);

  CHECK(
      t.transaction("INSERT INTO v(id, b) VALUES ('k', zeroblob(3000000)); UPDATE v SET b = 1; UPDATE v SET t = 'x'") ==
      "insert v 'k': t = 'x', i = NULL, r = NULL, n = NULL, b = 1");
  t.transaction("UPDATE v SET b = zeroblob(3000000)");
  CHECK(t.fold_error.code == Errc::too_large);
  t.transaction("SAVEPOINT s; ROLLBACK TO s; UPDATE v SET b = zeroblob(3000000)");
  CHECK(t.fold_error.code == Errc::too_large);

  t.engine("UPDATE v SET b = zeroblob(3000000)");  // it stands there, however it came
  t.transaction("UPDATE v SET b = zeroblob(3000001)");
  CHECK(t.fold_error.code == Errc::too_large);
  CHECK(t.transaction("UPDATE v SET b = NULL") == "update v 'k': b = NULL");

  t.transaction("INSERT INTO v(id) VALUES (printf('%." + std::to_string(limits::kKeyMax - 3) + "c', 'x'))");
  CHECK(t.fold_error.what.empty());
  t.transaction("INSERT INTO v(id) VALUES (printf('%." + std::to_string(limits::kKeyMax) + "c', 'x'))");
  CHECK(t.fold_error.code == Errc::too_large);
  CHECK(t.fold_error.where == "v");
}

TEST_CASE("check_key: a peer's key must have the right number of values, of the right types, and no more") {
  CapturedDatabase t(
      {Model::from_sql("CREATE TABLE p (a TEXT, b BLOB, PRIMARY KEY (a, b)) WITHOUT ROWID", Kind::shared)});
  const ModelSchema& m = t.schema.models[0];
  ByteWriter w;
  write_value(w, ValueView::text("a"));
  CHECK_FALSE(check_key(m, w.bytes()));
  write_value(w, ValueView::blob("b"));
  CHECK(check_key(m, w.bytes()));
  CHECK_FALSE(check_key(m, w.bytes().substr(0, 3)));
  CHECK_FALSE(check_key(m, ""));
  write_value(w, ValueView::null());
  CHECK_FALSE(check_key(m, w.bytes()));
  w.clear();
  write_value(w, ValueView::null());
  write_value(w, ValueView::text("b"));
  CHECK_FALSE(check_key(m, w.bytes()));
}
