// Measuring on a shared and noisy machine: interleaved rounds, ratios within a round, medians over rounds.
//
// A figure alone says little here; what we keep is the ratio of a subject to its floor (plain SQLite doing the same
// work) measured right after each other.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <unistd.h>

namespace starling::bench {

inline double seconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// A folder that is gone at the end.
class TempFolder {
 public:
  TempFolder() : path_(std::filesystem::temp_directory_path() / ("starling-bench-" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  // A file name that was never given before.
  [[nodiscard]] std::string fresh(const std::string& name) { return (path_ / (name + std::to_string(++count_) + ".db")).string(); }

 private:
  std::filesystem::path path_;
  int count_ = 0;
};

struct Line {
  std::string name;
  double aim;  // ratio to the floor that the project wants at least
  std::size_t operations;
  std::function<double()> floor, subject;  // seconds for all operations
};

inline void run(const std::vector<Line>& lines, int rounds) {
  std::printf("%-34s %12s %12s %8s %8s\n", "", "plain /s", "starling /s", "ratio", "aim");
  for (const Line& line : lines) {
    std::vector<double> floors, subjects, ratios;
    for (int round = 0; round < rounds; ++round) {
      const double floor = line.floor();
      const double subject = line.subject();
      floors.push_back(static_cast<double>(line.operations) / floor);
      subjects.push_back(static_cast<double>(line.operations) / subject);
      ratios.push_back(floor / subject);
    }
    std::printf("%-34s %12.0f %12.0f %8.2f %8.2f\n", line.name.c_str(), median(floors), median(subjects), median(ratios), line.aim);
    std::fflush(stdout);
  }
}

}  // namespace starling::bench
