#include "apps/pages/completion.h"

#include <algorithm>
#include <functional>

namespace starling::apps {
namespace {

using Names = std::vector<std::string>;

std::string joined(const Names& names, const std::string& between) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : between) + name;
  return all;
}

bool is_file(const OptionInfo& option) {
  return option.value == "FOLDER" || option.value == "PATH" || option.value == "FILE";
}

Names command_names(const CommandInfo& command) {
  Names names;
  for (const CommandInfo& one : command.commands) names.push_back(one.name);
  return names;
}

Names option_names(const CommandInfo& command) {
  Names names;
  for (const OptionInfo& option : command.options) names.insert(names.end(), option.names.begin(), option.names.end());
  return names;
}

// Calls `visit` for the program (path "") and each command in it ("tag", "tag list").
using Visit = std::function<void(const std::string& path, const CommandInfo&)>;
void walk(const CommandInfo& command, const std::string& path, const Visit& visit) {
  visit(path, command);
  for (const CommandInfo& one : command.commands) walk(one, path.empty() ? one.name : path + " " + one.name, visit);
}

// The names of all options that `wanted` says, once each, as alternatives of a `case`.
std::string options_as_pattern(const CommandInfo& program, const std::function<bool(const OptionInfo&)>& wanted) {
  Names patterns;
  walk(program, "", [&](const std::string&, const CommandInfo& command) {
    for (const OptionInfo& option : command.options) {
      if (!wanted(option)) continue;
      for (const std::string& name : option.names) {
        if (std::find(patterns.begin(), patterns.end(), name) == patterns.end()) patterns.push_back(name);
      }
    }
  });
  return joined(patterns, " | ");
}

// What may follow in each place: an arm of a `case` over the path of commands.
std::string bash_arms(const CommandInfo& program) {
  std::string arms;
  const Names everywhere = option_names(program);
  walk(program, "", [&](const std::string& path, const CommandInfo& command) {
    Names options = option_names(command);
    for (const std::string& name : everywhere) {
      if (std::find(options.begin(), options.end(), name) == options.end() && name != "--version") options.push_back(name);
    }
    const bool files = std::any_of(command.words.begin(), command.words.end(), is_file);
    arms += "    '" + path + "') commands='" + joined(command_names(command), " ") + "' options='" +
            joined(options, " ") + "' files=" + (files ? "1" : "") + " ;;\n";
  });
  return arms;
}

// "one" at the top, "one two" below it: what the loop of the script compares with.
std::string bash_paths(const CommandInfo& program) {
  Names paths;
  walk(program, "", [&](const std::string& path, const CommandInfo&) {
    if (!path.empty()) paths.push_back("'" + path + "'");
  });
  return joined(paths, " | ");
}

std::string fish_quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string fish_seen(const Names& names) { return "__fish_seen_subcommand_from " + joined(names, " "); }

// When a command's own words and options are offered: each word of its path was typed; none of its own commands, which
// have others; and no other command that has commands, since "album ls" is not "ls".
std::string fish_condition(const CommandInfo& program, const std::string& path, const CommandInfo& command) {
  Names conditions;
  const std::string first = path.substr(0, path.find(' '));
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = std::min(path.find(' ', at), path.size());
    conditions.push_back(fish_seen({path.substr(at, end - at)}));
    at = end + 1;
  }
  Names others = command_names(command);
  for (const CommandInfo& one : program.commands) {
    if (!path.empty() && !one.commands.empty() && one.name != first) others.push_back(one.name);
  }
  if (!others.empty()) conditions.push_back("not " + fish_seen(others));
  return joined(conditions, "; and ");
}

}  // namespace

std::string bash_completion(const CommandInfo& program) {
  const std::string function = "_" + program.name;
  const std::string with_value = options_as_pattern(program, [](const OptionInfo& o) { return !o.value.empty(); });
  const std::string with_file = options_as_pattern(program, is_file);
  const std::string paths = bash_paths(program);
  std::string text = "# Completion of " + program.name + " for bash. Made by the build from its command line; do not edit.\n";
  text += function + "() {\n"
          "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}\n"
          "  local path='' commands='' options='' files='' i\n"
          "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
          "    case ${COMP_WORDS[i]} in\n"
          "      --) COMPREPLY=() && return ;;\n"
          "      " + with_value + ") ((i++)) && continue ;;  # its value is no command\n"
          "    esac\n";
  if (!paths.empty()) {
    text += "    case \"${path:+$path }${COMP_WORDS[i]}\" in\n"
            "      " + paths + ") path=\"${path:+$path }${COMP_WORDS[i]}\" ;;\n"
            "    esac\n";
  }
  text += "  done\n"
          "  case $path in\n" + bash_arms(program) +
          "  esac\n"
          "  if ((i > COMP_CWORD)); then  # the value of an option\n"
          "    commands='' options='' files=''\n"
          "    case $previous in " + with_file + ") files=1 ;; esac\n"
          "  fi\n"
          "  if [[ $current == -* ]]; then commands=$options; fi\n"
          "  mapfile -t COMPREPLY < <(compgen -W \"$commands\" -- \"$current\")\n"
          "  if [[ ! $files ]]; then compopt +o default +o bashdefault; fi  # else the shell offers files\n"
          "}\n"
          "complete -o bashdefault -o default -F " + function + " " + program.name + "\n";
  return text;
}

std::string fish_completion(const CommandInfo& program) {
  const std::string start = "complete -c " + program.name;
  std::string text = "# Completion of " + program.name + " for fish. Made by the build from its command line; do not edit.\n";
  walk(program, "", [&](const std::string& path, const CommandInfo& command) {
    const std::string condition = fish_condition(program, path, command);
    const std::string where = condition.empty() ? "" : " -n " + fish_quoted(condition);
    if (std::none_of(command.words.begin(), command.words.end(), is_file)) text += start + where + " -f\n";
    for (const CommandInfo& one : command.commands) {
      text += start + where + " -a " + one.name + " -d " + fish_quoted(one.about) + "\n";
    }
    for (const OptionInfo& option : command.options) {
      text += start + (path.empty() ? "" : where);  // the program's own may stand anywhere
      for (const std::string& name : option.names) text += name[1] == '-' ? " -l " + name.substr(2) : " -s " + name.substr(1);
      if (!option.value.empty()) text += is_file(option) ? " -r -F" : " -x";
      text += " -d " + fish_quoted(option.about) + "\n";
    }
  });
  return text;
}

}  // namespace starling::apps
