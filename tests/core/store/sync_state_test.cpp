#include <SQLiteCpp/Exception.h>

#include "tests/core/store/open_store.h"

namespace starling {

TEST_CASE("SyncState: a created workspace is complete and has an id; a joiner has neither until it is told") {
  const std::unique_ptr<Store> creator = open_store();
  CHECK(creator->state().initial_sync_completed());
  CHECK_FALSE(creator->state().workspace().is_zero());
  StoreConfig config = store_config();
  config.create = false;
  const std::unique_ptr<Store> joiner = open_store(config);
  CHECK_FALSE(joiner->state().initial_sync_completed());
  CHECK(joiner->state().workspace().is_zero());
  apply(*joiner, [&] {
    joiner->state().set_workspace(creator->state().workspace());
    joiner->state().set_initial_sync_completed(WallTime{5});
  });
  joiner->state().reload();
  CHECK(joiner->state().workspace() == creator->state().workspace());
  CHECK(joiner->state().initial_sync_completed());
  CHECK(number(*joiner, "SELECT last_sync FROM sync_state WHERE name='test'") == 5);
  CHECK(number(*joiner, "SELECT created_at FROM sync_state WHERE name='test'") == kNow.ms);
}

TEST_CASE("SyncState: after a rollback it says what the disk says") {
  StoreConfig config = store_config();
  config.create = false;
  const std::unique_ptr<Store> joiner = open_store(config);
  WorkspaceId id;
  id.raw[3] = 1;
  joiner->begin(TransactionKind::apply);
  joiner->state().set_workspace(id);
  joiner->state().set_initial_sync_completed(WallTime{5});
  joiner->rollback();
  CHECK(joiner->state().workspace().is_zero());
  CHECK_FALSE(joiner->state().initial_sync_completed());
}

TEST_CASE("SyncState: what cannot be read back in full is as it was") {
  const std::unique_ptr<Store> store = open_store();
  const WorkspaceId before = store->state().workspace();
  apply(*store, [&] {
    Statement(store->handle(), "UPDATE sync_meta SET value=zeroblob(16) WHERE name='workspace'").run();
    Statement(store->handle(), "ALTER TABLE sync_state RENAME TO elsewhere").run();
  });
  CHECK_THROWS_AS(store->state().reload(), SQLite::Exception);
  CHECK(store->state().workspace() == before);
}

}  // namespace starling
