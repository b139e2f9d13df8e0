// Makes a failing scenario small: leaves out whatever it fails without.
//
// Halves, quarters, … down to single actions, then single edits of a transaction, then the core, the devices that nobody
// names any more, and the time that is left over (Zeller and Hildebrandt 2002, "Simplifying and Isolating Failure-Inducing
// Input"). What counts as the same failure is the caller's to say.
#pragma once

#include <functional>

#include "tests/sim/scenario.h"

namespace starling::sim {

using StillFails = std::function<bool(const Scenario&)>;

[[nodiscard]] Scenario shrink(Scenario, const StillFails&);

// The first complaint without its names and numbers: what two failures have in common.
[[nodiscard]] std::string kind_of(const std::vector<std::string>& complaints);

}  // namespace starling::sim
