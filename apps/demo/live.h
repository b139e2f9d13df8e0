// Measures single live changes: from the commit on one device until a reader of the other's database sees it.
//
// One change at a time, with a pause, so that each travels alone. The start is the moment at which the commit had
// returned in the writing daemon, which its answer carries (both processes read the machine's monotonic clock). The end
// is the first query of a read-only connection to the other daemon's database file that finds the value: nothing of the
// receiving daemon is asked. Between two queries lie 50 µs. Half of the changes go each way.
#pragma once

#include <vector>

#include "apps/demo/device.h"

namespace starling::demo {

struct Latencies {
  std::vector<double> ms;  // sorted

  [[nodiscard]] double percentile(double p) const;
};

[[nodiscard]] Latencies measure_live(Device& a, Device& b, std::size_t changes);

}  // namespace starling::demo
