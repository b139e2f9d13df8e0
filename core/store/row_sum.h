// The sum of a row: 64 bits over its key, its version and its values, and the range that its key falls into.
//
// Equal on every device that holds the same row with the same version: origins go in as their 28 bytes, never as
// ordinals. A field at the end of the row that holds its default goes in as if the row did not have it, so that a model
// may grow by a column without a new sum for every row. XXH3: as fast as memory, and no defence against somebody who
// crafts rows; members of a workspace trust each other with the rows themselves.
#pragma once

#include "core/base/schema.h"
#include "core/causal/merge.h"

namespace starling {

using RowSum = std::uint64_t;

// `values`: typed bytes of every non-key field.
[[nodiscard]] RowSum sum_of(const ModelSchema&, BytesView key, const RowVersion&, BytesView values);
[[nodiscard]] RowSum sum_of(const ModelSchema&, BytesView key, const Origin& owner, Rev, BytesView values);
// In place of the sum of a row that was damaged before it was changed, so that it does not pass for a good one.
[[nodiscard]] constexpr RowSum spoiled(RowSum sum) { return sum + 1; }

[[nodiscard]] std::uint8_t range_of(BytesView key);
[[nodiscard]] Hash128 hash_of_bytes(BytesView);  // 128 bits of the same kind

}  // namespace starling
