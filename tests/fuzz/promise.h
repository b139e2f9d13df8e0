// What every target asserts with: promises, and among them the one about memory.
#pragma once

#include "core/base/expected.h"
#include "core/base/limits.h"
#include "proto/message.h"
#include "tests/proto/samples.h"

namespace starling::fuzz {

void promise(bool kept, const char* what);

// That bytes were refused is the peer's doing, and not a bug that a decoder caught along with it.
void promise_refusal(const Error&);

// That so many bytes held at one time are no more than `most` and a fixed part, whatever the input: the text of an
// error, the readers of 64 columns, a list that is made of the 64 words that Cap'n Proto may read beyond the input.
inline constexpr std::size_t kFixedMemory = 32 * limits::KiB;
void promise_memory(std::size_t peak, std::size_t most);

// What a message may hold for each byte of its payload. Cap'n Proto reads a list of bytes as a list of structs whose
// first field is that byte, so each byte may become an element, of which an acknowledgement is the largest. All else
// that a message holds is at most eight times what came: a list of texts that are one text, positions of a vector.
inline constexpr std::size_t kPlainFactor = 8;
inline constexpr std::size_t kMessageFactor = sizeof(AckSharedChanges::One) + kPlainFactor;

template <class T>
struct Measured {
  T result;
  std::size_t peak;  // bytes held at one time on the way to it, itself included
};

template <class F>
[[nodiscard]] auto measured(F decode) -> Measured<decltype(decode())> {
  const samples::Allocations allocations;
  auto result = decode();
  const std::size_t peak = allocations.peak();
  return {std::move(result), peak};
}

}  // namespace starling::fuzz
