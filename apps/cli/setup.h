// The commands that need no database: init and id.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>

#include "apps/cli/invocation.h"
#include "core/base/expected.h"

namespace starling::apps {

// Makes the folder, the device's key and a configuration from the sample. Errors: there is one already.
[[nodiscard]] Expected<nlohmann::json> init_folder(const std::filesystem::path& folder, const Invocation&);
[[nodiscard]] Expected<nlohmann::json> show_id(const std::filesystem::path& folder);

}  // namespace starling::apps
