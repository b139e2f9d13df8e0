#include "tests/property.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <random>
#include <sstream>
#include <string>

namespace starling {
namespace {

constexpr std::uint64_t kSeed = 20251;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// One for the whole program, so that it can be told.
std::uint64_t seed() {
  static const std::uint64_t chosen = []() -> std::uint64_t {
    const std::string asked = environment("STARLING_SEED");
    if (asked == "random") return std::random_device{}();
    return asked.empty() ? kSeed : std::stoull(asked);
  }();
  return chosen;
}

int times() {
  const std::string asked = environment("STARLING_RUNS");
  return asked.empty() ? 1 : std::max(1, std::stoi(asked));
}

std::string replay_line(const std::string& test) {
  std::string pattern = test;
  std::replace(pattern.begin(), pattern.end(), ',', '?');  // to doctest a comma ends the pattern
  std::ostringstream line;
  line << "STARLING_SEED=" << seed() << " STARLING_RUNS=" << times() << ' ' << program_invocation_name << " -tc='"
       << pattern << '\'';
  return line.str();
}

// rapidcheck's own would print the seed of every run, and read another variable for it.
struct Quiet final : rc::detail::TestListener {
  void onTestCaseFinished(const rc::detail::CaseDescription&) override {}
  void onShrinkTried(const rc::detail::CaseDescription&, bool) override {}
  void onTestFinished(const rc::detail::TestMetadata&, const rc::detail::TestResult&) override {}
};

}  // namespace

void check_property(const rc::detail::Property& property, int runs) {
  const std::string test = doctest::getContextOptions()->currentTest->m_name;
  rc::detail::TestParams params;
  params.seed = seed();
  params.maxSuccess = runs * times();
  Quiet quiet;
  const rc::detail::TestResult result = rc::detail::checkProperty(property, {test, test}, params, quiet, {});
  std::ostringstream said;
  rc::detail::printResultMessage(result, said);
  INFO("replay it with\n  ", replay_line(test), "\n", said.str());
  CHECK(result.is<rc::detail::SuccessResult>());
}

}  // namespace starling
