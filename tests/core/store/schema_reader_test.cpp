#include "core/store/schema_reader.h"

#include <SQLiteCpp/Database.h>
#include <doctest/doctest.h>

#include <vector>

#include "core/store/table_info.h"

using namespace starling;

namespace {

Model shared(std::string ddl) { return Model::from_sql(std::move(ddl), Kind::shared); }
Model existing(std::string table) { return Model::existing(std::move(table), Kind::shared); }
Model with_integers(Model model) {
  model.unique_integers = true;
  return model;
}

struct Reading {
  explicit Reading(const std::string& setup = "") : db(":memory:", SQLite::OPEN_READWRITE) {
    db.exec(setup);
    db.exec("BEGIN");
  }
  Expected<Schema> open(const std::vector<Model>& models) { return open_models(db, models); }
  [[nodiscard]] int tables() { return db.execAndGet("SELECT count(*) FROM sqlite_schema").getInt(); }

  SQLite::Database db;
};

ModelSchema read_one(const Model& model, const std::string& setup = "") {
  Reading t(setup);
  const Expected<Schema> schema = t.open({model});
  if (!schema) FAIL(schema.error().text());
  REQUIRE(schema->models.size() == 1);
  return schema->models[0];
}

Error refusal(const std::vector<Model>& models, const std::string& setup = "") {
  Reading t(setup);
  const int before = t.tables();
  const Expected<Schema> schema = t.open(models);
  CHECK(t.tables() == before);  // nothing remains
  if (schema) return {Errc::internal, "was not refused", "", ""};
  CHECK(schema.error().code == Errc::schema);
  CHECK_FALSE(schema.error().remedy.empty());
  return schema.error();
}

std::string columns(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += ", c" + std::to_string(i);
  return text;
}

struct Case {
  const char* ddl;
  const char* where;
  const char* what;  // begins with
};

void check_refused(const std::vector<Case>& cases, bool unique_integers) {
  for (const Case& c : cases) {
    CAPTURE(std::string(c.ddl));
    Model model = shared(c.ddl);
    model.unique_integers = unique_integers;
    const Error error = refusal({model});
    CHECK(error.where == c.where);
    CHECK(error.what.substr(0, std::string_view(c.what).size()) == c.what);
  }
}

}  // namespace

TEST_CASE("open_models: creates a table, and reads it as it is the next time") {
  Reading t;
  const Model note = shared(
      "CREATE TABLE IF NOT EXISTS Note (id TEXT NOT NULL PRIMARY KEY, title TEXT DEFAULT 'x', stars INT NOT NULL "
      "DEFAULT 0)");
  const Expected<Schema> first = t.open({note});
  REQUIRE(first);
  const Expected<Schema> again = t.open({note});
  const Expected<Schema> by_name = t.open({existing("NOTE")});
  REQUIRE(again);
  REQUIRE(by_name);
  CHECK(first->digest() == again->digest());
  CHECK(first->digest() == by_name->digest());
  const ModelSchema& m = first->models[0];
  CHECK(m.name == "Note");
  CHECK(m.fields.size() == 3);
  CHECK(m.fields[1].default_sql == "'x'");
  CHECK(m.fields[2].not_null);
  CHECK(m.fields[2].affinity == Affinity::integer);
  CHECK(m.key == std::vector<FieldIndex>{0});
  CHECK_FALSE(m.integer_key);
  CHECK_FALSE(m.without_rowid);
  CHECK(m.digest == schema_digest(m));
}

TEST_CASE("open_models: models stand in the order of their names, and all or none is created") {
  Reading t;
  const Model a = shared("CREATE TABLE a (id TEXT NOT NULL PRIMARY KEY)");
  const Model b = Model::from_sql("CREATE TABLE b (id TEXT NOT NULL PRIMARY KEY)", Kind::device_owned);
  const Expected<Schema> schema = t.open({b, a});
  REQUIRE(schema);
  CHECK(schema->models[0].name == "a");
  CHECK(schema->models[1].kind == Kind::device_owned);
  CHECK(refusal({a, b, shared("CREATE TABLE c (n)")}).where == "c");
  CHECK(t.open({}));
}

