#include "apps/common/reference_list.h"

#include <SQLiteCpp/Database.h>
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/apps/temp_folder.h"

namespace starling::apps {

using test::TempFolder;

TEST_CASE("list_references: what dangles, with the parent that is missing; what is hidden, with the reason; bounded") {
  TempFolder temp;
  const std::filesystem::path file = temp / "some.db";
  {
    SQLite::Database db(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    db.exec(
        "CREATE TABLE sync_model (number INTEGER PRIMARY KEY, name TEXT); INSERT INTO sync_model VALUES (1, 'c'), (2, 'p');"
        "CREATE TABLE sync_hidden (model INTEGER, key BLOB, kind INTEGER, why TEXT, row BLOB);"
        "INSERT INTO sync_hidden VALUES (1, x'0b61', 1, 'a later one', x'00'), (1, x'0b62', 3, 'no parent', x'00');"
        "CREATE TABLE p (id TEXT PRIMARY KEY);"
        "CREATE TABLE c (id TEXT PRIMARY KEY, p TEXT REFERENCES p(id)); INSERT INTO c VALUES ('x', 'gone'), ('y', 'gone')");
  }
  const Reader reader(file);
  const Expected<nlohmann::json> all = list_references(reader, 10);
  REQUIRE(all);
  CHECK(*all == nlohmann::json::parse(R"({
    "dangling": [{"model": "c", "key": ["x"], "columns": "p", "parent": "p", "missing": ["gone"]},
                 {"model": "c", "key": ["y"], "columns": "p", "parent": "p", "missing": ["gone"]}], "more": false,
    "hidden": [{"model": "c", "key": ["a"], "kind": "unique", "why": "a later one"},
               {"model": "c", "key": ["b"], "kind": "nulled", "why": "no parent"}], "more_hidden": false})"));
  const Expected<nlohmann::json> one = list_references(reader, 1);
  REQUIRE(one);
  CHECK((*one)["dangling"].size() == 1);
  CHECK((*one)["more"] == true);
  CHECK((*one)["more_hidden"] == true);
}

}  // namespace starling::apps
