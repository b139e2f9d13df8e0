#include "tests/sim/shrink.h"

#include <algorithm>
#include <cctype>

namespace starling::sim {
namespace {

// Leaves out runs of `list`, long ones first, as long as `fails` says that it fails without.
template <class T, class Fails>
void leave_out(std::vector<T>& list, const Fails& fails) {
  for (std::size_t size = (list.size() + 1) / 2; size > 0; size = size == 1 ? 0 : (size + 1) / 2) {
    for (std::size_t at = 0; at < list.size();) {
      const auto from = list.begin() + static_cast<std::ptrdiff_t>(at);
      const auto to = list.begin() + static_cast<std::ptrdiff_t>(std::min(at + size, list.size()));
      std::vector<T> less(list.begin(), from);
      less.insert(less.end(), to, list.end());
      if (fails(less)) list = std::move(less);
      else at += size;
    }
  }
}

std::size_t devices_named(const Scenario& scenario) {
  std::size_t most = 1;
  for (const Action& action : scenario.actions) most = std::max({most, action.a, action.b});
  for (const std::size_t device : scenario.core) most = std::max(most, device);
  return most + 1;
}

}  // namespace

Scenario shrink(Scenario scenario, const StillFails& still_fails) {
  const auto try_to = [&](const auto& change) {
    Scenario other = scenario;
    change(other);
    if (other == scenario || !still_fails(other)) return false;
    scenario = std::move(other);
    return true;
  };
  leave_out(scenario.actions, [&](const std::vector<Action>& actions) {
    Scenario other = scenario;
    other.actions = actions;
    return still_fails(other);
  });
  for (std::size_t i = 0; i < scenario.actions.size(); ++i) {
    if (scenario.actions[i].edits.size() < 2) continue;
    leave_out(scenario.actions[i].edits, [&](const std::vector<Edit>& edits) {
      Scenario other = scenario;
      other.actions[i].edits = edits;
      return !edits.empty() && still_fails(other);
    });
  }
  (void)try_to([](Scenario& s) { s.core.clear(); });
  (void)try_to([](Scenario& s) { s.devices = std::min(s.devices, devices_named(s)); });
  (void)try_to([](Scenario& s) { s.lasts = s.actions.empty() ? Duration(0) : s.actions.back().at; });
  return scenario;
}

std::string kind_of(const std::vector<std::string>& complaints) {
  if (complaints.empty()) return {};
  std::string kind;
  for (const char c : complaints.front().substr(0, complaints.front().find('\'')))
    if (std::isdigit(static_cast<unsigned char>(c)) == 0 && std::isupper(static_cast<unsigned char>(c)) == 0) kind += c;
  return kind.substr(0, 40);
}

}  // namespace starling::sim
