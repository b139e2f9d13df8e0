#include <SQLiteCpp/Exception.h>

#include "core/base/limits.h"
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

TEST_CASE("PeerLog: an entry beyond a part is kept in parts, and is read piece by piece or whole") {
  const std::unique_ptr<Store> store = open_store();
  PeerLog& log = store->log();
  Prng prng(1);
  Bytes large(2 * limits::kPartMax + 10, ' ');
  for (char& c : large) c = static_cast<char>(prng.next());
  const Bytes full(limits::kPartMax, 'f');
  apply(*store, [&] {
    log.append(7, Seq{1}, "one");
    log.append(7, Seq{2}, large);
    log.append(7, Seq{3}, full);
    log.append(7, Seq{4}, full + "+");
    log.append(7, Seq{5}, "five");
  });
  CHECK(log.read(7, Seq{0}, 100 * limits::MiB) == std::vector<Bytes>{"one"});
  CHECK(log.read(7, Seq{1}, limits::kPageTarget).empty());  // in parts
  CHECK(log.read(7, Seq{2}, limits::kPageTarget) == std::vector<Bytes>{full});
  CHECK(log.read(7, Seq{2}, limits::kPageTarget + 1) == std::vector<Bytes>{full});
  CHECK(log.read(7, Seq{3}, limits::kPageTarget).empty());
  CHECK(log.read(7, Seq{4}, 1) == std::vector<Bytes>{"five"});
  CHECK(log.find(7, Seq{2}) == large);
  CHECK(log.find(7, Seq{4}) == full + "+");
  CHECK(log.size(7, Seq{2}) == large.size());
  CHECK(log.size(7, Seq{5}) == 4);
  CHECK(log.size(7, Seq{6}) == 0);
  Bytes together;
  while (together.size() < large.size()) together += log.part(7, Seq{2}, together.size());
  CHECK(together == large);
  CHECK(log.part(7, Seq{2}, limits::kPartMax + 3) == large.substr(limits::kPartMax + 3, limits::kPartMax - 3));
  CHECK(log.part(7, Seq{2}, large.size()).empty());
  CHECK(log.part(7, Seq{6}, 0).empty());
}

}  // namespace starling
