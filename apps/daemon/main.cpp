// starlingd: one device's node, as a program that is always on.
#include <iostream>

#include "apps/daemon/service.h"

int main(int count, char** words) {
  using namespace starling::apps;
  const std::variant<DaemonOptions, int> parsed = parse_daemon_line(count, words);
  if (const int* code = std::get_if<int>(&parsed)) return *code;
  try {
    return run_daemon(std::get<DaemonOptions>(parsed));
  } catch (const std::exception& e) {  // the machine: no memory, a full disk, a damaged file
    std::cerr << "starlingd: " << e.what() << "\n";
    return kFailed;
  }
}
