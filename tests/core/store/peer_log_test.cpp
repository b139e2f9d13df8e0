#include <SQLiteCpp/Exception.h>

#include "tests/core/store/open_store.h"

namespace starling {

TEST_CASE("PeerLog: gives back the bytes as they were, in order, from after a position, until they are many") {
  const std::unique_ptr<Store> store = open_store();
  PeerLog& log = store->log();
  apply(*store, [&] {
    for (std::uint64_t seq = 1; seq <= 5; ++seq) log.append(7, Seq{seq}, Bytes(10, static_cast<char>('0' + seq)));
    log.append(8, Seq{1}, Bytes("\0\xff", 2));
  });
  CHECK(log.read(7, Seq{0}, 1000).size() == 5);
  CHECK(log.read(7, Seq{3}, 1000) == std::vector<Bytes>{Bytes(10, '4'), Bytes(10, '5')});
  CHECK(log.read(7, Seq{0}, 20).size() == 2);
  CHECK(log.read(7, Seq{0}, 29).size() == 2);
  CHECK(log.read(7, Seq{0}, 1).size() == 1);  // at least one
  CHECK(log.read(7, Seq{5}, 1000).empty());
  CHECK(log.read(9, Seq{0}, 1000).empty());
  CHECK(log.find(8, Seq{1}) == Bytes("\0\xff", 2));
  CHECK(log.find(8, Seq{2}) == std::nullopt);
}

TEST_CASE("PeerLog: a place in a log is written once") {
  const std::unique_ptr<Store> store = open_store();
  apply(*store, [&] {
    store->log().append(7, Seq{1}, "one");
    CHECK_THROWS_AS(store->log().append(7, Seq{1}, "another"), SQLite::Exception);
  });
  CHECK(store->log().find(7, Seq{1}) == "one");
}

}  // namespace starling
