// Questions about a command line that every shell's completion asks.
//
// A command's path is what is typed to get there: "" for the program, "tag", "tag list".
#pragma once

#include <functional>
#include <utility>

#include "apps/common/command_tree.h"

namespace starling::apps {

using Names = std::vector<std::string>;

[[nodiscard]] std::string joined(const Names&, const std::string& between);
[[nodiscard]] bool is_file(const OptionInfo&);  // its value is the name of a file or folder
[[nodiscard]] Names command_names(const CommandInfo&);

// Calls `visit` for the program and each command in it.
using Visit = std::function<void(const std::string& path, const CommandInfo&)>;
void walk(const CommandInfo& program, const Visit& visit);

// The paths of the program and all commands, and the names of all options that `wanted` says, as alternatives of a
// shell's `case`.
[[nodiscard]] std::string paths_as_pattern(const CommandInfo& program);
[[nodiscard]] std::string options_as_pattern(const CommandInfo& program,
                                             const std::function<bool(const OptionInfo&)>& wanted);

// A command's own options, and those of the program that every command takes.
[[nodiscard]] std::vector<OptionInfo> options_at(const CommandInfo& program, const CommandInfo&);
[[nodiscard]] bool takes_files(const CommandInfo&);  // as words without a name

// The text with each {{name}} replaced.
[[nodiscard]] std::string filled(std::string text, const std::vector<std::pair<std::string, std::string>>& values);

}  // namespace starling::apps
