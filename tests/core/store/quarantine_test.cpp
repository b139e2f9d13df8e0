#include "tests/core/store/open_store.h"

namespace starling {

TEST_CASE("Quarantine: keeps one row for each key and owner, the latest, with its reason") {
  const std::unique_ptr<Store> store = open_store();
  Quarantine& quarantine = store->quarantine();
  apply(*store, [&] {
    quarantine.put("file", "k", 7, Rev{1}, "first", false, "row");
    quarantine.put("file", "k", 7, Rev{2}, "second", true, "");
    quarantine.put("file", "k", 8, Rev{1}, "other owner", false, "row");
    quarantine.put("file", "l", 7, Rev{1}, "other key", false, "row");
  });
  CHECK(quarantine.count() == 3);
  CHECK(number(*store, "SELECT count(*) FROM sync_quarantine WHERE origin=7 AND rev=2 AND why='second' AND deleted=1") == 1);
}

}  // namespace starling
