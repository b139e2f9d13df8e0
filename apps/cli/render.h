// Answers as people read them: short tables on standard output.
//
// Everything that comes from a file name or a peer goes through printable(). Programs use --json, which has it all.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "apps/cli/invocation.h"

namespace starling::apps {

[[nodiscard]] std::string render(const Invocation&, const nlohmann::json& answer, bool has_daemon);

}  // namespace starling::apps
