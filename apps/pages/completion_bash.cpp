#include "apps/pages/command_walk.h"
#include "apps/pages/completion.h"

namespace starling::apps {
namespace {

// Walks the words before the one that is completed, to learn which command it belongs to.
constexpr char kScript[] =
    R"(# Completion of {{program}} for bash. Made by the build from its command line; do not edit.
_{{program}}() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local place='' commands='' options='' files='' i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      --) COMPREPLY=() && return ;;
      {{with value}}) ((i++)) && continue ;;  # its value is no command
    esac
    case "${place:+$place }${COMP_WORDS[i]}" in
      {{paths}})
        place="${place:+$place }${COMP_WORDS[i]}" ;;
    esac
  done
  case $place in
{{arms}}  esac
  if ((i > COMP_CWORD)); then  # the value of an option
    commands='' options='' files=''
    case $previous in {{with file}}) files=1 ;; esac
  fi
  if [[ $current == -* ]]; then commands=$options; fi
  mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$current")
  if [[ ! $files ]]; then compopt +o default +o bashdefault; fi  # else the shell offers files
}
complete -o bashdefault -o default -F _{{program}} {{program}}
)";

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

std::string bash_completion(const CommandInfo& program) { return filled_script(kScript, program, arms_of(program)); }

}  // namespace starling::apps