TEST_CASE("open_models: key columns in key order, fields in the order of the declaration") {
  const ModelSchema m = read_one(shared("CREATE TABLE t (v, b TEXT, w, a BLOB, PRIMARY KEY (a, b)) WITHOUT ROWID"));
  CHECK(m.key == std::vector<FieldIndex>{3, 1});
  CHECK(m.without_rowid);
  CHECK(m.fields[3].key_position == 1);
  CHECK(m.fields[3].not_null);
  CHECK(m.fields[3].storage == 3);
  CHECK(m.all_fields() == 15);
  CHECK(m.key_fields() == 10);
}

TEST_CASE("open_models: generated columns are no fields; VIRTUAL ones are not counted as stored") {
  const ModelSchema m = read_one(
      shared("CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, s AS (a || 1) STORED, a, v AS (a || 2) VIRTUAL, b)"));
  REQUIRE(m.fields.size() == 3);
  CHECK(m.fields[1].name == "a");
  CHECK(m.fields[1].column == 2);
  CHECK(m.fields[1].storage == 2);
  CHECK(m.fields[2].name == "b");
  CHECK(m.fields[2].column == 4);
  CHECK(m.fields[2].storage == 3);
}

TEST_CASE("open_models: where the pre-update hook would misread columns after a VIRTUAL one, the table is refused") {
  const char* what = "SQLite misreports";
  check_refused({{"CREATE TABLE t (v AS (x), id INTEGER PRIMARY KEY, x, y)", "t.id", what},
                 {"CREATE TABLE t (k TEXT NOT NULL PRIMARY KEY, v AS (k), r REAL, i INTEGER)", "t.i", what},
                 {"CREATE TABLE t (v AS (1), k TEXT PRIMARY KEY) WITHOUT ROWID", "t.k", what}},
                true);
  CHECK(read_one(shared("CREATE TABLE t (k TEXT NOT NULL PRIMARY KEY, v AS (k), r REAL, s REAL)")).fields.size() == 3);
  CHECK(read_one(shared("CREATE TABLE t (k TEXT PRIMARY KEY, r REAL, v AS (k)) WITHOUT ROWID")).fields.size() == 2);
}

TEST_CASE("affinity_of: by SQLite's rules, in their order") {
  const struct {
    const char* type;
    Affinity affinity;
  } samples[] = {{"INT", Affinity::integer},
                 {"bigint", Affinity::integer},
                 {"CHARINT", Affinity::integer},
                 {"FLOATING POINT", Affinity::integer},
                 {"VARCHAR(20)", Affinity::text},
                 {"clob", Affinity::text},
                 {"TEXT", Affinity::text},
                 {"", Affinity::blob},
                 {"BLOB", Affinity::blob},
                 {"REAL", Affinity::real},
                 {"Float", Affinity::real},
                 {"DOUBLE PRECISION", Affinity::real},
                 {"DECIMAL(10,5)", Affinity::numeric},
                 {"BOOLEAN", Affinity::numeric},
                 {"DATETIME", Affinity::numeric},
                 {"ANY", Affinity::numeric}};
  for (const auto& sample : samples) {
    CAPTURE(std::string(sample.type));
    CHECK(affinity_of(sample.type, false) == sample.affinity);
  }
  CHECK(affinity_of("ANY", true) == Affinity::blob);
  CHECK(read_one(shared("CREATE TABLE t (k TEXT PRIMARY KEY, a ANY) STRICT")).fields[1].affinity == Affinity::blob);
}

