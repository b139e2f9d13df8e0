// Draws a scenario from a seed: how unlucky a few devices can be.
//
// Each stream (scenario.h) is drawn from a generator of its own, so that leaving one out moves nothing in the others. A
// run draws its own mixture first: most kinds of bad luck are absent from most runs, for faults hide each other.
#pragma once

#include <set>

#include "tests/sim/scenario.h"

namespace starling::sim {

struct DrawOptions {
  std::set<Stream> without;
  std::optional<Verb> always;  // this kind of bad luck strikes every run (expected_failures.h)
};

[[nodiscard]] Scenario draw(std::uint64_t seed, const DrawOptions& = {});

}  // namespace starling::sim
