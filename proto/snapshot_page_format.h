// What the two halves of the snapshot page codec agree on, and nobody else needs to know.
//
// The layout itself is told in snapshot_page.h and, byte by byte, in docs/protocol.md.
#pragma once

#include <cstddef>
#include <cstdint>

namespace starling::snapshot_page_format {

inline constexpr std::uint8_t kFormat = 2;
inline constexpr std::uint64_t kSeeded = 4;  // added to a row's kind
inline constexpr std::size_t kSeenMax = 20'000;  // positions that authors had seen, in one head

enum class RowKind : std::uint8_t { plain = 0, changed = 1, dead = 2 };  // changed: stamps of fields follow

}  // namespace starling::snapshot_page_format
