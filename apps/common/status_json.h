// A node's Status as JSON: what the control request "status" answers (docs/control.md).
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "net/node.h"

namespace starling::apps {

[[nodiscard]] nlohmann::json status_to_json(const Status&);
[[nodiscard]] Expected<nlohmann::json> committed(const Expected<CommitInfo>&);  // {"commit": …}, or why not

// "DEVICE/birth-random", the name of an origin in JSON.
[[nodiscard]] std::string origin_name(const Origin&);

}  // namespace starling::apps
