#include "apps/common/own_device.h"

#include <sys/utsname.h>

#include "apps/common/byte_text.h"
#include "apps/common/uuid.h"

namespace starling::apps {

HostFacts host_facts() {
  utsname facts{};
  if (::uname(&facts) != 0) return {"unnamed", "unknown"};  // fails for a bad address only
  return {printable(facts.nodename), printable(facts.sysname) + " " + printable(facts.machine)};
}

Expected<CommitInfo> write_own_device(Node& node, const HostFacts& facts) {
  const DeviceId self = node.device();
  return node.commit_device_owned([&](Transaction& t) -> Expected<void> {
    const auto done = t.exec(
        "INSERT INTO device(id, name, platform, created_ms) VALUES(?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET name = excluded.name, platform = excluded.platform",
        ValueView::blob(self.view()), facts.name, facts.platform, wall_clock_ms());  // equal values are no change
    if (!done) return done.error();
    return {};
  });
}

}  // namespace starling::apps
