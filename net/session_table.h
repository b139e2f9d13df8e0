// The sessions of a node: at most one for each peer, whoever dialled.
//
// Decides between connections by rules 2 to 4 of connection_manager.h and tells the replica about the outcome.
// Network thread only.
#pragma once

#include <functional>
#include <map>
#include <set>

#include "net/log.h"
#include "net/session.h"

namespace starling {

class SessionTable final : public SessionOwner {
 public:
  struct Watcher {  // the dialers'
    std::function<void(const Session&)> up;
    std::function<void(const Session&)> down;
  };
  SessionTable(asio::io_context&, const DeviceId& self, PeerBook&, EventSink&, Log, Watcher);

  void take(Link);  // drops it where another connection to that peer is the better one
  void execute(std::vector<NetCommand>);
  void close(const DeviceId&, const Error& why);
  void close_all(std::chrono::milliseconds linger, const Error& why);  // and takes no more, until reopen()
  void reopen();

 private:
  struct Parked {  // came in, and lost to the session that is there (rule 3)
    Link link;
    Deadline deadline;
  };

  void open(Link);
  void park(Link);
  void promote(const DeviceId&);
  [[nodiscard]] Session* find(SessionId);
  void send(const SendFrame&, std::set<SessionId>& full);
  void on_message(const Session&, Message, std::size_t cost) override;
  void on_end(const Session&, const Error& why) override;

  asio::io_context& io_;
  const DeviceId self_;
  PeerBook& book_;
  EventSink& events_;
  const Log log_;
  const Watcher watcher_;
  SessionId last_id_ = 0;
  bool closed_ = false;  // no new sessions
  std::map<SessionId, std::shared_ptr<Session>> sessions_;
  std::map<DeviceId, Session*> of_peer_;  // into sessions_
  std::map<DeviceId, std::shared_ptr<Parked>> parked_;
  Deadline cut_off_;
};

}  // namespace starling
