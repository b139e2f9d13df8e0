// Back-off: how long to wait before the next try.
//
// Capped exponential with full jitter: the window doubles with each failure in a row up to a cap, and the delay is
// drawn evenly from the whole window. Devices that lost the same network or the same peer then come back spread out,
// not in waves. Pure: chance is an argument.
#pragma once

#include <algorithm>

#include "core/base/limits.h"
#include "core/base/prng.h"
#include "core/base/time.h"

namespace starling {

// The longest delay after so many failures in a row (0 counts as 1).
[[nodiscard]] inline Duration backoff_window(unsigned failures) {
  const Duration first = limits::kBackoffFirst, cap = limits::kBackoffCap;
  const unsigned doublings = std::min(failures > 0 ? failures - 1 : 0U, 20U);  // 2^20 windows exceed any cap
  return std::min(cap, first * (std::int64_t{1} << doublings));
}

[[nodiscard]] inline Duration backoff_delay(unsigned failures, Prng& prng) {
  const auto window = static_cast<std::uint64_t>(backoff_window(failures).count());
  return Duration(static_cast<std::int64_t>(prng.below(window + 1)));
}

}  // namespace starling
