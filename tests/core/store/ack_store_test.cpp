#include "tests/core/store/open_store.h"

namespace starling {
namespace {

Acknowledgement ack(unsigned member, std::uint64_t version, std::uint64_t seq) {
  Acknowledgement a{device(member), origin(member).incarnation, version, {}};
  a.vector.advance_seq(origin(9), Seq{seq}, Hlc{seq});
  return a;
}

}  // namespace

TEST_CASE("AckStore: what members acknowledge is written with the next commit and read back") {
  const std::unique_ptr<Store> store = open_store();
  AckStore& acks = store->acks();
  CHECK_FALSE(acks.take(ack(2, 1, 1), false));  // not a member
  acks.set_members({device(2), device(3)});
  CHECK(acks.take(ack(2, 1, 1), false));
  CHECK(acks.take(ack(2, 5, 5), true));
  CHECK(acks.take(ack(3, 2, 2), false));
  CHECK_FALSE(acks.take(ack(3, 2, 9), false));  // not newer
  CHECK(acks.dirty());
  CHECK(number(*store, "SELECT count(*) FROM sync_ack") == 0);
  apply(*store, [] {});
  CHECK_FALSE(acks.dirty());
  CHECK(number(*store, "SELECT count(*) FROM sync_ack") == 2);
  const std::map<DeviceId, Acknowledgement> before = acks.table().all();
  acks.reload();
  CHECK(acks.table().all() == before);
  CHECK(acks.table().find(device(2))->vector == ack(2, 5, 5).vector);
}

TEST_CASE("AckStore: a rollback takes nothing of them back: they are the peers' own words") {
  const std::unique_ptr<Store> store = open_store();
  apply(*store, [&] { put_member(*store, 2); });
  REQUIRE(store->members().is_member(device(2)));
  store->begin(TransactionKind::apply);
  CHECK(store->acks().take(ack(2, 1, 1), false));
  store->rollback();
  REQUIRE(store->acks().table().find(device(2)) != nullptr);
  CHECK(store->acks().table().find(device(2))->version == 1);
  CHECK(store->acks().dirty());
  apply(*store, [] {});
  CHECK(number(*store, "SELECT version FROM sync_ack") == 1);
}

TEST_CASE("AckStore: whose admission is rolled back does not count, and what it said is not kept") {
  const std::unique_ptr<Store> store = open_store();
  store->begin(TransactionKind::apply);
  put_member(*store, 2);
  REQUIRE(store->members().is_member(device(2)));
  CHECK(store->acks().take(ack(2, 1, 1), false));
  store->rollback();
  CHECK(store->acks().table().find(device(2)) == nullptr);
  apply(*store, [] {});
  CHECK(number(*store, "SELECT count(*) FROM sync_ack") == 0);
}

TEST_CASE("AckStore: of a device that is no member any more nothing stays") {
  const std::unique_ptr<Store> store = open_store();
  AckStore& acks = store->acks();
  acks.set_members({device(2), device(3)});
  CHECK(acks.take(ack(2, 1, 1), false));
  CHECK(acks.take(ack(3, 1, 7), false));
  apply(*store, [] {});
  acks.set_members({device(3), device(4)});
  CHECK(acks.table().find(device(2)) == nullptr);
  CHECK(acks.table().find(device(3))->vector == ack(3, 1, 7).vector);
  CHECK(acks.table().find(device(4))->version == 0);  // it counts, and holds nothing
  apply(*store, [] {});
  CHECK(number(*store, "SELECT count(*) FROM sync_ack") == 1);
}

}  // namespace starling
