// Hundreds of random runs. One that fails prints its seed and how to see it again.
//
//   STARLING_SIM_SEED=17 test_sim -tc='Random*'                         one run
//   STARLING_SIM_FIRST=1000 STARLING_SIM_SEEDS=5000 test_sim -tc='Random*'   many
#include <doctest/doctest.h>

#include <cstdlib>
#include <exception>

#include "tests/sim/workload.h"

namespace starling::sim {
namespace {

constexpr std::uint64_t kSeeds = 250;

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

std::vector<std::string> complaints_of(std::uint64_t seed, Workload::Tally& sum) {
  try {
    Workload workload(seed);
    std::vector<std::string> complaints = workload.run();
    sum.add(workload.tally());
    return complaints;
  } catch (const std::exception& e) {
    return {std::string("threw: ") + e.what()};
  }
}

}  // namespace

TEST_CASE("Random workloads: whatever happens, in the end all devices show the reference merge, and nothing was lost") {
  const std::uint64_t one = from_environment("STARLING_SIM_SEED", 0);
  const std::uint64_t first = one != 0 ? one : from_environment("STARLING_SIM_FIRST", 1);
  const std::uint64_t count = one != 0 ? 1 : from_environment("STARLING_SIM_SEEDS", kSeeds);
  Workload::Tally sum;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    const std::vector<std::string> complaints = complaints_of(seed, sum);
    if (complaints.empty()) continue;
    std::string text = "seed " + std::to_string(seed);
    for (const std::string& complaint : complaints) text += "\n  " + complaint;
    FAIL_CHECK(text << "\nsee it again: STARLING_SIM_SEED=" << seed << " test_sim -tc='Random workloads*'");
  }
  MESSAGE(count << " seeds: " << sum.commits << " commits, " << sum.refused << " refused, " << sum.crashes << " crashes, "
                << sum.power_cuts << " power cuts, " << sum.breaks << " changes of links, " << sum.replays << " replays, " << sum.wipes
                << " lost disks, " << sum.conflicts << " conflicts, " << sum.clock_waits << " waits for a clock, " << sum.held_rows
                << " refused rows");
  if (count < kSeeds) return;
  for (const std::uint64_t rare : {sum.crashes, sum.power_cuts, sum.replays, sum.wipes, sum.conflicts, sum.clock_waits, sum.held_rows})
    CHECK(rare > 0);  // else the mixture has lost its bite
}

TEST_CASE("A random run: the same seed gives the same run") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    Workload first(seed);
    Workload second(seed);
    CHECK(first.run() == second.run());
    CHECK(first.trace() == second.trace());
  }
}

}  // namespace starling::sim
