#include <algorithm>

#include "apps/pages/command_walk.h"
#include "apps/pages/completion.h"

namespace starling::apps {
namespace {

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string seen(const Names& names) { return "__fish_seen_subcommand_from " + joined(names, " "); }

// When a command's own words and options are offered: each word of its path was typed; none of its own commands, which
// have others; and no other command that has commands, since "album ls" is not "ls".
std::string condition_of(const CommandInfo& program, const std::string& path, const CommandInfo& command) {
  Names conditions;
  const std::string first = path.substr(0, path.find(' '));
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = std::min(path.find(' ', at), path.size());
    conditions.push_back(seen({path.substr(at, end - at)}));
    at = end + 1;
  }
  Names others = command_names(command);
  for (const CommandInfo& one : program.commands) {
    if (!path.empty() && !one.commands.empty() && one.name != first) others.push_back(one.name);
  }
  if (!others.empty()) conditions.push_back("not " + seen(others));
  return joined(conditions, "; and ");
}

}  // namespace

std::string fish_completion(const CommandInfo& program) {
  const std::string start = "complete -c " + program.name;
  std::string text =
      "# Completion of " + program.name + " for fish. Made by the build from its command line; do not edit.\n";
  walk(program, [&](const std::string& path, const CommandInfo& command) {
    const std::string condition = condition_of(program, path, command);
    const std::string where = condition.empty() ? "" : " -n " + quoted(condition);
    if (!takes_files(command)) text += start + where + " -f\n";
    for (const CommandInfo& one : command.commands) {
      text += start + where + " -a " + one.name + " -d " + quoted(one.about) + "\n";
    }
    for (const OptionInfo& option : command.options) {
      text += start + (path.empty() ? "" : where);  // the program's own may stand anywhere
      for (const std::string& name : option.names)
        text += name[1] == '-' ? " -l " + name.substr(2) : " -s " + name.substr(1);
      if (!option.value.empty()) text += is_file(option) ? " -r -F" : " -x";
      text += " -d " + quoted(option.about) + "\n";
    }
  });
  return text;
}

}  // namespace starling::apps
