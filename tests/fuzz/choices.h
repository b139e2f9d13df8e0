// Bytes as choices: whoever makes a message of them asks one thing after the other, and small changes of the bytes make
// small changes of the message. When they have run out, all answers are zero.
#pragma once

#include <algorithm>

#include "core/base/bytes.h"

namespace starling::fuzz {

class Choices {
 public:
  explicit Choices(BytesView from) : left_(from) {}

  [[nodiscard]] std::uint64_t number(std::size_t bytes = 8) {
    std::uint64_t n = 0;
    for (const char c : take(bytes)) n = n << 8 | static_cast<std::uint8_t>(c);
    return n;
  }
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return number(bound <= 256 ? 1 : 8) % bound; }
  [[nodiscard]] bool flip() { return below(2) == 1; }
  [[nodiscard]] bool more() { return !left_.empty() && below(8) != 0; }  // whether a list goes on
  [[nodiscard]] Bytes bytes(std::size_t least, std::size_t most) {
    const auto length = std::max<std::size_t>(least, static_cast<std::size_t>(number(most < 256 ? 1 : 2)) % (most + 1));
    Bytes b(take(length));
    b.resize(std::max(least, b.size()));
    return b;
  }
  template <class Id>
  [[nodiscard]] Id id() {
    Bytes b(take(16));
    b.resize(16);
    return Id::from(b);
  }

 private:
  BytesView take(std::size_t n) {
    const BytesView taken = left_.substr(0, n);
    left_.remove_prefix(taken.size());
    return taken;
  }

  BytesView left_;
};

}  // namespace starling::fuzz
