// The request "verify": a database read whole, or compared with another, told as JSON.
//
// Reads from a connection of its own, so that a daemon goes on meanwhile.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "net/node.h"

namespace starling::apps {

// `against`: a data folder or a database file.
[[nodiscard]] Expected<nlohmann::json> verify(const Node&, const std::filesystem::path& folder,
                                              const std::optional<std::filesystem::path>& against);

}  // namespace starling::apps
