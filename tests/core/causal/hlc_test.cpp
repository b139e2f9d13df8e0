#include "core/causal/hlc.h"

#include <doctest/doctest.h>

#include <limits>

#include "core/base/assert.h"
#include "core/base/prng.h"

using namespace starling;

namespace {

constexpr std::int64_t kNoon = 1'700'000'000'000;

// The rule as published (Kulkarni et al. 2014, figure 5), on a pair (l, c), with our carry where c is full. Observing
// is its receive event less the stamp that event issues.
struct PublishedClock {
  std::int64_t l = 0;
  std::uint64_t c = 0;

  void tick(std::int64_t physical) {
    const std::int64_t before = l;
    if (physical > l) l = physical;
    c = l == before ? c + 1 : 0;
    if (c > 0xffff) {
      ++l;
      c = 0;
    }
  }
  void observe(std::int64_t remote_l, std::uint64_t remote_c) {
    if (remote_l > l) {
      l = remote_l;
      c = remote_c;
    } else if (remote_l == l && remote_c > c) {
      c = remote_c;
    }
  }
};

}  // namespace

TEST_CASE("HlcClock: follows the published rule under random commands") {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Prng random(seed);
    HlcClock clock;
    PublishedClock published;
    std::int64_t wall = 0;
    for (int i = 0; i < 2'000; ++i) {
      const Hlc before = clock.last();
      wall = std::max<std::int64_t>(0, wall + static_cast<std::int64_t>(random.below(10)) - 4);
      if (random.chance(70)) {
        const Hlc issued = clock.tick(WallTime{wall});
        published.tick(wall);
        REQUIRE(issued == clock.last());
        REQUIRE(issued > before);
        REQUIRE(issued >= Hlc::of(wall, 0));
      } else {
        const auto l = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(wall) + 5));
        const std::uint64_t c = random.chance(20) ? 0xffff - random.below(3) : random.below(5);
        clock.observe(Hlc::of(l, c));
        published.observe(l, c);
        REQUIRE(clock.last() >= Hlc::of(l, c));
      }
      REQUIRE(clock.last().ms() == published.l);
      REQUIRE(clock.last().counter() == published.c);
    }
  }
}

TEST_CASE("HlcClock: a tick is later than every stamp observed, and than the high-water mark") {
  HlcClock clock(Hlc::of(kNoon, 7));
  CHECK(clock.last() == Hlc::of(kNoon, 7));
  CHECK(clock.tick(WallTime{kNoon}) == Hlc::of(kNoon, 8));
  clock.observe(Hlc::of(kNoon + 50, 3));
  clock.observe(Hlc::of(kNoon + 10, 9));
  CHECK(clock.tick(WallTime{kNoon + 20}) == Hlc::of(kNoon + 50, 4));
  CHECK(clock.tick(WallTime{kNoon + 51}) == Hlc::of(kNoon + 51, 0));
}

TEST_CASE("HlcClock: goes on above its last stamp when the wall clock steps back, and catches up with it") {
  HlcClock clock;
  CHECK(clock.tick(WallTime{kNoon}) == Hlc::of(kNoon, 0));
  const std::int64_t yesterday = kNoon - 24LL * 60 * 60 * 1000;
  for (std::uint64_t i = 1; i <= 100; ++i) {
    CHECK(clock.tick(WallTime{yesterday + static_cast<std::int64_t>(i)}) == Hlc::of(kNoon, i));
  }
  CHECK(clock.tick(WallTime{kNoon + 1}) == Hlc::of(kNoon + 1, 0));
}

TEST_CASE("HlcClock: a full counter moves the stamp into the next millisecond") {
  HlcClock clock(Hlc::of(kNoon, Hlc::kCounterMax - 1));
  CHECK(clock.tick(WallTime{kNoon}) == Hlc::of(kNoon, Hlc::kCounterMax));
  CHECK(clock.tick(WallTime{kNoon}) == Hlc::of(kNoon + 1, 0));
  CHECK(clock.tick(WallTime{kNoon}) == Hlc::of(kNoon + 1, 1));
  CHECK(clock.tick(WallTime{kNoon + 1}) == Hlc::of(kNoon + 1, 2));
  CHECK(clock.tick(WallTime{kNoon + 2}) == Hlc::of(kNoon + 2, 0));
}

TEST_CASE("HlcClock: 70000 ticks in one millisecond are 70000 ascending stamps") {
  HlcClock clock;
  Hlc last;
  for (int i = 0; i < 70'000; ++i) {
    const Hlc issued = clock.tick(WallTime{kNoon});
    REQUIRE(issued > last);
    last = issued;
  }
  CHECK(last == Hlc::of(kNoon + 1, 70'000 - 65'536 - 1));
}

TEST_CASE("HlcClock: a wall clock outside 48 bits of milliseconds does not wrap, and zero is never issued") {
  HlcClock clock;
  CHECK(clock.tick(WallTime{std::numeric_limits<std::int64_t>::min()}) == Hlc{1});
  CHECK(clock.tick(WallTime{-1}) == Hlc{2});
  CHECK(clock.tick(WallTime{0}) == Hlc{3});
  CHECK(clock.tick(WallTime{std::numeric_limits<std::int64_t>::max()}) == Hlc::of((std::int64_t{1} << 48) - 1, 0));
  HlcClock at_the_end(Hlc{std::numeric_limits<std::uint64_t>::max()});
  CHECK_THROWS_AS((void)at_the_end.tick(WallTime{kNoon}), InvariantBroken);
}

TEST_CASE("HlcClock: a stamp up to the drift limit ahead is acceptable, one beyond it when time has passed") {
  const WallTime wall{kNoon};
  const std::int64_t limit = kNoon + limits::kDriftMaxMs;
  CHECK(HlcClock::acceptable(Hlc{}, wall));
  CHECK(HlcClock::acceptable(Hlc::of(kNoon, 0), wall));
  CHECK(HlcClock::acceptable(Hlc::of(limit, Hlc::kCounterMax), wall));
  CHECK_FALSE(HlcClock::acceptable(Hlc::of(limit + 1, 0), wall));
  CHECK_FALSE(HlcClock::acceptable(Hlc{std::numeric_limits<std::uint64_t>::max()}, wall));

  const Hlc early = Hlc::of(limit + 1'000, 3);
  const WallTime when = HlcClock::acceptable_at(early);
  CHECK(when == WallTime{kNoon + 1'000});
  CHECK(HlcClock::acceptable(early, when));
  CHECK_FALSE(HlcClock::acceptable(early, WallTime{when.ms - 1}));
}
