// What came of one seed.
#pragma once

#include "tests/sim/draw.h"
#include "tests/sim/world.h"

namespace starling::sim {

struct Outcome {
  std::uint64_t seed = 0;
  std::vector<std::string> complaints;
  Duration simulated{0};
  std::uint64_t trace = 0;
  Tally faults, rare;
};

// `twice`: runs it again, and complains if the second run is another.
[[nodiscard]] Outcome run_scenario(const Scenario&, bool twice);
[[nodiscard]] Bytes encode(const Outcome&);
[[nodiscard]] Outcome decode_outcome(BytesView);

void add(Tally& sum, const Tally& more);

}  // namespace starling::sim
