// Shell completion of a program, made from its command line.
//
// The script is static: it knows commands and options, offers options once a '-' is typed, and leaves words that are
// files to the shell. It starts no program, so completing costs nothing and works without a data folder.
#pragma once

#include <string>

#include "apps/common/command_tree.h"

namespace starling::apps {

[[nodiscard]] std::string bash_completion(const CommandInfo&);
[[nodiscard]] std::string zsh_completion(const CommandInfo&);
[[nodiscard]] std::string fish_completion(const CommandInfo&);

}  // namespace starling::apps
