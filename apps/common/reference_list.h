// References that lead nowhere, and rows that are hidden for one or for a UNIQUE value, as JSON.
//
// Found by reading the tables when somebody asks: nothing is kept for it.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "net/node.h"

namespace starling::apps {

[[nodiscard]] Expected<nlohmann::json> list_references(const Reader&, std::size_t limit);

}  // namespace starling::apps
