#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "core/causal/hlc.h"
#include "tests/property.h"

using namespace starling;

namespace {

constexpr std::int64_t kNoon = 1'700'000'000'000;
constexpr std::int64_t kMsMax = (std::int64_t{1} << 48) - 1;

// Something that happens to a clock: it issues a stamp, or sees one of somebody else.
struct Step {
  bool tick = true;
  std::int64_t wall = 0;
  Hlc remote;
};

void showValue(const Step& step, std::ostream& out) {
  if (step.tick) {
    out << "tick at " << step.wall;
  } else {
    out << "observe " << step.remote.ms() << '+' << step.remote.counter() << " at " << step.wall;
  }
}

// Around noon most of the time, so that clocks meet; now and then anything that a machine may claim.
rc::Gen<std::int64_t> any_wall() {
  return rc::gen::weightedOneOf<std::int64_t>(
      {{8, rc::gen::map(rc::gen::inRange<std::int64_t>(-20, 20), [](std::int64_t off) { return kNoon + off; })},
       {2, rc::gen::map(rc::gen::inRange<std::int64_t>(-2, 3),
                        [](std::int64_t off) { return kNoon + off + limits::kDriftMaxMs; })},
       {1, rc::gen::arbitrary<std::int64_t>()}});
}

rc::Gen<Hlc> any_stamp() {
  const auto counter = rc::gen::weightedOneOf<std::uint64_t>(
      {{5, rc::gen::inRange<std::uint64_t>(0, 4)},
       {2, rc::gen::inRange<std::uint64_t>(Hlc::kCounterMax - 3, Hlc::kCounterMax + 1)}});
  return rc::gen::apply(
      [](std::int64_t ms, std::uint64_t c) { return Hlc::of(std::clamp<std::int64_t>(ms, 0, kMsMax - 1), c); },
      any_wall(), counter);
}

rc::Gen<Step> any_step() {
  return rc::gen::apply(
      [](bool tick, std::int64_t wall, Hlc remote) {
        return Step{tick, wall, remote};
      },
      rc::gen::arbitrary<bool>(), any_wall(), any_stamp());
}

rc::Gen<std::vector<Step>> any_steps() { return rc::gen::container<std::vector<Step>>(any_step()); }

}  // namespace

namespace rc {
template <>
struct Arbitrary<Step> {
  static Gen<Step> arbitrary() { return any_step(); }
};
}  // namespace rc

TEST_SUITE_BEGIN("property");

// The twin keeps every stamp that the clock ever issued or observed.
TEST_CASE("HlcClock: a stamp is the wall time, or the successor of the greatest stamp ever met") {
  property(10'000, [](const std::vector<Step>& steps) {
    HlcClock clock;
    std::vector<std::uint64_t> met{0};
    for (const Step& step : steps) {
      if (step.tick) {
        const std::uint64_t greatest = *std::max_element(met.begin(), met.end());
        const std::uint64_t wall = Hlc::of(std::clamp<std::int64_t>(step.wall, 0, kMsMax), 0).packed;
        if (greatest == std::numeric_limits<std::uint64_t>::max()) return;
        const Hlc issued = clock.tick(WallTime{step.wall});
        RC_ASSERT(issued.packed == std::max(greatest + 1, wall));
        met.push_back(issued.packed);
      } else {
        clock.observe(step.remote);
        met.push_back(step.remote.packed);
      }
      RC_ASSERT(clock.last().packed == *std::max_element(met.begin(), met.end()));
    }
  });
}

TEST_CASE("HlcClock: one that is made anew from its last stamp goes on as if nothing had happened") {
  property(5'000, [](const std::vector<Step>& before) {
    const WallTime wall{*any_wall()};
    HlcClock clock;
    for (const Step& step : before) step.tick ? (void)clock.tick(WallTime{step.wall}) : clock.observe(step.remote);
    HlcClock restarted(clock.last());
    RC_ASSERT(restarted.tick(wall) == clock.tick(wall));
  });
}

TEST_CASE("HlcClock: acceptable is what lies at most the drift limit ahead, and acceptable_at is when it becomes so") {
  property(20'000, [] {
    const Hlc remote = *any_stamp();
    const WallTime wall{*any_wall()};
    RC_ASSERT(HlcClock::acceptable(remote, wall) == (wall.ms >= remote.ms() - limits::kDriftMaxMs));
    const WallTime when = HlcClock::acceptable_at(remote);
    RC_ASSERT(HlcClock::acceptable(remote, when));
    RC_ASSERT(!HlcClock::acceptable(remote, WallTime{when.ms - 1}));
  });
}

// Promise 7: whatever peers claim, a clock that only takes what is acceptable is no further ahead of the latest time
// that its own wall clock showed than the limit, and the millisecond that a full counter may carry into.
TEST_CASE("HlcClock: who observes only acceptable stamps is never led further ahead than the drift limit") {
  property(10'000, [] {
    HlcClock clock;
    std::int64_t latest = 0;
    for (const Step& step : *any_steps()) {
      latest = std::max(latest, std::clamp<std::int64_t>(step.wall, 0, kMsMax));
      if (step.tick) {
        (void)clock.tick(WallTime{step.wall});
      } else if (HlcClock::acceptable(step.remote, WallTime{step.wall})) {
        clock.observe(step.remote);
      }
      RC_ASSERT(clock.last().ms() <= latest + limits::kDriftMaxMs + 1);
    }
  });
}

TEST_SUITE_END();
