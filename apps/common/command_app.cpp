#include "apps/common/command_app.h"

#include <CLI/CLI.hpp>

#include "apps/common/built_in.h"
#include "apps/common/byte_text.h"
#include "apps/common/exit_code.h"

namespace starling::apps {
namespace {

std::string exit_codes() {
  std::string text = "Exit codes:";
  for (const ExitMeaning& one : kExitMeanings) text += "\n  " + std::to_string(one.code) + "  " + one.meaning;
  return text;
}

std::string mistake(const CLI::App* app, const CLI::Error& error) {
  std::string what = error.what();
  const std::vector<std::string> unknown = app->remaining();  // what CLI11 tells after what is missing
  if (error.get_name() == "RequiredError" && !unknown.empty() && app->get_subcommands().empty()) {
    what = "'" + printable(unknown.front()) + "' is no command";
  }
  return app->get_name() + ": " + what + "; see '" + app->get_name() + " --help'\n";
}

OptionInfo describe_option(const CLI::Option& option) {
  OptionInfo info;
  for (const std::string& name : option.get_snames()) info.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) info.names.push_back("--" + name);
  if (option.get_positional())
    info.value = option.get_name(true);
  else if (option.get_type_size() != 0)
    info.value = option.get_type_name();
  info.about = option.get_description();
  info.required = option.get_required();
  info.repeated = option.get_items_expected_max() > 1;
  return info;
}

}  // namespace

std::unique_ptr<CLI::App> make_command_app(const std::string& name, const std::string& about) {
  auto app = std::make_unique<CLI::App>(about, name);
  app->failure_message(mistake);
  app->set_version_flag("--version", name + " " + version(), "Print the version");
  return app;
}

void end_help(CLI::App& app, const std::string& footer) { app.footer(footer + "\n" + exit_codes()); }

int finish_parsing(const CLI::App& app, const CLI::ParseError& error) {
  return app.exit(error) == 0 ? kDone : kWrongUse;
}

CommandInfo describe(const CLI::App& app) {
  CommandInfo info{app.get_name(), app.get_description(), "", app.get_require_subcommand_min() > 0, {}, {}, {}};
  for (const CLI::Option* option : app.get_options()) {
    (option->get_positional() ? info.words : info.options).push_back(describe_option(*option));
  }
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    info.commands.push_back(describe(*command));
  }
  return info;
}

}  // namespace starling::apps
