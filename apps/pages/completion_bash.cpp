#include "apps/pages/command_walk.h"
#include "apps/pages/completion.h"

namespace starling::apps {
namespace {

// What may follow in each place: an arm of a `case` over the path of commands.
std::string arms_of(const CommandInfo& program) {
  std::string arms;
  walk(program, [&](const std::string& path, const CommandInfo& command) {
    Names options;
    for (const OptionInfo& option : options_at(program, command)) {
      options.insert(options.end(), option.names.begin(), option.names.end());
    }
    arms += "    '" + path + "') commands='" + joined(command_names(command), " ") + "' options='" +
            joined(options, " ") + "' files=" + (takes_files(command) ? "1" : "") + " ;;\n";
  });
  return arms;
}

}  // namespace

std::string bash_completion(const CommandInfo& program) {
  const std::string function = "_" + program.name;
  const std::string with_value = options_as_pattern(program, [](const OptionInfo& o) { return !o.value.empty(); });
  const std::string with_file = options_as_pattern(program, is_file);
  const std::string paths = paths_as_pattern(program);
  std::string text = "# Completion of " + program.name + " for bash. Made by the build from its command line; do not edit.\n";
  text += function + "() {\n"
          "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}\n"
          "  local place='' commands='' options='' files='' i\n"
          "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
          "    case ${COMP_WORDS[i]} in\n"
          "      --) COMPREPLY=() && return ;;\n"
          "      " + with_value + ") ((i++)) && continue ;;  # its value is no command\n"
          "    esac\n";
  if (!paths.empty()) {
    text += "    case \"${place:+$place }${COMP_WORDS[i]}\" in\n"
            "      " + paths + ") place=\"${place:+$place }${COMP_WORDS[i]}\" ;;\n"
            "    esac\n";
  }
  text += "  done\n"
          "  case $place in\n" + arms_of(program) +
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

}  // namespace starling::apps
