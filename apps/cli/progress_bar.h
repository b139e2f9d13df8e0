// Shows how far an index run is, on standard error.
//
// On a terminal one line that is drawn over again, elsewhere a plain line every few seconds: a log must not be filled
// with carriage returns.
#pragma once

#include <chrono>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace starling::apps {

class ProgressBar {
 public:
  explicit ProgressBar(std::string label);  // "Indexing /usr/share"
  ~ProgressBar();                           // clears the line
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void show(const nlohmann::json& progress);  // the "progress" of an index request

 private:
  using Clock = std::chrono::steady_clock;

  const std::string label_;
  const bool terminal_;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point shown_ = start_;
  bool drawn_ = false;
};

}  // namespace starling::apps
