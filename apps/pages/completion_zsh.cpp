#include "apps/pages/command_walk.h"
#include "apps/pages/completion.h"

namespace starling::apps {
namespace {

// As for bash; zsh counts its words from 1, and calls the file itself the first time.
constexpr char kScript[] = R"(#compdef {{program}}
# Completion of {{program}} for zsh. Made by the build from its command line; do not edit.
_{{program}}() {
  local place='' files=''
  local -a commands options
  integer i
  for ((i = 2; i < CURRENT; i++)); do
    case $words[i] in
      --) _files; return ;;
      {{with value}}) ((i++)); continue ;;  # its value is no command
    esac
    case "${place:+$place }$words[i]" in
      {{paths}})
        place="${place:+$place }$words[i]" ;;
    esac
  done
  if ((i > CURRENT)); then  # the value of an option
    case $words[CURRENT-1] in {{with file}}) _files ;; esac
    return
  fi
  case $place in
{{arms}}  esac
  if [[ $PREFIX == -* ]]; then
    _describe -o option options
    return
  fi
  if (($#commands)); then _describe command commands; fi
  if [[ -n $files ]]; then _files; fi
}
_{{program}} "$@"
)";

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

std::string zsh_completion(const CommandInfo& program) { return filled_script(kScript, program, arms_of(program)); }

}  // namespace starling::apps
