#include "core/base/prng.h"

#include <doctest/doctest.h>

#include <array>

using namespace starling;

TEST_CASE("Prng: gives the published sequence of splitmix64") {
  Prng zero(0);
  CHECK(zero.next() == 0xe220a8397b1dcdaf);
  CHECK(zero.next() == 0x6e789e6aa1b965f4);
  CHECK(zero.next() == 0x06c45d188009454f);
  Prng other(1234567);
  for (const std::uint64_t v : {6457827717110365317U, 3203168211198807973U, 9817491932198370423U, 4593380528125082431U,
                                16408922859458223821U}) {
    CHECK(other.next() == v);
  }
}

TEST_CASE("Prng: below() stays below its bound and reaches every value") {
  Prng random(8);
  std::array<int, 7> seen{};
  for (int i = 0; i < 7'000; ++i) ++seen.at(random.below(7));
  for (const int count : seen) CHECK((count > 800 && count < 1'200));
  CHECK(random.below(1) == 0);
}

TEST_CASE("Prng: chance() is a percentage, never at 0 and always at 100") {
  Prng random(9);
  int hits = 0;
  for (int i = 0; i < 10'000; ++i) {
    CHECK_FALSE(random.chance(0));
    CHECK(random.chance(100));
    hits += random.chance(30) ? 1 : 0;
  }
  CHECK((hits > 2'800 && hits < 3'200));
}

TEST_CASE("Prng: a fork is a stream of its own, the same for the same seed") {
  Prng a(10);
  Prng b(10);
  Prng child_a = a.fork();
  Prng child_b = b.fork();
  CHECK(child_a.next() == child_b.next());
  CHECK(child_a.next() != a.next());
}
