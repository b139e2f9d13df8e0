#include "core/store/constraint_reader.h"

#include <SQLiteCpp/Database.h>
#include <doctest/doctest.h>

#include "core/store/schema_reader.h"

namespace starling {
namespace {

struct Reading {
  explicit Reading(const std::string& setup = "") : db(":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE) {
    db.exec(setup + ";BEGIN");
  }
  SQLite::Database db;
};

Schema read(const std::vector<Model>& models, const std::string& setup = "") {
  Reading t(setup);
  const Expected<Schema> schema = open_models(t.db, models);
  if (!schema) FAIL(schema.error().text());
  return *schema;
}

Error refusal(const std::vector<Model>& models, const std::string& setup = "") {
  Reading t(setup);
  const Expected<Schema> schema = open_models(t.db, models);
  REQUIRE_FALSE(schema);
  CHECK(schema.error().code == Errc::schema);
  CHECK_FALSE(schema.error().remedy.empty());
  return schema.error();
}

const char* const kTeam = "CREATE TABLE team (id TEXT NOT NULL PRIMARY KEY, name TEXT UNIQUE)";

Model shared(const std::string& ddl) { return Model::from_sql(ddl, Kind::shared); }
Model person(const std::string& column, Dangling policy) {
  return shared("CREATE TABLE person (id TEXT NOT NULL PRIMARY KEY, " + column + ")").on_dangling("team", policy);
}

}  // namespace

TEST_CASE("read_uniques: each UNIQUE of a shared model besides the key, once, in an order of its own") {
  const Schema schema = read({shared(
      "CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, a, b, c UNIQUE, UNIQUE (b, a), UNIQUE (a, b), UNIQUE (id, c))")});
  CHECK(schema.models[0].uniques == std::vector<UniqueFields>{{1, 2}, {3}});
  const Schema later = read({Model::existing("t", Kind::shared)},
                            "CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, a, b, c); CREATE UNIQUE INDEX z ON t (a, "
                            "b); CREATE UNIQUE INDEX y ON t (c)");
  CHECK(later.models[0].uniques == schema.models[0].uniques);
  CHECK(later.models[0].digest == schema.models[0].digest);
  CHECK(later.models[0].digest !=
        read({shared("CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, a, b, c)")}).models[0].digest);
}

TEST_CASE("read_uniques: refuses what devices could not agree on, and says which index it is") {
  const std::string table = "CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, a TEXT, g AS (a || 'x') STORED);";
  const auto refused = [&](const std::string& index) {
    return refusal({Model::existing("t", Kind::shared)}, table + "CREATE UNIQUE INDEX i ON t " + index);
  };
  CHECK(refused("(a) WHERE a > 1").what == "a partial UNIQUE index cannot be synchronised");
  CHECK(refused("(a) WHERE a > 1").where == "t (i)");
  CHECK(refused("(lower(a))").what.find("over an expression") != std::string::npos);
  CHECK(refused("(g)").what.find("generated column") != std::string::npos);
  CHECK(refused("(a COLLATE NOCASE)").what.find("other than by bytes") != std::string::npos);
  CHECK(refusal({Model::from_sql("CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, a UNIQUE)", Kind::device_owned)})
            .what.find("each device owns its rows") != std::string::npos);
}

TEST_CASE("resolve_references: a policy makes a reference of a foreign key; keep, and no word of it, make none") {
  const Schema schema = read({shared(kTeam), person("team TEXT REFERENCES team(id)", Dangling::cascade)});
  REQUIRE(schema.models[0].references.size() == 1);
  CHECK(schema.models[0].references[0].parent == "team");
  CHECK(schema.models[0].references[0].fields == std::vector<FieldIndex>{1});
  CHECK(schema.models[1].has_dependents);
  const Schema nulled = read({shared(kTeam), person("team TEXT REFERENCES team", Dangling::set_null)});
  CHECK(nulled.models[0].references[0].policy == Dangling::set_null);
  CHECK(nulled.models[0].digest != schema.models[0].digest);
  const Schema kept = read({shared(kTeam), person("team TEXT REFERENCES team(id)", Dangling::keep)});
  CHECK_FALSE(kept.models[0].has_rules());
  CHECK(kept.models[0].digest ==
        read({shared("CREATE TABLE person (id TEXT NOT NULL PRIMARY KEY, team TEXT)")}).models[0].digest);
}

TEST_CASE("resolve_references: of a key of several columns each child's column stands where the parent's does") {
  const Schema schema = read(
      {shared("CREATE TABLE p (a TEXT NOT NULL, b BLOB NOT NULL, PRIMARY KEY (b, a))"),
       shared("CREATE TABLE c (id TEXT NOT NULL PRIMARY KEY, x TEXT, y BLOB, FOREIGN KEY (x, y) REFERENCES P(a, b))")
           .on_dangling("Y", Dangling::cascade)});
  CHECK(schema.models[0].references.at(0).fields == std::vector<FieldIndex>{2, 1});
}

TEST_CASE("resolve_references: refuses a policy that could not be kept, and says why") {
  const Model team = shared(kTeam);
  const auto what = [&](const Model& child) { return refusal({team, child}).what; };
  CHECK(what(person("team TEXT", Dangling::cascade)) == "on_dangling names a column that is in no foreign key");
  CHECK(what(person("team TEXT REFERENCES team(name)", Dangling::cascade)).find("primary key of team") !=
        std::string::npos);
  CHECK(what(person("team TEXT REFERENCES elsewhere(id)", Dangling::cascade)).find("elsewhere is no shared model") !=
        std::string::npos);
  CHECK(what(person("team INTEGER REFERENCES team(id)", Dangling::cascade)).find("its type is another") == 0);
  CHECK(what(person("team TEXT NOT NULL REFERENCES team(id)", Dangling::set_null)) ==
        "set_null of a column that may not be NULL");
  CHECK(what(person("team TEXT REFERENCES team(id)", Dangling::cascade).on_dangling("team", Dangling::keep)) ==
        "on_dangling names one foreign key twice");
  CHECK(what(person("team TEXT REFERENCES team(id), x TEXT, FOREIGN KEY (team, x) REFERENCES team(id, name)",
                    Dangling::cascade)) == "on_dangling names a column of several foreign keys");
  Model owned = person("team TEXT REFERENCES team(id)", Dangling::cascade);
  owned.kind = Kind::device_owned;
  CHECK(what(owned) == "a device-owned row is shown as its owner wrote it");
  Model owned_team = team;
  owned_team.kind = Kind::device_owned;
  owned_team.ddl = "CREATE TABLE team (id TEXT NOT NULL PRIMARY KEY)";
  CHECK(
      refusal({owned_team, person("team TEXT REFERENCES team(id)", Dangling::cascade)}).what.find("no shared model") !=
      std::string::npos);
}

TEST_CASE("install_reference_indexes: one for each reference, and none that is not needed any more") {
  Reading t;
  const Schema schema =
      *open_models(t.db, std::vector<Model>{shared(kTeam), person("team TEXT REFERENCES team(id)", Dangling::cascade)});
  const auto indexes = [&] {
    return t.db.execAndGet("SELECT count(*) FROM sqlite_schema WHERE name GLOB 'sync_reference_*'").getInt();
  };
  install_reference_indexes(t.db, schema);
  install_reference_indexes(t.db, schema);
  CHECK(indexes() == 1);
  install_reference_indexes(t.db, Schema{});
  CHECK(indexes() == 0);
}

}  // namespace starling
