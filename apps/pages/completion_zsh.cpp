#include "apps/pages/command_walk.h"
#include "apps/pages/completion.h"

namespace starling::apps {
namespace {

// 'name:what it is', as _describe takes it.
std::string described(const std::string& name, const std::string& about) {
  std::string out = " '" + name + ":";
  for (const char c : about) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

// What may follow in each place: an arm of a `case` over the path of commands.
std::string arms_of(const CommandInfo& program) {
  std::string arms;
  walk(program, [&](const std::string& path, const CommandInfo& command) {
    arms += "    '" + path + "')\n      commands=(";
    for (const CommandInfo& one : command.commands) arms += described(one.name, one.about);
    arms += " )\n      options=(";
    for (const OptionInfo& option : options_at(program, command)) {
      for (const std::string& name : option.names) arms += described(name, option.about);
    }
    arms += std::string(" )\n      files=") + (takes_files(command) ? "1" : "") + " ;;\n";
  });
  return arms;
}

}  // namespace

std::string zsh_completion(const CommandInfo& program) {
  const std::string function = "_" + program.name;
  const std::string with_value = options_as_pattern(program, [](const OptionInfo& o) { return !o.value.empty(); });
  const std::string paths = paths_as_pattern(program);
  std::string text = "#compdef " + program.name + "\n"
                     "# Completion of " + program.name + " for zsh. Made by the build from its command line; do not edit.\n" +
                     function + "() {\n"
                     "  local place='' files=''\n"
                     "  local -a commands options\n"
                     "  integer i\n"
                     "  for ((i = 2; i < CURRENT; i++)); do\n"
                     "    case $words[i] in\n"
                     "      --) _files; return ;;\n"
                     "      " + with_value + ") ((i++)); continue ;;  # its value is no command\n"
                     "    esac\n";
  if (!paths.empty()) {
    text += "    case \"${place:+$place }$words[i]\" in\n"
            "      " + paths + ") place=\"${place:+$place }$words[i]\" ;;\n"
            "    esac\n";
  }
  text += "  done\n"
          "  if ((i > CURRENT)); then  # the value of an option\n"
          "    case $words[CURRENT-1] in " + options_as_pattern(program, is_file) + ") _files ;; esac\n"
          "    return\n"
          "  fi\n"
          "  case $place in\n" + arms_of(program) +
          "  esac\n"
          "  if [[ $PREFIX == -* ]]; then\n"
          "    _describe -o option options\n"
          "    return\n"
          "  fi\n"
          "  if (($#commands)); then _describe command commands; fi\n"
          "  if [[ -n $files ]]; then _files; fi\n"
          "}\n" +
          function + " \"$@\"\n";
  return text;
}

}  // namespace starling::apps
