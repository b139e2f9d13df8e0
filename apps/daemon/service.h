// The daemon itself: a node, its control socket, and the wait for a signal.
#pragma once

#include "apps/common/exit_code.h"
#include "apps/daemon/options.h"

namespace starling::apps {

// Runs until SIGTERM, SIGINT or SIGHUP, or until the node fails. Call it before any thread exists: it blocks the signals
// that it waits for.
[[nodiscard]] ExitCode run_daemon(const DaemonOptions&);

}  // namespace starling::apps
