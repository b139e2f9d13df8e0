// A command line as plain data: commands, options, words.
//
// Read from the CLI11 definition that also parses (command_app.h), so that man pages and shell completion (apps/pages)
// cannot say anything else than what the programs take.
#pragma once

#include <string>
#include <vector>

namespace starling::apps {

struct OptionInfo {
  std::vector<std::string> names;  // "-f", "--folder"; none: a word without a name
  std::string value;               // what follows, "FOLDER"; empty: a flag
  std::string about;
  bool required = false;
  bool repeated = false;  // several values
};

struct CommandInfo {
  std::string name;
  std::string about;           // its first sentence says it all in short
  std::string notes;           // what else there is to say; may be empty
  bool needs_command = false;  // does nothing without one of `commands`
  std::vector<OptionInfo> options;
  std::vector<OptionInfo> words;  // what is typed without a name, in order
  std::vector<CommandInfo> commands;
};

}  // namespace starling::apps
