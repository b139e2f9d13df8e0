// The man pages of the programs and of the configuration.
//
// A program's page is its command line, told at length: nothing here knows a command or an option. The configuration's
// page is the commented sample that `starling init` writes. What neither can say (files, the environment) comes as
// further sections.
#pragma once

#include <string>
#include <vector>

#include "apps/common/command_tree.h"

namespace starling::apps {

struct ManSection {
  std::string heading;                                     // "FILES"
  std::vector<std::pair<std::string, std::string>> items;  // a word, and what it is
};

// `section`: "1" or "8".
[[nodiscard]] std::string program_page(const CommandInfo&, const std::string& section,
                                       const std::vector<ManSection>& further);
// `sample`: TOML, each key below a comment or beside one.
[[nodiscard]] std::string config_page(const std::string& name, const std::string& sample,
                                      const std::vector<ManSection>& further);

}  // namespace starling::apps
