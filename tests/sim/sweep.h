// The exhaustive crash sweep: one scenario, run again and again, each time with one device dying one disk operation later.
//
// Every operation that changes something on a disk is a point at which a process can die; a death before a read is the
// same as one after the operation before it. At each point the process dies once by itself, and some times because the
// power goes, with another draw of what survives. Then the device is started again at the next moment at which the scenario does
// something, and everything must hold as in any run.
#pragma once

#include "tests/sim/world.h"

namespace starling::sim {

struct SweepResult {
  std::uint64_t points = 0;
  std::uint64_t runs = 0;
  std::vector<std::string> complaints;  // of the first run that has any
};

// `part` of `parts`: every so-manieth point, so that several processes can share the work.
[[nodiscard]] SweepResult sweep(const Scenario&, unsigned power_cuts, std::uint64_t part = 0, std::uint64_t parts = 1);

}  // namespace starling::sim
