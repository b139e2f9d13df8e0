// From what was typed to what the daemon is asked, and its answers put together.
//
// A command is one request, but for lists, which come in pages, and for many paths, which do not fit into one.
#pragma once

#include "apps/cli/backend.h"
#include "apps/cli/invocation.h"

namespace starling::apps {

// Errors: a word that is no UTF-8 where only a path may be that, and whatever the command finds wrong.
[[nodiscard]] Expected<nlohmann::json> call(Backend&, const Invocation&);

}  // namespace starling::apps
