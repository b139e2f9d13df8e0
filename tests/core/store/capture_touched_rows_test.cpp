#include <doctest/doctest.h>

#include <algorithm>

#include "core/base/prng.h"
#include "core/store/touched_rows.h"

using namespace starling;

namespace {

Bytes key_of(std::uint64_t n) {
  ByteWriter w;
  w.be64(Prng(n).next());
  return w.take();
}

}  // namespace

TEST_CASE("TouchedRows: every key is found again and none is taken for another, also where hashes are equal") {
  constexpr std::size_t kRows = 200'000;  // among so many, some pairs share all 32 bits of the hash
  TouchedRows rows;
  std::size_t wrong = 0;
  for (int round = 0; round < 2; ++round) {
    for (std::size_t i = 0; i < kRows; ++i) {
      const TouchedRows::Found found = rows.touch(0, key_of(i));
      wrong += found.row == i && found.first == (round == 0) ? 0 : 1;
    }
  }
  CHECK(wrong == 0);
  REQUIRE(rows.size() == kRows);

  std::vector<std::uint32_t> hashes;
  for (std::size_t i = 0; i < kRows; ++i) {
    wrong += rows.bytes(rows[i].key) == key_of(i) ? 0 : 1;
    hashes.push_back(rows[i].hash);
  }
  CHECK(wrong == 0);
  std::sort(hashes.begin(), hashes.end());
  CHECK(std::adjacent_find(hashes.begin(), hashes.end()) != hashes.end());

  rows.clear();
  CHECK(rows.size() == 0);
  CHECK(rows.touch(0, key_of(7)).first);
}

TEST_CASE("TouchedRows: one key in two models is two rows; keys of any length") {
  TouchedRows rows;
  for (const BytesView key :
       {BytesView("", 0), BytesView("\0", 1), BytesView("\0\0", 2), BytesView("12345678"), BytesView("12345678\0", 9),
        BytesView("1234567890123456"), BytesView("1234567890123457")}) {
    CHECK(rows.touch(0, key).first);
    CHECK(rows.touch(1, key).first);
    CHECK_FALSE(rows.touch(0, key).first);
  }
  CHECK(rows.size() == 14);
}
