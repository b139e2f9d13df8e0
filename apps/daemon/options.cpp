#include "apps/daemon/options.h"

#include <CLI/CLI.hpp>

#include "apps/common/command_app.h"

namespace starling::apps {
namespace {

constexpr char kAbout[] =
    "Keeps this device's data the same as its peers'. Runs in the foreground; SIGTERM or SIGINT ends it.";
constexpr char kFooter[] = "One line on standard output says that it is ready; the log goes to standard error.";

std::unique_ptr<CLI::App> make_app(DaemonOptions& options) {
  std::unique_ptr<CLI::App> app = make_command_app("starlingd", kAbout);
  app->add_option("--config", options.config, "The configuration; 'starling init' writes one")
      ->required()
      ->type_name("FILE");
  app->add_flag("--offline", options.offline, "No network: only the commands of 'starling' are served");
  end_help(*app, kFooter);
  return app;
}

}  // namespace

std::variant<DaemonOptions, int> parse_daemon_line(int count, const char* const* words) {
  DaemonOptions options;
  const std::unique_ptr<CLI::App> app = make_app(options);
  try {
    app->parse(count, words);
  } catch (const CLI::ParseError& e) {
    return finish_parsing(*app, e);
  }
  return options;
}

CommandInfo daemon_tree() {
  DaemonOptions unused;
  CommandInfo tree = describe(*make_app(unused));
  tree.notes = kFooter;
  return tree;
}

}  // namespace starling::apps
