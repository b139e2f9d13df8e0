// What the network thread and the replica thread hand to each other, and nothing else.
//
// Events go to the replica, commands to the network. Neither side ever waits for the other: a sink takes and returns.
// What bounds them: an event costs its session as many bytes as its message holds, and a session reads no further
// while more than limits::kInboxMax of it is not consumed; commands land in the sessions' bounded outboxes.
#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "core/replica/event.h"

namespace starling {

using Frame = std::shared_ptr<const Bytes>;  // encoded once, shared by the sessions that send it

struct SendFrame {
  std::vector<SessionId> sessions;
  Frame frame;
};
struct Consumed {  // the replica is done with so many bytes of a session's events
  SessionId session = 0;
  std::size_t cost = 0;
};
using NetCommand = std::variant<SendFrame, Accepted, Close, Consumed>;

class CommandSink {
 public:
  virtual ~CommandSink() = default;
  virtual void execute(std::vector<NetCommand>) = 0;  // in order; commands for sessions that have ended are ignored
  virtual void replica_failed() = 0;                  // there is nobody to talk for: hang up
};

class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void push(Event, std::size_t cost) = 0;
  virtual void network_failed(const std::string& why) = 0;  // a bug or a failing machine: there is no network any more
};

}  // namespace starling
