// The command line of starlingd: little, because a daemon is told by its configuration.
#pragma once

#include <filesystem>

#include "core/base/expected.h"

namespace starling::apps {

struct DaemonOptions {
  std::filesystem::path config;
  bool offline = false;  // no network, whatever the configuration says
  bool help = false;
  bool version = false;
};

[[nodiscard]] Expected<DaemonOptions> parse_options(int count, const char* const* words);

// How starlingd ends.
enum ExitCode : int {
  kStopped = 0,       // it was asked to
  kFailed = 1,        // it stopped itself: a failing machine or a bug, see the log
  kWrongUse = 2,      // the command line or the configuration
  kCannotStart = 3,   // the data folder is in use or unfit, or the address to listen on is taken
};

extern const char* const kDaemonHelp;

}  // namespace starling::apps
