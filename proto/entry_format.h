// What the two halves of the entry codec agree on, and nobody else needs to know.
//
// The layout itself is told in entry.h and, byte by byte, in docs/protocol.md.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/causal/change.h"

namespace starling::entry_format {

inline constexpr std::uint8_t kFormat = 1;
inline constexpr std::size_t kSignatureMax = 256;

// How an operation is written: as it is, and that of seeds behind the others.
inline constexpr std::uint64_t kSeedOp = 3;

// The head of a run. The number of key columns stands there so that bytes can be judged without the model.
struct Run {
  std::uint64_t model = 0;  // in the entry's table
  Op op = Op::insert;
  std::size_t key_columns = 1;
  FieldMask fields = 0;  // not written for erase
  std::size_t count = 0;
  bool seeds = false;  // inserts at HLC 0

  [[nodiscard]] bool continues(const Run& other) const {  // the shape is the same
    return model == other.model && op == other.op && seeds == other.seeds && key_columns == other.key_columns && fields == other.fields;
  }
};

}  // namespace starling::entry_format
