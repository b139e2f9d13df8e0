// The conflicts that this device has recorded, newest first, as JSON.
//
// Concurrent changes of one field cannot both stay: the greater stamp wins everywhere, and what lost is kept in
// sync_conflict. Beside what lost stands what the row holds now, which may be newer than either.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "net/node.h"

namespace starling::apps {

[[nodiscard]] Expected<nlohmann::json> list_conflicts(const Reader&, std::size_t limit);

// A decoded value: null, number, string, or {"hex": "…"} for a blob and for text that is not UTF-8.
[[nodiscard]] nlohmann::json value_to_json(const ValueView&);

}  // namespace starling::apps
