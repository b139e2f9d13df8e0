#include "tests/core/store/open_store.h"

namespace starling {

TEST_CASE("OriginTable: an origin keeps its ordinal, and positions come back from the disk as they were flushed") {
  const std::unique_ptr<Store> store = open_store();
  OriginTable& origins = store->origins();
  VersionVector seen;
  seen.advance_seq(origin(3), Seq{4}, Hlc{5});
  Hash128 hash;
  hash.raw[0] = 9;
  Ordinal ordinal = 0;
  apply(*store, [&] {
    ordinal = origins.ordinal(origin(2));
    CHECK(origins.ordinal(origin(2)) == ordinal);
    CHECK(origins.ordinal(origin(3)) != ordinal);
    origins.advance_rev(ordinal, Rev{~0ULL >> 1});
    origins.advance_seq(ordinal, Seq{7}, Hlc{~0ULL}, hash, seen);
  });
  const VersionVector before = origins.vector();
  origins.reload();
  CHECK(origins.vector() == before);
  CHECK(origins.find(origin(2)) == ordinal);
  CHECK(origins.origin(ordinal) == origin(2));
  CHECK(origins.position(ordinal) == Position{Rev{~0ULL >> 1}, Seq{7}, Hlc{~0ULL}});
  CHECK(origins.last_hash(ordinal) == hash);
  CHECK(origins.seen(ordinal) == seen);
  CHECK(origins.find(origin(9)) == std::nullopt);
}

TEST_CASE("OriginTable: after a rollback it says what the disk says, and gives an ordinal that was taken back again") {
  const std::unique_ptr<Store> store = open_store();
  OriginTable& origins = store->origins();
  const VersionVector before = origins.vector();
  store->begin(TransactionKind::apply);
  const Ordinal first = origins.ordinal(origin(2));
  origins.advance_rev(first, Rev{5});
  store->rollback();
  CHECK(origins.vector() == before);
  CHECK(origins.find(origin(2)) == std::nullopt);
  apply(*store, [&] {
    const Ordinal again = origins.ordinal(origin(4));
    CHECK(again == first);
    origins.advance_rev(again, Rev{1});
  });
  origins.reload();
  CHECK(origins.vector().at(origin(4)).rev == Rev{1});
}

TEST_CASE("OriginTable: knows every life of a device, in the order of their births") {
  const std::unique_ptr<Store> store = open_store();
  apply(*store, [&] {
    for (const std::uint64_t birth : {7, 3}) (void)store->origins().ordinal(origin(5, birth));
    (void)store->origins().ordinal(origin(6));
  });
  CHECK(store->origins().of_device(device(5)) == std::vector<Origin>{origin(5, 3), origin(5, 7)});
  CHECK(store->origins().of_device(device(7)).empty());
}

}  // namespace starling
