#include "tests/sim/scenario.h"

#include <doctest/doctest.h>

#include "tests/sim/draw.h"
#include "tests/sim/expected_failures.h"

namespace starling::sim {
namespace {

std::vector<Action> actions_of(const Scenario& scenario, Stream stream) {
  std::vector<Action> actions;
  for (const Action& action : scenario.actions)
    if (stream_of(action.verb) == stream) actions.push_back(action);
  return actions;
}

std::string first_complaint(std::string_view text) {
  const Expected<Scenario> scenario = Scenario::parse(text);
  return scenario ? "none" : scenario.error().where;
}

}  // namespace

TEST_CASE("Scenario: as text and back it is the same") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const Scenario scenario = draw(seed);
    const Expected<Scenario> again = Scenario::parse(scenario.text());
    REQUIRE(again);
    CHECK(*again == scenario);
  }
}

TEST_CASE("Scenario: a comment and an empty line say nothing") {
  const Expected<Scenario> scenario = Scenario::parse("starling scenario 1\n# why\n\nseed 7\ndevices 3\n1.5 kill C # gone\n");
  REQUIRE(scenario);
  REQUIRE(scenario->actions.size() == 1);
  CHECK(scenario->actions[0] == Action{std::chrono::milliseconds(1500), Verb::kill, 2, 0, {}, {}});
}

TEST_CASE("Scenario: what is wrong is named by its line") {
  const std::string head = "starling scenario 1\nseed 1\ndevices 2\n";
  CHECK(first_complaint(head) == "none");
  CHECK(first_complaint("something else\n") == "line 1");
  for (const char* line : {"1 dance A", "1 kill", "1 kill C", "1 kill a", "x kill A", "-1 kill A", "nan kill A", "1 kill A B", "1 cut A B",
                           "1 cut A B many", "1 write A insert-note 1 2", "1 write A insert-note 1 2 3 ,", "1 write A insert-note -1 2 3",
                           "devices 9", "devices 0", "seed x", "core A Z"}) {
    CAPTURE(line);
    CHECK(first_complaint(head + line + "\n") == "line 4");
  }
  CHECK(first_complaint(head + "2 kill A\n1 start A\n") == "line 5");  // back in time
}

TEST_CASE("Draw: the same seed gives the same scenario, another one another") {
  CHECK(draw(1) == draw(1));
  CHECK_FALSE(draw(1) == draw(2));
}

TEST_CASE("Draw: a stream that is left out moves nothing in the others") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const Scenario all = draw(seed);
    for (std::size_t off = 0; off < kStreams; ++off) {
      DrawOptions options;
      options.without = {Stream{static_cast<std::uint8_t>(off)}};
      const Scenario less = draw(seed, options);
      for (std::size_t i = 0; i < kStreams; ++i) {
        const Stream stream{static_cast<std::uint8_t>(i)};
        CHECK(actions_of(less, stream) == (i == off ? std::vector<Action>() : actions_of(all, stream)));
      }
    }
  }
}

TEST_CASE("Draw: in a thousand seeds every verb strikes, but for those that are expected to fail") {
  std::set<Verb> seen;
  for (std::uint64_t seed = 1; seed <= 1000; ++seed)
    for (const Action& action : draw(seed).actions) seen.insert(action.verb);
  CHECK(seen.size() + kExpectedFaults.size() == kVerbCount);
}

}  // namespace starling::sim
