// The control requests about albums (docs/control.md): arguments in, answers out.
//
// Paths become entries here, as they do for tags; what is done with them stands in albums.h.
#pragma once

#include "apps/common/arguments.h"
#include "net/node.h"

namespace starling::apps {

[[nodiscard]] Expected<nlohmann::json> album_add(Node&, Arguments&);
[[nodiscard]] Expected<nlohmann::json> album_remove(Node&, Arguments&);
[[nodiscard]] Expected<nlohmann::json> album_ls(const Node&, Arguments&);
[[nodiscard]] Expected<nlohmann::json> album_show(const Node&, Arguments&);

}  // namespace starling::apps