TEST_CASE("open_models: integer keys need the application's word") {
  const Model rowid = shared("CREATE TABLE t (id INTEGER PRIMARY KEY, v)");
  CHECK(refusal({rowid}).what.starts_with("two devices number their rows alike"));
  CHECK(read_one(with_integers(rowid)).integer_key);
  const Model pair = shared("CREATE TABLE t (a BLOB NOT NULL, n INT NOT NULL, PRIMARY KEY (a, n))");
  CHECK(refusal({pair}).where == "t.n");
  CHECK_FALSE(read_one(with_integers(pair)).integer_key);
  CHECK_FALSE(read_one(with_integers(shared("CREATE TABLE t (n INT NOT NULL PRIMARY KEY)")))
                  .integer_key);  // INT is not the rowid
}

TEST_CASE("open_models: refuses keys that do not name one row everywhere") {
  check_refused(
      {{"CREATE TABLE t (a, b)", "t", "the table has no primary key"},
       {"CREATE TABLE t (id TEXT PRIMARY KEY)", "t.id", "a key column may be NULL"},
       {"CREATE TABLE t (a TEXT NOT NULL, b TEXT, PRIMARY KEY (a, b))", "t.b", "a key column may be NULL"},
       {"CREATE TABLE t (id TEXT COLLATE NOCASE PRIMARY KEY NOT NULL)", "t.id",
        "the key is compared by collation NOCASE"},
       {"CREATE TABLE t (id TEXT COLLATE rtrim PRIMARY KEY) WITHOUT ROWID", "t.id", "the key is compared by collation"},
       {"CREATE TABLE t (id TEXT NOT NULL, PRIMARY KEY (id COLLATE NOCASE))", "t.id",
        "the key is compared by collation"},
       {"CREATE TABLE t (id TEXT NOT NULL COLLATE NOCASE, PRIMARY KEY (id COLLATE BINARY))", "t.id",
        "the key is compared by collation"},
       {"CREATE TABLE t (id REAL PRIMARY KEY) WITHOUT ROWID", "t.id", "a key column of floating-point"},
       {"CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT)", "t", "AUTOINCREMENT"}},
      true);
  check_refused(
      {{"CREATE TABLE t (a TEXT, day DATE, PRIMARY KEY (a, day)) WITHOUT ROWID", "t.day", "two devices number"}},
      false);
}

TEST_CASE("open_models: an index that is not UNIQUE is the application's own affair") {
  CHECK(read_one(existing("t"), "CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, a); CREATE INDEX i ON t (a)").fields.size() == 2);
}

TEST_CASE("open_models: refuses what is no ordinary table of the database, and names that are taken") {
  const std::string table = " (id TEXT NOT NULL PRIMARY KEY)";
  CHECK(refusal({existing("nowhere")}).what == "there is no such table");
  CHECK(refusal({existing("")}).what == "there is no such table");
  CHECK(refusal({existing("w")}, "CREATE VIEW w AS SELECT 1 AS id").what == "this is a view");
  CHECK(refusal({existing("f")}, "CREATE VIRTUAL TABLE f USING fts5(x)").what == "this is a virtual table");
  CHECK(refusal({existing("f_data")}, "CREATE VIRTUAL TABLE f USING fts5(x)").what == "this is a shadow table");
  CHECK(refusal({existing("t")}, "CREATE TEMP TABLE t" + table).what == "a temporary table cannot be synchronised");
  CHECK(refusal({existing("t")}, "CREATE TABLE t" + table + "; CREATE TEMP TABLE t" + table).what ==
        "a temporary table cannot be synchronised");
  CHECK(refusal({shared("CREATE TABLE Sync_x" + table)}).what.starts_with("names starting with sync_"));
  CHECK(refusal({existing("sqlite_sequence")}, "CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT)")
            .what.starts_with("names starting with sync_"));
  CHECK(refusal({shared("CREATE TABLE w" + table)}, "CREATE VIEW w AS SELECT 1 AS id").what == "this is a view");
  CHECK(refusal({shared("CREATE TABLE i" + table)}, "CREATE TABLE a (n); CREATE INDEX i ON a (n)").what ==
        "there is already an index named i");
}

