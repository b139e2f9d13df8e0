#include "tests/sim/sweep.h"

namespace starling::sim {
namespace {

// The same scenario, in which whoever is down is started whenever something happens.
Scenario with_starts(const Scenario& scenario) {
  Scenario with = scenario;
  with.actions.clear();
  for (const Action& action : scenario.actions) {
    for (std::size_t i = 0; i < scenario.devices; ++i) with.actions.push_back({action.at, Verb::start, i, 0, {}, {}});
    with.actions.push_back(action);
  }
  return with;
}

std::string describe(const Doom& doom) {
  return device_name(doom.device) + " died in operation " + std::to_string(doom.operation) + " of its disk" +
         (doom.power ? ", the power gone (" + std::to_string(*doom.power) + ")" : "");
}

}  // namespace

SweepResult sweep(const Scenario& scenario, unsigned power_cuts, std::uint64_t part, std::uint64_t parts) {
  SweepResult result;
  const Scenario with = with_starts(scenario);
  World undisturbed(with);
  result.complaints = undisturbed.run();
  for (std::size_t device = 0; device < scenario.devices && result.complaints.empty(); ++device) {
    const std::uint64_t operations = undisturbed.operations(device);
    for (std::uint64_t at = 1 + part; at <= operations; at += parts) {
      ++result.points;
      for (unsigned draw = 0; draw <= power_cuts; ++draw) {
        Doom doom{device, at, {}};
        if (draw > 0) doom.power = at * 1000 + draw;
        World world(with, doom);
        ++result.runs;
        result.complaints = world.run();
        if (result.complaints.empty()) continue;
        result.complaints.push_back(describe(doom));
        return result;
      }
    }
  }
  return result;
}

}  // namespace starling::sim
