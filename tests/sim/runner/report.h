// What a run of many seeds says to whoever watches it.
#pragma once

#include <chrono>
#include <string>

#include "tests/sim/runner/outcome.h"

namespace starling::sim {

inline constexpr std::uint64_t kNoEnd = ~std::uint64_t{0};  // seeds: as many as there is time for

class Report {
 public:
  Report(std::uint64_t seeds, unsigned workers);

  void add(const Outcome&);
  void tick();     // shows how far it is: on a terminal always, elsewhere now and then
  void summary();  // what happened to the worlds
  [[nodiscard]] std::vector<std::string> never() const;  // what a thousand runs must reach, and these did not

  [[nodiscard]] std::uint64_t done() const { return done_; }
  [[nodiscard]] double seconds() const;

 private:
  [[nodiscard]] std::string so_far() const;
  static void list(const char* title, const Tally&);

  const std::uint64_t seeds_;
  const unsigned workers_;
  const bool terminal_;
  const std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point shown_;
  std::uint64_t done_ = 0;
  Duration simulated_{0};
  Tally faults_, rare_;
};

}  // namespace starling::sim
