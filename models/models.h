// The models that starlingd and starling are built with.
//
// A device's folders and what is in them (device-owned), and tags with their links to entries (shared). An application
// that embeds the library brings its own list; nothing below apps/ knows these.
#pragma once

#include <vector>

#include "models/entry.h"
#include "models/entry_tag.h"
#include "models/location.h"
#include "models/tag.h"

namespace starling::models {

[[nodiscard]] inline std::vector<Model> built_in() { return {location(), entry(), tag(), entry_tag()}; }

}  // namespace starling::models
