// What waits in quarantine on this device, and trying it again: quarantine_list, quarantine_show, quarantine_retry.
//
// A change or row that cannot be applied here is kept with the reason (core/store/held_changes.h, quarantine.h). Shared
// changes are named by a number, rows of other devices by "ORIGIN.REVISION"; both are of this device's database alone.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "apps/common/arguments.h"
#include "net/node.h"

namespace starling::apps {

[[nodiscard]] Expected<nlohmann::json> quarantine_list(const Node&, Arguments&);
[[nodiscard]] Expected<nlohmann::json> quarantine_show(const Node&, Arguments&);
[[nodiscard]] Expected<nlohmann::json> quarantine_retry(Node&, Arguments&);

}  // namespace starling::apps
