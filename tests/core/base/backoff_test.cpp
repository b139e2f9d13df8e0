#include "core/base/backoff.h"

#include <doctest/doctest.h>

#include <set>

using namespace starling;

TEST_CASE("the back-off window doubles up to the cap and stays there") {
  CHECK(backoff_window(0) == backoff_window(1));
  CHECK(backoff_window(1) == Duration(limits::kBackoffFirst));
  for (unsigned failures = 1; failures < 200; ++failures) {
    const Duration window = backoff_window(failures);
    CHECK(window <= Duration(limits::kBackoffCap));
    CHECK(backoff_window(failures + 1) == std::min(2 * window, Duration(limits::kBackoffCap)));
  }
  CHECK(backoff_window(~0U) == Duration(limits::kBackoffCap));
}

TEST_CASE("a delay is drawn evenly from the whole window") {
  Prng prng(7);
  for (const unsigned failures : {1U, 4U, 9U, 1000U}) {
    const double window = static_cast<double>(backoff_window(failures).count());
    constexpr int kDraws = 20'000;
    int lower_quarter = 0;
    double sum = 0;
    for (int i = 0; i < kDraws; ++i) {
      const double delay = static_cast<double>(backoff_delay(failures, prng).count());
      REQUIRE(delay >= 0);
      REQUIRE(delay <= window);
      sum += delay;
      if (delay < window / 4) ++lower_quarter;
    }
    CHECK(sum / kDraws == doctest::Approx(window / 2).epsilon(0.02));
    CHECK(lower_quarter == doctest::Approx(kDraws / 4).epsilon(0.06));
  }
}

TEST_CASE("fifty devices that lost the same peer come back spread out") {
  std::set<std::int64_t> tenths;  // of a second in which somebody dials
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Prng prng(seed);
    tenths.insert(backoff_delay(6, prng).count() / 100'000);
  }
  CHECK(tenths.size() > 25);
}