TEST_CASE("open_models: a declaration is exactly one CREATE TABLE statement") {
  const std::string good = "CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY)";
  CHECK(read_one(shared("  -- a comment; with a semicolon\n " + good + " ; /* ; */ -- done\n;")).name == "t");
  CHECK(read_one(shared("create table if not exists main.t (id TEXT NOT NULL PRIMARY KEY) -- ;")).name == "t");
  CHECK(read_one(shared("CREATE TABLE \"a \"\"b\" (\"c d\" TEXT NOT NULL PRIMARY KEY)")).name == "a \"b");
  for (const std::string& bad : std::vector<std::string>{
           good + "; CREATE TABLE u (id TEXT NOT NULL PRIMARY KEY)", good + "; DROP TABLE t", good + "; nonsense",
           "CREATE TEMP TABLE t (id TEXT NOT NULL PRIMARY KEY)", "CREATE TABLE t AS SELECT 1 AS id",
           "CREATE VIRTUAL TABLE t USING fts5(x)", "CREATE VIEW t AS SELECT 1", "CREATE INDEX i ON t (x)",
           "DROP TABLE t", "SELECT 1", "PRAGMA user_version = 7", "ATTACH 'x' AS y", "-- nothing", "nonsense",
           "CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY", "CREATE TABLE other.t (id TEXT NOT NULL PRIMARY KEY)"}) {
    CAPTURE(bad);
    CHECK(refusal({shared(bad)}).code == Errc::schema);
    CHECK(refusal({shared(bad)}).remedy.starts_with("give exactly one CREATE TABLE statement"));
  }
  CHECK(refusal({shared(good + "; DROP TABLE t")}).what == "the declaration has more than one statement");
  CHECK(refusal({shared("CREATE TABLE t AS SELECT 1 AS id")}).what ==
        "the declaration does more than create one table");
  CHECK(refusal({shared("-- nothing")}).what == "the declaration creates no table");
  Model named = shared(good);
  named.table = "T";
  CHECK(read_one(named).name == "t");
  named.table = "u";
  CHECK(refusal({named}).what == "the declaration creates t");
}

TEST_CASE("open_models: a table that is there must be as declared; the first difference is named") {
  const std::string there = "CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, a TEXT, b INTEGER DEFAULT 3)";
  const auto differs = [&there](const char* declared) { return refusal({shared(declared)}, there); };
  CHECK(read_one(shared("create table T (ID text NOT NULL primary key, A text, b integer default 3)"), there)
            .fields[1]
            .name == "a");

  Error e = differs("CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, x TEXT, b INTEGER DEFAULT 3)");
  CHECK(e.where == "t.x");
  CHECK(e.what == "column 2 is declared as x, the table has a there");
  e = differs("CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, a BLOB NOT NULL, b INTEGER DEFAULT 3)");
  CHECK(e.where == "t.a");
  CHECK(e.what == "declared as BLOB NOT NULL, the table has TEXT");
  CHECK(differs("CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, a TEXT, b INTEGER DEFAULT 4)").where == "t.b");
  CHECK(differs("CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, a TEXT COLLATE NOCASE, b INTEGER DEFAULT 3)").where ==
        "t.a");
  CHECK(differs("CREATE TABLE t (id TEXT NOT NULL, a TEXT NOT NULL, b INTEGER DEFAULT 3, PRIMARY KEY (id, a))").where ==
        "t.a");
  CHECK(differs("CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, a TEXT AS (id), b INTEGER DEFAULT 3)").where == "t.a");
  e = differs("CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, a TEXT, b INTEGER DEFAULT 3, c)");
  CHECK(e.where == "t.c");
  CHECK(e.remedy.find("ADD COLUMN") != std::string::npos);
  e = differs("CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, a TEXT)");
  CHECK(e.where == "t.b");
  CHECK(e.what == "the table has it, but it is not declared");
  CHECK(differs("CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, a TEXT, b INTEGER DEFAULT 3) WITHOUT ROWID").where ==
        "t");
}

