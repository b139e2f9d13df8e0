#include "core/store/member_table.h"

#include "tests/core/store/open_store.h"

namespace starling {

TEST_CASE("MemberTable: a workspace of one device has no members until it admits the second") {
  const std::unique_ptr<Store> store = open_store();
  CHECK(store->members().all().empty());
  CHECK_FALSE(store->members().is_member(device(1)));
  CHECK_FALSE(store->members().is_removed(device(1)));
  CHECK(store->members().find(device(1)) == nullptr);
}

TEST_CASE("MemberTable: rows are seen as soon as they are written; all but ourselves and the removed acknowledge") {
  const std::unique_ptr<Store> store = open_store();
  store->begin(TransactionKind::apply);
  for (const unsigned n : {1U, 2U, 3U}) put_member(*store, n);
  CHECK(store->members().all().size() == 3);
  put_member(*store, 3, false, 2000);
  CHECK(store->members().is_member(device(2)));
  CHECK_FALSE(store->members().is_removed(device(2)));
  CHECK(store->members().is_removed(device(3)));
  CHECK_FALSE(store->members().is_member(device(3)));
  store->commit();

  const Member& two = *store->members().find(device(2));
  CHECK(two.admitted == stamp(1000, 1));
  CHECK(two.changed == stamp(1000, 1));
  CHECK(two.barred == Hlc{});
  const Member& three = *store->members().find(device(3));  // the row of a removed device stays
  CHECK(three.admitted == stamp(1000, 1));
  CHECK(three.changed == stamp(2000, 1));
  CHECK(three.barred == Hlc{2000});
  CHECK(store->acks().table().all().size() == 1);
  CHECK(store->acks().table().find(device(2)) != nullptr);
}

TEST_CASE("MemberTable: a rollback takes members back, and brings back those that were removed") {
  const std::unique_ptr<Store> store = open_store();
  apply(*store, [&] { put_member(*store, 2); });
  store->begin(TransactionKind::apply);
  put_member(*store, 2, false, 2000);
  put_member(*store, 3);
  CHECK(store->members().is_removed(device(2)));
  CHECK(store->members().is_member(device(3)));
  store->rollback();
  CHECK(store->members().is_member(device(2)));
  CHECK(store->members().find(device(3)) == nullptr);
  CHECK(store->acks().table().all().size() == 1);
}

TEST_CASE("MemberTable: a migration keeps the members, and members are no model of the application's") {
  const std::unique_ptr<Store> store = open_store();
  apply(*store, [&] { put_member(*store, 2); });
  StoreConfig config = store_config();
  store->begin(TransactionKind::migration);
  Statement(store->handle(), "ALTER TABLE note ADD COLUMN more").run();
  for (Model& m : config.models)
    if (m.ddl.find("note") != std::string::npos) m = Model::existing("note", Kind::shared);
  REQUIRE(store->replace_models(config.models));
  store->commit();
  CHECK(store->members().is_member(device(2)));
  apply(*store, [&] { put_member(*store, 4); });
  CHECK(store->members().is_member(device(4)));
  CHECK(store->schema().models.back().built_in);  // behind the application's: positions of those are not moved

  config.models.push_back(Model::existing("sync_member", Kind::shared));
  Prng prng(1);
  CHECK_FALSE(Store::open(config, kNow, prng));
}

}  // namespace starling
