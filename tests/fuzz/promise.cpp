#include "tests/fuzz/promise.h"

#include <stdexcept>
#include <string>

namespace starling::fuzz {
namespace {

// libFuzzer takes what is set here for coverage: an input that holds more memory for its size than all before is kept,
// and grown from.
constexpr std::size_t kSteps = 32;
__attribute__((section("__libfuzzer_extra_counters"), used)) std::uint8_t reached[kSteps];

}  // namespace

void promise(bool kept, const char* what) {
  if (!kept) throw std::logic_error(what);
}

void promise_refusal(const Error& error) {
  promise(error.code == Errc::corrupt || error.code == Errc::schema || error.code == Errc::too_large,
          "a strange refusal");
  promise(error.what.find("invariant broken") == std::string::npos, "a bug that passes for a refusal");
}

void promise_memory(std::size_t peak, std::size_t most) {
  const std::size_t allowed = kFixedMemory + most;
  if (peak > allowed) {
    throw std::logic_error("it held " + std::to_string(peak) + " bytes, where " + std::to_string(allowed) +
                           " are allowed");
  }
  reached[peak * (kSteps - 1) / allowed] = 1;
}

}  // namespace starling::fuzz
