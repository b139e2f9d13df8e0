#include "core/store/snapshot_stage.h"

#include <algorithm>

#include "core/base/sha256.h"
#include "tests/core/store/open_store.h"

namespace starling {
namespace {

Hash128 put(Store& store, BytesView body) {
  const Hash128 hash = hash128(body);
  apply(store, [&] { CHECK(store.snapshot().put(hash, body)); });
  return hash;
}

std::vector<Hash128> sorted(std::vector<Hash128> hashes) {
  std::sort(hashes.begin(), hashes.end());
  return hashes;
}

}  // namespace

TEST_CASE("SnapshotStage: pages are listed in order, and are there by number and by hash") {
  const std::unique_ptr<Store> store = open_store();
  SnapshotStage& stage = store->snapshot();
  CHECK(stage.listed() == 0);
  CHECK(stage.kept().empty());
  apply(*store, [&] { stage.begin(); });
  const Hash128 head = put(*store, "head"), one = put(*store, "one");
  const Hash128 again = put(*store, "one");  // two ranges that are alike are one page
  CHECK(again == one);
  CHECK(stage.listed() == 3);
  CHECK(stage.page(0) == "head");
  CHECK(stage.page(1) == "one");
  CHECK(stage.page(2) == "one");
  CHECK_FALSE(stage.page(3));
  CHECK(stage.has(head));
  CHECK_FALSE(stage.has(hash128("two")));
  CHECK(stage.kept() == sorted({head, one}));
}

TEST_CASE("SnapshotStage: a page that came once needs no body again, from whomever; one that never came does") {
  const std::unique_ptr<Store> store = open_store();
  SnapshotStage& stage = store->snapshot();
  apply(*store, [&] { stage.begin(); });
  const Hash128 one = put(*store, "one"), two = put(*store, "two");
  apply(*store, [&] {
    stage.begin();  // of another source
    CHECK(stage.listed() == 0);
    CHECK(stage.put(two, {}));
    CHECK_FALSE(stage.put(hash128("three"), {}));
    CHECK(stage.listed() == 1);
    CHECK(stage.put(hash128("three"), "three"));
  });
  CHECK(stage.page(0) == "two");
  CHECK(stage.page(1) == "three");
  CHECK(stage.has(one));  // it may be of use yet
  apply(*store, [&] { stage.complete(); });
  CHECK_FALSE(stage.has(one));  // not any more
  CHECK(stage.kept() == sorted({two, hash128("three")}));
}

TEST_CASE("SnapshotStage: merging begins behind the head, and goes on from its cursor in another life") {
  const std::unique_ptr<Store> store = open_store();
  SnapshotStage& stage = store->snapshot();
  apply(*store, [&] { stage.begin(); });
  (void)put(*store, "head");
  (void)put(*store, "one");
  CHECK_FALSE(stage.merging());
  apply(*store, [&] { stage.complete(); });
  REQUIRE(stage.merging());
  CHECK(stage.merging()->page == 1);
  CHECK(stage.merging()->key.empty());
  CHECK_THROWS_AS(stage.begin(), InvariantBroken);
  CHECK_THROWS_AS((void)stage.put(hash128("two"), "two"), InvariantBroken);
  apply(*store, [&] { stage.advance({1, Bytes("k\0y", 3)}); });

  SnapshotStage next(store->handle());  // another life
  REQUIRE(next.merging());
  CHECK(next.merging()->page == 1);
  CHECK(next.merging()->key == Bytes("k\0y", 3));
  CHECK(next.listed() == 2);
  apply(*store, [&] { next.clear(); });
  CHECK_FALSE(next.merging());
  CHECK(next.listed() == 0);
  CHECK(next.kept().empty());
  CHECK(number(*store, "SELECT count(*) FROM sync_snapshot") == 0);
  CHECK(number(*store, "SELECT count(*) FROM sync_checkpoint") == 0);
}

TEST_CASE("SnapshotStage: a rollback takes pages, list and cursor back") {
  const std::unique_ptr<Store> store = open_store();
  SnapshotStage& stage = store->snapshot();
  apply(*store, [&] { stage.begin(); });
  const Hash128 head = put(*store, "head");
  store->begin(TransactionKind::apply);
  CHECK(stage.put(hash128("one"), "one"));
  stage.complete();
  store->rollback();
  CHECK_FALSE(stage.merging());
  CHECK(stage.listed() == 1);
  CHECK(stage.kept() == std::vector{head});
  apply(*store, [&] { CHECK(stage.put(hash128("other"), "other")); });
  CHECK(stage.page(1) == "other");
}

}  // namespace starling
