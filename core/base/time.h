// Time as the core knows it: an argument, never a call.
//
// The core has no clock. Whoever drives it passes Now; the simulator passes what it likes. MonoTime only ever grows
// and orders deadlines; WallTime is what people call the time, may jump either way, and feeds the hybrid logical
// clock. An Hlc is a wall time in milliseconds (48 bits) and a counter (16 bits) in one integer, so that stamps
// compare as integers.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>

namespace starling {

using Duration = std::chrono::microseconds;

struct MonoClockTag {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonoClockTag>;
  static constexpr bool is_steady = true;
};
using MonoTime = MonoClockTag::time_point;

struct WallTime {
  std::int64_t ms = 0;  // milliseconds since 1970-01-01 UTC
  friend constexpr auto operator<=>(WallTime, WallTime) = default;
};

struct Now {
  MonoTime mono;
  WallTime wall;
};

// A hybrid logical clock reading (Kulkarni et al. 2014, "Logical Physical Clocks"). Zero is the stamp of seeds.
struct Hlc {
  std::uint64_t packed = 0;

  static constexpr unsigned kCounterBits = 16;
  static constexpr std::uint64_t kCounterMax = (1U << kCounterBits) - 1;

  [[nodiscard]] static constexpr Hlc of(std::int64_t ms, std::uint64_t counter) {
    return Hlc{(static_cast<std::uint64_t>(ms) << kCounterBits) | counter};
  }
  [[nodiscard]] constexpr std::int64_t ms() const { return static_cast<std::int64_t>(packed >> kCounterBits); }
  [[nodiscard]] constexpr std::uint64_t counter() const { return packed & kCounterMax; }

  friend constexpr auto operator<=>(Hlc, Hlc) = default;
};

}  // namespace starling
