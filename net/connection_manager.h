// The network: listens, dials, and keeps one session with each peer.
//
// Rules:
//   1. One thread, one loop. Other threads only hand over commands, and never wait.
//   2. One session for each peer. When both sides dial, the connection that the device with the lower id dialled
//      stays; a newer connection from the same dialler replaces the older, which it only dials for because it lost it.
//      Both sides decide alike, from what both know.
//   3. The loser is hung up by whoever dialled it, for that side knows whether it holds the winner. If a loser that
//      came in is still there after two seconds, the winner is dead at the other end (a device that lost power comes
//      back before TCP notices), and the loser takes its place. So no exchange of messages is needed, and none flaps.
//   4. The replica hears PeerUp for a session before anything else of it, PeerDown once and last, and never of two
//      sessions with one peer at a time.
// Thread-safe, but for start() and the destructor, which waits for the thread to end.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "net/exchange.h"
#include "net/log.h"
#include "net/peer_book.h"

namespace starling {

class TlsIdentity;

class ConnectionManager final : public CommandSink {
 public:
  // `book` and `events` outlive it. `seed`: of the delays between dials.
  ConnectionManager(const TlsIdentity&, PeerBook& book, EventSink& events, Log, std::uint64_t seed);
  ~ConnectionManager() override;

  // Listens (empty: it does not), starts the thread and dials every peer in the book. Gives the port.
  [[nodiscard]] Expected<std::uint16_t> start(const std::string& listen);
  // Closes every session; those that take longer to send what is queued are cut off. At once, from any thread.
  void stop(std::chrono::milliseconds linger);
  // False: not in time, or called on the network thread itself. True also where it was never started.
  [[nodiscard]] bool wait_stopped(std::chrono::steady_clock::time_point until) const;

  void execute(std::vector<NetCommand>) override;
  void replica_failed() override { stop(std::chrono::milliseconds(0)); }
  void dial(const DeviceId&);     // the peer is new in the book, or has other addresses
  void hang_up(const DeviceId&);  // the peer is no longer in the book
  void dial_no_more(const DeviceId&);  // nor is this one, and the replica ends its session
  void pause();                   // ends every session, dials nobody, takes nobody in
  void resume();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Which of two connections between two devices stays (rule 2).
[[nodiscard]] bool newer_stays(const DeviceId& self, const DeviceId& peer, bool older_is_ours, bool newer_is_ours);

}  // namespace starling
