// What a scenario expects of its cluster, in the words of the test framework. Not part of the world: that runs without one.
#include <doctest/doctest.h>

#include "tests/sim/cluster.h"

namespace starling::sim {

void Cluster::expect_converged() {
  for (const std::string& complaint : complaints()) FAIL_CHECK(complaint);
}

}  // namespace starling::sim