TEST_CASE("open_models: notes foreign keys at both their ends, and CHECK") {
  Reading t("CREATE TABLE outside (id TEXT PRIMARY KEY, n TEXT REFERENCES \"Parent\")");
  const Expected<Schema> schema =
      t.open({shared("CREATE TABLE parent (id TEXT NOT NULL PRIMARY KEY)"),
              shared("CREATE TABLE child (id TEXT NOT NULL PRIMARY KEY, p TEXT REFERENCES other)"),
              shared("CREATE TABLE plain (id TEXT NOT NULL PRIMARY KEY, checked, acheck, check_ TEXT)"),
              shared("CREATE TABLE good (id TEXT NOT NULL PRIMARY KEY, n check(n > 0))")});
  REQUIRE(schema);
  CHECK(schema->find("parent")->has_foreign_keys);
  CHECK(schema->find("child")->has_foreign_keys);
  CHECK_FALSE(schema->find("plain")->has_foreign_keys);
  CHECK_FALSE(schema->find("plain")->has_checks);
  CHECK(schema->find("good")->has_checks);
}

TEST_CASE("open_models: limits") {
  CHECK(read_one(shared("CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY" + columns(limits::kFieldsMax - 1) + ")"))
            .all_fields() == ~FieldMask{0});
  CHECK(refusal({shared("CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY" + columns(limits::kFieldsMax) + ")")})
            .what.starts_with("65 columns"));

  const std::string longest(limits::kNameMax, 'n');
  CHECK(read_one(shared("CREATE TABLE " + longest + " (" + longest + " TEXT NOT NULL PRIMARY KEY)")).name == longest);
  CHECK(refusal({shared("CREATE TABLE " + longest + "n (id TEXT NOT NULL PRIMARY KEY)")})
            .what.starts_with("the name is longer"));
  CHECK(refusal({shared("CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, " + longest + "n)")}).where == "t." + longest);

  std::vector<Model> models;
  for (std::size_t i = 0; i < limits::kModelsMax; ++i)
    models.push_back(shared("CREATE TABLE t" + std::to_string(i) + " (id TEXT NOT NULL PRIMARY KEY)"));
  CHECK(Reading().open(models));
  models.push_back(shared("CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY)"));
  CHECK(refusal(models).where == "the models");
}

TEST_CASE("open_models: refuses two models of one table, and a database that is not UTF-8") {
  const Model t = shared("CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY)");
  CHECK(refusal({t, existing("T")}).what == "two models name this table");
  CHECK(refusal({t}, "PRAGMA encoding = 'UTF-16'").what == "its text is not UTF-8");
}

TEST_CASE("fill_in_defaults: writes short rows out in full, and fires no trigger") {
  SQLite::Database db(":memory:", SQLite::OPEN_READWRITE);
  db.exec(
      "CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, a); INSERT INTO t VALUES ('k', 1); CREATE TABLE fired (n);"
      "CREATE TRIGGER g AFTER UPDATE ON t BEGIN INSERT INTO fired VALUES (1); END; ALTER TABLE t ADD COLUMN b DEFAULT "
      "3; BEGIN");
  const Expected<Schema> schema = open_models(db, std::vector{existing("t")});
  REQUIRE(schema);
  fill_in_defaults(db, schema->models[0]);
  db.exec("COMMIT");
  CHECK(db.execAndGet("SELECT count(*) FROM fired").getInt() == 0);
  db.exec(
      "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'DEFAULT 3', 'DEFAULT 4');"
      "PRAGMA writable_schema = RESET");  // a short row would now show another value
  CHECK(db.execAndGet("SELECT b FROM t").getInt() == 3);
  db.exec("UPDATE t SET a = 2");
  CHECK(db.execAndGet("SELECT count(*) FROM fired").getInt() == 1);  // triggers are on again
}

