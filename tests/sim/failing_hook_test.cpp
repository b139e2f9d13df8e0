// A disk that fails in the one read of a transaction that the pre-update hook alone makes.
#include <SQLiteCpp/Exception.h>
#include <doctest/doctest.h>

#include "core/replica/migration.h"
#include "core/replica/transaction_manager.h"
#include "core/store/store.h"
#include "tests/sim/disk.h"

namespace starling::sim {
namespace {

constexpr WallTime kNow{1'700'000'000'000};

WriteFn sql(std::string text) {
  return [text = std::move(text)](Transaction& t) -> Expected<void> {
    const Expected<std::int64_t> done = t.exec(text);
    return done ? Expected<void>() : Expected<void>(done.error());
  };
}

std::unique_ptr<Store> open(const Disk& disk) {
  StoreConfig config;
  config.file = "hook.db";
  config.vfs = disk.vfs();
  config.models = {Model::from_sql("CREATE TABLE note (id TEXT PRIMARY KEY NOT NULL, body)", Kind::shared)};
  config.workspace_name = "test";
  config.create = true;
  config.device.raw[0] = 1;
  Prng prng(1);
  Expected<std::unique_ptr<Store>> store = Store::open(config, kNow, prng);
  REQUIRE(store);
  return std::move(*store);
}

}  // namespace

// SQLite itself has no need to read the end of a long value before it deletes its row.
TEST_CASE("A migration that writes a row which cannot be read is refused like any that writes rows") {
  std::uint64_t struck = 0;
  for (std::uint64_t after = 0; after < 20; ++after) {
    CAPTURE(after);
    Disk disk;
    REQUIRE(TransactionManager(*open(disk)).write(WriteScope::any, sql("INSERT INTO note VALUES ('n', zeroblob(10000))"), kNow));
    const std::unique_ptr<Store> store = open(disk);
    disk.fail(DiskFault::read_error, after);
    bool done = false;
    try {
      done = migrate(*store, sql("DELETE FROM note"), {Model::existing("note", Kind::shared)}, kNow).has_value();
    } catch (const SQLite::Exception&) {
      ++struck;
    }
    CHECK_FALSE(done);
  }
  CHECK(struck > 0);
}

}  // namespace starling::sim
