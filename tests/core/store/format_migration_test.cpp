// Databases that older builds wrote open with this one. tests/core/store/fixtures/format-2.db is of the last build with that
// format: notes (changed, deleted), a link, files (one deleted), an entry and two rows of a peer, one of them in quarantine.
#include "core/store/format_migration.h"

#include <sqlite3.h>

#include <filesystem>

#include "core/store/held_changes.h"
#include "core/store/tables.h"
#include "core/store/verify.h"
#include "tests/core/store/open_store.h"

namespace starling {
namespace {

// A copy of a fixture, gone with the test.
struct Fixture {
  std::filesystem::path folder = std::filesystem::temp_directory_path() / ("starling-fixture-" + std::to_string(::getpid()));
  std::filesystem::path file = folder / "starling.db";

  explicit Fixture(const char* name) {
    std::filesystem::create_directories(folder);
    std::filesystem::copy_file(std::filesystem::path(STARLING_FIXTURES) / name, file, std::filesystem::copy_options::overwrite_existing);
  }
  ~Fixture() { std::filesystem::remove_all(folder); }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;

  [[nodiscard]] StoreConfig config() const {
    StoreConfig config;
    config.file = file.string();
    config.models = {Model::from_sql("CREATE TABLE note (id TEXT PRIMARY KEY NOT NULL, title, body TEXT, stars INTEGER)", Kind::shared),
                     Model::from_sql("CREATE TABLE link (a TEXT NOT NULL, b TEXT NOT NULL, PRIMARY KEY (a, b))", Kind::shared),
                     Model::from_sql("CREATE TABLE file (id BLOB PRIMARY KEY NOT NULL, path, size INTEGER)", Kind::device_owned)};
    config.workspace_name = "test";
    config.device = device(1);
    return config;
  }
  void exec(const std::string& sql) const {
    sqlite3* db = nullptr;
    REQUIRE(sqlite3_open(file.c_str(), &db) == SQLITE_OK);
    CHECK(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
    sqlite3_close(db);
  }
};

}  // namespace

TEST_CASE("A database of format 2 opens, and all that it held is there") {
  const Fixture fixture("format-2.db");
  for (int life = 0; life < 2; ++life) {
    const auto store = open_store(fixture.config());
    CHECK(number(*store, "SELECT value FROM sync_meta WHERE name='format'") == kFormatVersion);
    CHECK(number(*store, "SELECT count(*) FROM note") == 3);
    CHECK(number(*store, "SELECT count(*) FROM note WHERE id='b' AND title='second, changed'") == 1);
    CHECK(number(*store, "SELECT stars FROM note WHERE id='p'") == 5);
    CHECK(number(*store, "SELECT count(*) FROM link") == 1);
    CHECK(number(*store, "SELECT count(*) FROM file") == 2);
    CHECK(number(*store, "SELECT count(*) FROM sync_model WHERE shape IS NOT NULL") == 4);
    CHECK(store->quarantine().count() == 1);
    CHECK(store->held().count() == 0);
    CHECK(store->origins().position(store->self_ordinal()).seq == Seq{4});
    CHECK(store->origins().vector().at(origin(2)) == Position{Rev{2}, Seq{1}, Hlc::of(1'700'000'000'100, 0)});
    CHECK(store->log().read(store->self_ordinal(), Seq{}, 1'000'000).size() == 4);
    const VerifyReport report = verify_database(fixture.file, store->schema());
    CHECK(report.damaged == 0);
    CHECK(report.digests_are_good);
  }
}

TEST_CASE("A database of a format that this build does not know is refused, and stays as it is") {
  const Fixture fixture("format-2.db");
  for (const int format : {1, kFormatVersion + 1}) {
    fixture.exec("UPDATE sync_meta SET value=" + std::to_string(format) + " WHERE name='format'");
    Prng prng(1);
    const auto store = Store::open(fixture.config(), kNow, prng);
    REQUIRE_FALSE(store);
    CHECK(store.error().what.find("has format " + std::to_string(format)) != std::string::npos);
  }
  fixture.exec("UPDATE sync_meta SET value=2 WHERE name='format'");
  CHECK(open_store(fixture.config()));
}

TEST_CASE("A table that was changed while we were away: it may have grown, and nothing else") {
  for (const char* ddl : {"ALTER TABLE note RENAME COLUMN body TO text", "ALTER TABLE note DROP COLUMN stars"}) {
    const Fixture fixture("format-2.db");
    StoreConfig config = fixture.config();
    { const auto store = open_store(config); }
    fixture.exec(ddl);
    config.models[0] = Model::existing("note", Kind::shared);
    Prng prng(1);
    const auto store = Store::open(config, kNow, prng);
    REQUIRE_FALSE(store);
    CHECK(store.error().code == Errc::schema);
    CHECK(store.error().where == "note");
  }
  const Fixture fixture("format-2.db");
  StoreConfig config = fixture.config();
  { const auto store = open_store(config); }
  fixture.exec("ALTER TABLE note ADD COLUMN more");
  config.models[0] = Model::existing("note", Kind::shared);
  CHECK(open_store(config)->schema().find("note")->fields.size() == 5);
}

}  // namespace starling
