// The built-in models: the store takes them, names keep their bytes, and keys follow from paths.
#include "models/models.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <doctest/doctest.h>

#include <set>

#include "core/store/schema_reader.h"

namespace starling {
namespace {

Schema open_all(SQLite::Database& db) {
  const std::vector<Model> list = models::built_in();
  db.exec("BEGIN");
  Expected<Schema> schema = open_models(db, list);
  db.exec("COMMIT");
  REQUIRE_MESSAGE(schema.has_value(), (schema ? "" : schema.error().text()));
  return std::move(*schema);
}

std::vector<std::string> key_of(const ModelSchema& model) {
  std::vector<std::string> names;
  for (const FieldIndex i : model.key) names.push_back(model.fields[i].name);
  return names;
}

}  // namespace

TEST_CASE("models: a fresh database takes all of them, with their kinds and keys") {
  SQLite::Database db(":memory:", SQLite::OPEN_READWRITE);
  const Schema schema = open_all(db);
  REQUIRE(schema.models.size() == 9);
  const auto check = [&](const char* table, Kind kind, std::vector<std::string> key) {
    const ModelSchema* model = schema.find(table);
    REQUIRE(model != nullptr);
    CHECK(model->kind == kind);
    CHECK(key_of(*model) == key);
    CHECK_FALSE(model->has_foreign_keys);
  };
  check("device", Kind::device_owned, {"id"});
  check("volume", Kind::device_owned, {"id"});
  check("location", Kind::device_owned, {"id"});
  check("entry", Kind::device_owned, {"id"});
  check("tag", Kind::shared, {"name"});
  check("entry_tag", Kind::shared, {"entry", "tag"});
  check("album", Kind::shared, {"id"});
  check("album_entry", Kind::shared, {"album", "entry"});
  check("user_metadata", Kind::shared, {"entry"});
}

TEST_CASE("models: opening them again finds the same schema") {
  SQLite::Database db(":memory:", SQLite::OPEN_READWRITE);
  const Hash128 first = open_all(db).digest();
  CHECK(open_all(db).digest() == first);
}

TEST_CASE("models: a name is stored with its type and its bytes") {
  SQLite::Database db(":memory:", SQLite::OPEN_READWRITE);
  (void)open_all(db);
  const std::string numeric = "007";  // a column with numeric affinity would make it 7
  const std::string odd = "caf\xE9";  // Latin-1
  SQLite::Statement insert(db,
                           "INSERT INTO entry(id, location, name, kind, size, modified_ms, mode)"
                           " VALUES(?, x'00', ?, 'file', 0, 0, 0)");
  insert.bind(1, "a", 1);
  insert.bind(2, numeric);
  insert.exec();
  insert.reset();
  insert.bind(1, "b", 1);
  insert.bind(2, odd.data(), static_cast<int>(odd.size()));
  insert.exec();
  SQLite::Statement select(db, "SELECT typeof(name), name FROM entry ORDER BY id");
  REQUIRE(select.executeStep());
  CHECK(select.getColumn(0).getString() == "text");
  CHECK(select.getColumn(1).getString() == numeric);
  REQUIRE(select.executeStep());
  CHECK(select.getColumn(0).getString() == "blob");
  CHECK(select.getColumn(1).getString() == odd);
}

TEST_CASE("models: the entries of one folder are neighbours, those of two folders are not mixed") {
  const Bytes location(16, 'L');
  std::set<Bytes> prefixes;
  std::set<Bytes> ids;
  for (int f = 0; f < 200; ++f) {
    const Bytes folder = models::entry_id(location, models::folder_prefix(location), "folder" + std::to_string(f));
    const Bytes prefix = models::folder_prefix(folder);
    REQUIRE(prefix.size() == models::kFolderPrefixBytes);
    prefixes.insert(prefix);
    for (int i = 0; i < 50; ++i) {
      const Bytes id = models::entry_id(folder, prefix, "same name" + std::to_string(i));
      REQUIRE(id.size() == models::kEntryIdBytes);
      CHECK(id.compare(0, prefix.size(), prefix) == 0);
      ids.insert(id);
    }
  }
  CHECK(prefixes.size() == 200);
  CHECK(ids.size() == 200 * 50);
}

TEST_CASE("models: the key of a path is the same every time, and another in another location") {
  const auto id_in = [](const Bytes& location) { return models::entry_id(location, models::folder_prefix(location), "a"); };
  CHECK(id_in(Bytes(16, 'x')) == id_in(Bytes(16, 'x')));
  CHECK(id_in(Bytes(16, 'x')) != id_in(Bytes(16, 'y')));
}

TEST_CASE("models: a disk has one id on one device, and another on another") {
  const Bytes here(16, 'h');
  const Bytes there(16, 't');
  CHECK(models::volume_id(here, "1234-ABCD") == models::volume_id(here, "1234-ABCD"));
  CHECK(models::volume_id(here, "1234-ABCD") != models::volume_id(there, "1234-ABCD"));
  CHECK(models::volume_id(here, "1234-ABCD") != models::volume_id(here, "1234-ABCE"));
  CHECK(models::volume_id(here, "1234-ABCD").size() == 16);
}

TEST_CASE("models: a row about an entry says nothing until somebody does") {
  SQLite::Database db(":memory:", SQLite::OPEN_READWRITE);
  (void)open_all(db);
  db.exec("INSERT INTO user_metadata(entry, created_ms) VALUES(x'01', 0)");
  SQLite::Statement select(db, "SELECT favourite, rating IS NULL, note IS NULL FROM user_metadata");
  REQUIRE(select.executeStep());
  CHECK(select.getColumn(0).getInt() == 0);
  CHECK(select.getColumn(1).getInt() == 1);
  CHECK(select.getColumn(2).getInt() == 1);
}

}  // namespace starling
