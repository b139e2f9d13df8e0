// The command line of starlingd: little, because a daemon is told by its configuration.
#pragma once

#include <filesystem>
#include <variant>

#include "apps/common/command_tree.h"

namespace starling::apps {

struct DaemonOptions {
  std::filesystem::path config;
  bool offline = false;  // no network, whatever the configuration says
};

// An int: nothing to do but to exit with it (help was asked for, or the error has been printed).
[[nodiscard]] std::variant<DaemonOptions, int> parse_daemon_line(int count, const char* const* words);

[[nodiscard]] CommandInfo daemon_tree();  // for its man page

}  // namespace starling::apps
