// Questions about a command line that every shell's completion asks.
//
// A command's path is what is typed to get there: "" for the program, "tag", "tag list".
#pragma once

#include <functional>

#include "apps/common/command_tree.h"

namespace starling::apps {

using Names = std::vector<std::string>;

[[nodiscard]] std::string joined(const Names&, const std::string& between);
[[nodiscard]] bool is_file(const OptionInfo&);  // its value is the name of a file or folder
[[nodiscard]] Names command_names(const CommandInfo&);

// Calls `visit` for the program and each command in it.
using Visit = std::function<void(const std::string& path, const CommandInfo&)>;
void walk(const CommandInfo& program, const Visit& visit);

// A command's own options, and those of the program that every command takes.
[[nodiscard]] std::vector<OptionInfo> options_at(const CommandInfo& program, const CommandInfo&);
// A shell's script with its places filled in: the program, its paths and options, and `arms`, which the shell knows.
[[nodiscard]] std::string filled_script(const std::string& script, const CommandInfo& program, const std::string& arms);
[[nodiscard]] bool takes_files(const CommandInfo&);  // as words without a name

}  // namespace starling::apps
