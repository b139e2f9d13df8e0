// What is built into the programs: their version, and the commented sample of the configuration.
//
// CMake makes the .cpp from built_in.cpp.in and apps/daemon/starlingd.sample.toml, so that `starling init` needs no file
// beside the program.
#pragma once

#include <string>

namespace starling::apps {

[[nodiscard]] const std::string& version();
[[nodiscard]] const std::string& sample_config();

}  // namespace starling::apps
