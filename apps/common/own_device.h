// This device's row in the Device model (models/device.h).
//
// starlingd writes it when it starts, so that the other devices can show a name: the host's name and its platform as the
// system tells them. Only if it differs: a start that has nothing new to say writes nothing, and nothing travels.
#pragma once

#include "net/node.h"

namespace starling::apps {

struct HostFacts {
  std::string name;
  std::string platform;
};
[[nodiscard]] HostFacts host_facts();  // printable, whatever the machine is called

[[nodiscard]] Expected<CommitInfo> write_own_device(Node&, const HostFacts&);

}  // namespace starling::apps
