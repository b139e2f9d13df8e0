#include "apps/daemon/options.h"

#include "apps/common/byte_text.h"

namespace starling::apps {

const char* const kDaemonHelp =
    "Usage: starlingd --config FILE [--offline]\n"
    "\n"
    "Keeps this device's data the same as its peers'. Runs in the foreground; SIGTERM or SIGINT ends it.\n"
    "\n"
    "  --config FILE  the configuration; 'starling init' writes one\n"
    "  --offline      no network: only the commands of 'starling' are served\n"
    "  --version      print the version\n"
    "  --help         print this\n"
    "\n"
    "One line on standard output says that it is ready; the log goes to standard error.\n"
    "Exit codes: 0 it was asked to stop; 1 it failed while running; 2 wrong command line or configuration;\n"
    "3 it could not start (the data folder is in use or unfit, or its address is taken).\n";

namespace {

Error wrong(const std::string& what, const std::string& word) {
  return {Errc::invalid_argument, what, printable(word), "see 'starlingd --help'"};
}

}  // namespace

Expected<DaemonOptions> parse_options(int count, const char* const* words) {
  DaemonOptions options;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    const std::string config = "--config";
    if (word == config) {
      if (++i >= count) return wrong("a file must follow", word);
      options.config = words[i];
    } else if (word.compare(0, config.size() + 1, config + "=") == 0) {
      options.config = word.substr(config.size() + 1);
    } else if (word == "--offline") {
      options.offline = true;
    } else if (word == "--help" || word == "-h") {
      options.help = true;
    } else if (word == "--version") {
      options.version = true;
    } else {
      return wrong("no such option", word);
    }
  }
  if (options.config.empty() && !options.help && !options.version) return wrong("is missing", "--config FILE");
  return options;
}

}  // namespace starling::apps
