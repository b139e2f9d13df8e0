// The control requests about members (docs/control.md): who belongs to the workspace, and what is kept for whom.
#pragma once

#include "apps/common/arguments.h"
#include "net/node.h"

namespace starling::apps {

[[nodiscard]] Expected<nlohmann::json> member_list(const Node&, Arguments&);
// Errors besides the node's: nobody said that it is meant; a beginning that no member's id has, or several have.
[[nodiscard]] Expected<nlohmann::json> member_remove(Node&, Arguments&);
[[nodiscard]] Expected<nlohmann::json> member_admit(Node&, Arguments&);
[[nodiscard]] Expected<nlohmann::json> identity_keep(Node&, Arguments&);

// What a device says of itself (models/device.h) as `name` and `platform`; null: nothing is known of it.
[[nodiscard]] Expected<void> add_name(const Reader&, const DeviceId&, nlohmann::json& to);

}  // namespace starling::apps
