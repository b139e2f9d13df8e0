// What a reader says of references that dangle, on a database of its own.
#include <SQLiteCpp/Database.h>
#include <doctest/doctest.h>

#include <filesystem>

#include "core/store/reader.h"

namespace starling {
namespace {

struct File {
  std::filesystem::path path = std::filesystem::temp_directory_path() / "starling_dangling_test.db";
  explicit File(const std::string& sql) {
    std::filesystem::remove(path);
    SQLite::Database db(path.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    db.exec(
        "CREATE TABLE sync_model (number INTEGER PRIMARY KEY, name TEXT);"
        "CREATE TABLE sync_hidden (model INTEGER, key BLOB, kind INTEGER, why TEXT, row BLOB);" +
        sql);
  }
  ~File() { std::filesystem::remove(path); }
};

}  // namespace

TEST_CASE("Reader::dangling: rows whose whole reference leads nowhere, by key, columns and missing parent; bounded") {
  const File file(
      "CREATE TABLE p (a TEXT, b TEXT, PRIMARY KEY (a, b)); INSERT INTO p VALUES ('1', '2');"
      "CREATE TABLE c (id TEXT PRIMARY KEY, x TEXT, y TEXT, gone TEXT REFERENCES nowhere(id), FOREIGN KEY (x, y) "
      "REFERENCES p);"
      "INSERT INTO c VALUES ('good', '1', '2', NULL), ('half', '1', NULL, NULL), ('bad', '1', '3', NULL), ('worse', "
      "NULL, NULL, 'g');"
      "INSERT INTO sync_model(name) VALUES ('c'), ('p')");
  const Reader reader(file.path);
  const Expected<std::vector<DanglingReference>> found = reader.dangling(10);
  REQUIRE(found);
  REQUIRE(found->size() == 2);
  CHECK(std::get<std::string>((*found)[0].key[0]) == "bad");
  CHECK((*found)[0].columns == "x, y");
  CHECK((*found)[0].parent == "p");
  CHECK(std::get<std::string>((*found)[0].missing[1]) == "3");
  CHECK((*found)[1].parent == "nowhere");
  CHECK(reader.dangling(1)->size() == 1);
}

TEST_CASE("Reader::hidden: each row that is not shown as it is, and why") {
  const File file(
      "INSERT INTO sync_model(name) VALUES ('c'); INSERT INTO sync_hidden VALUES (1, x'0b61', 2, 'its parent', x'00')");
  const Reader reader(file.path);
  const Expected<std::vector<HiddenReference>> found = reader.hidden(10);
  REQUIRE(found);
  REQUIRE(found->size() == 1);
  CHECK((*found)[0].table == "c");
  CHECK((*found)[0].kind == 2);
  CHECK((*found)[0].why == "its parent");
}

}  // namespace starling
