// Which versions of a model work together.
//
// Fields are numbered by their place, and a model only grows, by fields at its end. So of two versions of it one is the
// beginning of the other: a shape is a hash of what stands in front (name, kind), then a hash of each field (its name,
// affinity, default and place in the key), in order. Peers tell each other the shapes of their models when they meet.
// NOT NULL and STRICT are no part of it: they say what one device takes, and a value that it does not take waits in its
// quarantine. A renamed, removed or retyped field, another default, another key and another kind make another model:
// its rows would be put in the wrong columns, so such devices do not speak with each other.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/schema.h"

namespace starling {

using ModelShape = std::vector<std::uint64_t>;
inline constexpr std::size_t kShapeMax = 1 + limits::kFieldsMax;

[[nodiscard]] ModelShape shape_of(const ModelSchema&);

// Error (schema): neither is the beginning of the other; says where they part. `where`: the model or field.
[[nodiscard]] Expected<void> check_shape(const ModelSchema& ours, const ModelShape& theirs);

}  // namespace starling
