// starlingd: one device's node, as a program that is always on.
#include <iostream>

#include "apps/common/built_in.h"
#include "apps/daemon/options.h"
#include "apps/daemon/service.h"

int main(int count, char** words) {
  using namespace starling::apps;
  const auto options = parse_options(count, words);
  if (!options) {
    std::cerr << "starlingd: " << options.error().text() << "\n";
    return kWrongUse;
  }
  if (options->help) {
    std::cout << kDaemonHelp;
    return kStopped;
  }
  if (options->version) {
    std::cout << "starlingd " << version() << "\n";
    return kStopped;
  }
  try {
    return run_daemon(*options);
  } catch (const std::exception& e) {  // the machine: no memory, a full disk, a damaged file
    std::cerr << "starlingd: " << e.what() << "\n";
    return kFailed;
  }
}
