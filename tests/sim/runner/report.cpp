#include "tests/sim/runner/report.h"

#include <unistd.h>

#include <cstdio>

namespace starling::sim {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kPlainLineEvery = 30s;
constexpr std::size_t kWidth = 110;

std::string with_commas(std::uint64_t n) {
  std::string text = std::to_string(n);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, ",");
  return text;
}

}  // namespace

Report::Report(std::uint64_t seeds, unsigned workers)
    : seeds_(seeds), workers_(workers), terminal_(isatty(STDOUT_FILENO) != 0), start_(Clock::now()), shown_(start_) {}

double Report::seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

void Report::add(const Outcome& outcome) {
  ++done_;
  simulated_ += outcome.simulated;
  sim::add(faults_, outcome.faults);
  sim::add(rare_, outcome.rare);
}

std::string Report::so_far() const {
  const double simulated = std::chrono::duration<double>(simulated_).count();
  const double ratio = simulated / std::max(seconds(), 0.001);
  std::array<char, 200> text{};
  const std::string of = done_ < seeds_ && seeds_ < kNoEnd ? " of " + with_commas(seeds_) : "";
  (void)std::snprintf(text.data(), text.size(), "%s%s seeds in %.0f s: %.1f simulated hours, %s times real time, %s on each core",
                      with_commas(done_).c_str(), of.c_str(), seconds(), simulated / 3600, with_commas(static_cast<std::uint64_t>(ratio)).c_str(),
                      with_commas(static_cast<std::uint64_t>(ratio / workers_)).c_str());
  return text.data();
}

void Report::tick() {
  if (!terminal_ && Clock::now() - shown_ < kPlainLineEvery) return;
  shown_ = Clock::now();
  std::printf("%s%s%s", terminal_ ? "\r\033[K" : "", so_far().c_str(), terminal_ ? "" : "\n");
  std::fflush(stdout);
}

void Report::list(const char* title, const Tally& tally) {
  std::string line = title;
  for (const auto& [name, count] : tally) {
    if (count == 0) continue;
    const std::string one = "  " + name + " " + with_commas(count) + ",";
    if (line.size() + one.size() > kWidth) {
      std::printf("%s\n", line.c_str());
      line = "       ";
    }
    line += one;
  }
  if (line.back() == ',') line.pop_back();
  std::printf("%s\n", line.c_str());
}

void Report::summary() {
  std::printf("%s%s\n", terminal_ ? "\r\033[K" : "", so_far().c_str());
  list("faults ", faults_);
  list("reached", rare_);
}

std::vector<std::string> Report::never() const {
  std::vector<std::string> missing;
  const auto look = [&missing](const Tally& tally, const char* name) {
    const auto at = tally.find(name);
    if (at == tally.end() || at->second == 0) missing.emplace_back(name);
  };
  for (const char* state : kRareStates) look(rare_, state);
  for (const char* fault : kFaultsThatMustStrike) look(faults_, fault);
  return missing;
}

}  // namespace starling::sim
