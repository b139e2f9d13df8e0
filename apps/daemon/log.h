// The daemon's log: through spdlog to standard error, as text or as one JSON object for each line.
//
// Lines come from the node's threads and from ours; the sink takes them one at a time. In JSON the keys are time (UTC),
// level and message.
#pragma once

#include <memory>

#include "apps/common/config_file.h"

namespace spdlog {
class logger;
}

namespace starling::apps {

[[nodiscard]] std::shared_ptr<spdlog::logger> make_log(const LogConfig&);
[[nodiscard]] LogFn log_function(std::shared_ptr<spdlog::logger>);  // for the node

}  // namespace starling::apps
