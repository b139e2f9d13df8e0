#include "core/causal/hlc.h"

#include <algorithm>
#include <limits>

#include "core/base/assert.h"
#include "core/base/planted_bug.h"

namespace starling {
namespace {

constexpr std::int64_t kMsMax = (std::int64_t{1} << (64 - Hlc::kCounterBits)) - 1;

// The first stamp of a millisecond. A wall clock before 1970 or beyond 48 bits (an empty battery) must not wrap
// around: it counts as the nearer end.
Hlc first_stamp_of(WallTime wall) { return Hlc::of(std::clamp<std::int64_t>(wall.ms, 0, kMsMax), 0); }

}  // namespace

Hlc HlcClock::tick(WallTime wall) {
  ASSERT(last_.packed != std::numeric_limits<std::uint64_t>::max());
  const Hlc next{last_.packed + 1};  // a full counter carries into the milliseconds: rule 4
  last_ = std::max(next, first_stamp_of(wall));
  return last_;
}

void HlcClock::observe(Hlc remote) { last_ = std::max(last_, remote); }

bool HlcClock::acceptable(Hlc remote, WallTime wall) { return planted(PlantedBug::far_clock_accepted) || acceptable_at(remote) <= wall; }

WallTime HlcClock::acceptable_at(Hlc remote) { return WallTime{remote.ms() - limits::kDriftMaxMs}; }

}  // namespace starling
