#include "core/base/limits.h"
#include "tests/core/store/open_store.h"

namespace starling {

TEST_CASE("ConflictLog: keeps what lost with both stamps, and says what it was") {
  const std::unique_ptr<Store> store = open_store();
  const Bytes value = typed_bytes({ValueView::text("lost")});
  apply(*store, [&] {
    store->conflicts().add({"note", "key", "title", "update", stamp(9, 2), stamp(8, 3), value}, kNow);
    store->conflicts().add({"note", "key", "", "delete", stamp(9, 2), stamp(8, 3), {}}, kNow);
  });
  CHECK(store->conflicts().total() == 2);
  CHECK(number(*store, "SELECT count(*) FROM sync_conflict WHERE id=1 AND at_ms=1700000000000 AND model='note' AND field='title'"
                       " AND why='update' AND winner_hlc=9 AND loser_hlc=8 AND value IS NOT NULL") == 1);
  CHECK(number(*store, "SELECT count(*) FROM sync_conflict WHERE id=2 AND field IS NULL AND value IS NULL") == 1);
}

TEST_CASE("ConflictLog: is a ring of bounded length that counts what it lets go") {
  const std::unique_ptr<Store> store = open_store();
  apply(*store, [&] {
    for (std::size_t i = 0; i < limits::kConflictRing + 5; ++i)
      store->conflicts().add({"note", "key", "title", "update", {}, {}, {}}, kNow);
  });
  CHECK(store->conflicts().total() == limits::kConflictRing + 5);
  CHECK(number(*store, "SELECT count(*) FROM sync_conflict") == static_cast<std::int64_t>(limits::kConflictRing));
  CHECK(number(*store, "SELECT min(id) FROM sync_conflict") == 6);
}

}  // namespace starling
