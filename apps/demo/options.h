// The command line of starling-demo, and what every part of it needs.
#pragma once

#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "core/base/bytes.h"
#include "core/base/expected.h"

namespace starling::demo {

struct Options {
  Bytes folder_a = "/usr/share";
  Bytes folder_b = "/usr/include";
  std::filesystem::path starlingd;  // beside this program, unless given
  std::filesystem::path starling;
  std::size_t live_changes = 200;   // measured one by one at the end
  bool keep = false;                // leave the data folders there
  bool help = false;
};

[[nodiscard]] Expected<Options> parse_options(int count, const char* const* words);
extern const char* const kHelp;

// The demo has one way to react to an error: to stop and say it. must() turns an Error into this exception.
class Failed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

template <class T>
T must(Expected<T> result) {
  if (!result) throw Failed(result.error().text());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

using Clock = std::chrono::steady_clock;
[[nodiscard]] inline double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace starling::demo
