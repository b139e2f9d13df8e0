// What the command lines of starling and starlingd have in common: --help, --version, how a mistake is told.
//
// CLI11 parses. Its headers cost more compile time than all the rest, so only the two units that define a command line
// and this one's include them.
#pragma once

#include <memory>
#include <string>

#include "apps/common/command_tree.h"

namespace CLI {  // NOLINT: a library's name
class App;
class ParseError;
}  // namespace CLI

namespace starling::apps {

[[nodiscard]] std::unique_ptr<CLI::App> make_command_app(const std::string& name, const std::string& about);

// What stands below the help text, with the exit codes. To be called last: a subcommand copies the footer of its parent
// when it is made, and none of this is for it.
void end_help(CLI::App&, const std::string& footer);

// Prints the help that was asked for, or the mistake; gives the exit code.
[[nodiscard]] int finish_parsing(const CLI::App&, const CLI::ParseError&);

[[nodiscard]] CommandInfo describe(const CLI::App&);

}  // namespace starling::apps
