// Runs seeds in processes of their own, one for each core.
//
// A world that crashes takes its process along and nothing else: that is an outcome like any other, and another process
// takes its place. Seeds are given out one by one, so that no core waits for another.
#pragma once

#include <chrono>
#include <functional>

#include "tests/sim/runner/outcome.h"

namespace starling::sim {

struct FarmPlan {
  std::uint64_t first = 1;
  std::uint64_t count = 1;
  std::chrono::steady_clock::time_point until = std::chrono::steady_clock::time_point::max();  // no seed begins after it
  unsigned workers = 1;
};

using Job = std::function<Outcome(std::uint64_t seed)>;
using Reap = std::function<bool(const Outcome*)>;  // nullptr: a second has passed. False: enough

// Gives outcomes as they come, in no order. A process that is at one seed for longer than kStuck is killed.
inline constexpr auto kStuck = std::chrono::minutes(15);  // a sweep counts as one
void run_farm(const FarmPlan&, const Job&, const Reap&);

// One job in a process of its own.
[[nodiscard]] Outcome run_apart(const std::function<Outcome()>&);

}  // namespace starling::sim
