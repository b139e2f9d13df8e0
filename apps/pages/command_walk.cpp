#include "apps/pages/command_walk.h"

#include <algorithm>
#include <utility>

namespace starling::apps {
namespace {

void walk_below(const CommandInfo& command, const std::string& path, const Visit& visit) {
  visit(path, command);
  for (const CommandInfo& one : command.commands) {
    walk_below(one, path.empty() ? one.name : path + " " + one.name, visit);
  }
}

}  // namespace

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

void walk(const CommandInfo& program, const Visit& visit) { walk_below(program, "", visit); }

std::vector<OptionInfo> options_at(const CommandInfo& program, const CommandInfo& command) {
  std::vector<OptionInfo> options = command.options;
  const auto is_there = [&options](const std::string& name) {
    return std::any_of(options.begin(), options.end(), [&name](const OptionInfo& o) { return o.names.back() == name; });
  };
  for (const OptionInfo& option : program.options) {
    if (!is_there(option.names.back()) && option.names.back() != "--version") options.push_back(option);
  }
  return options;
}

namespace {

// As alternatives of a shell's `case`: the paths of the program and all commands, and the names of all options that
// `wanted` says.
std::string paths_as_pattern(const CommandInfo& program) {
  Names paths;
  walk(program, [&](const std::string& path, const CommandInfo&) { paths.push_back("'" + path + "'"); });
  return joined(paths, " | ");
}

std::string options_as_pattern(const CommandInfo& program, const std::function<bool(const OptionInfo&)>& wanted) {
  Names patterns;
  walk(program, [&](const std::string&, const CommandInfo& command) {
    for (const OptionInfo& option : command.options) {
      if (!wanted(option)) continue;
      for (const std::string& name : option.names) {
        if (std::find(patterns.begin(), patterns.end(), name) == patterns.end()) patterns.push_back(name);
      }
    }
  });
  return joined(patterns, " | ");
}

// The text with each {{name}} replaced.
std::string filled(std::string text, const std::vector<std::pair<std::string, std::string>>& values) {
  for (const auto& [name, value] : values) {
    const std::string place = "{{" + name + "}}";
    for (std::size_t at = text.find(place); at != std::string::npos; at = text.find(place, at + value.size())) {
      text.replace(at, place.size(), value);
    }
  }
  return text;
}

}  // namespace

std::string filled_script(const std::string& script, const CommandInfo& program, const std::string& arms) {
  const auto has_value = [](const OptionInfo& option) { return !option.value.empty(); };
  return filled(script, {{"program", program.name},
                         {"with value", options_as_pattern(program, has_value)},
                         {"with file", options_as_pattern(program, is_file)},
                         {"paths", paths_as_pattern(program)},
                         {"arms", arms}});
}

bool takes_files(const CommandInfo& command) {
  return std::any_of(command.words.begin(), command.words.end(), is_file);
}

}  // namespace starling::apps
