// What the two halves of the state page codec agree on, and nobody else needs to know.
//
// The layout itself is told in state_page.h and, byte by byte, in docs/protocol.md.
#pragma once

#include <cstdint>

namespace starling::state_page_format {

inline constexpr std::uint8_t kFormat = 1;

enum class Deleted : std::uint8_t { none = 0, all = 1, some = 2 };  // some: a bit for each row follows

}  // namespace starling::state_page_format
