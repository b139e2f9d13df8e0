// What a node is opened with, and what it asks of its surroundings: peers, a clock, a place for log lines.
//
// Plain values, copied into the node. A Clock must outlive the node. Both the clock and the log function are called
// from several threads at once and must bear it; callbacks (notice.h) come through the executor.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/base/ids.h"
#include "core/base/log_level.h"
#include "core/replica/adoption.h"
#include "net/notice.h"

namespace starling {

struct Peer {
  DeviceId device;
  std::vector<std::string> addresses;  // "host:port", "[::1]:port"; none: it dials us
};

enum class Start {
  create,   // a new workspace (or open ours): ready at once
  join,     // take the workspace from the first peer (or open ours)
  offline,  // open what is there, no network
};

class Clock {  // replaceable for tests
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Now now() const = 0;
};

using LogFn = std::function<void(LogLevel, const std::string& text)>;

struct Config {
  std::filesystem::path folder;
  std::string workspace = "default";
  Start start = Start::create;
  std::string listen;  // "host:port"; port 0: any free one; no host: every address; empty: only dials
  std::vector<Peer> peers;
  Executor executor;             // where callbacks run; empty: on a thread of the node's own
  LogFn log;                     // may be empty
  // How far open() or migrate() have come in taking in rows that stood in a table before it was a model; called by their
  // thread, between transactions. May be empty.
  AdoptionFn adoption;
  const Clock* clock = nullptr;  // nullptr: the system's
};

}  // namespace starling
