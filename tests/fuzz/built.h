// Content that respects the limits, built of choices: it must come back as it went in.
#pragma once

#include "tests/fuzz/choices.h"
#include "tests/proto/lines.h"

namespace starling::fuzz {

[[nodiscard]] Message built_message(std::size_t kind, Choices&);  // kind: the index in the variant
[[nodiscard]] VersionVector built_vector(Choices&);
[[nodiscard]] std::vector<samples::Line> built_lines(Choices&);

// The samples' schema; the last fields of `file` and `tag` were added later, so that rows without them grow.
[[nodiscard]] const Schema& schema();

}  // namespace starling::fuzz
