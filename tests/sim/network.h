// The simulated network: byte pipes between nodes, with the production codec at both ends.
//
// A message is encoded once, travels as bytes with a delay and in pieces of any size, and becomes a message again in a
// FrameReader. Order within a connection holds, as TCP promises; a connection may end at any byte. Rules, those of the
// real shell (net/session.h, net/connection_manager.h) where it has one:
//   1. Each direction of a link has its own quality, and may be stalled: what is on it waits, nothing is lost, and no
//      connection can be dialled while either direction is.
//   2. A session whose peer takes nothing for limits::kSendDeadline, or says nothing for limits::kSilenceMax, ends. The
//      first counts only while more waits than the two kernels hold (NetworkConfig::socket_buffer). The other side
//      hears of the end where its direction flows, else by a deadline of its own: connections may be half open. The
//      deadline for the Hello is the replica's.
//   3. A process that dies closes its connections; a computer that loses power says nothing. Who then talks to it once
//      it runs again is told that there is no such connection.
//   4. A side that knows of no connection dials, with the production back-off, until the link is taken away. Where the
//      other side still believes in an older one, the new one replaces it, at once or, where both devices could have
//      dialled and the older has the better claim, after limits::kLingerMax.
//   5. An outbox is bounded.
//   6. A device that sleeps answers no dial, and none of its own timers goes off before it wakes: then all that are due do.
// disconnect(), break_connection() and cut_after() end both sides at once.
#pragma once

#include <map>

#include "tests/sim/link.h"
#include "tests/sim/timeline.h"
#include "tests/sim/wire_count.h"

namespace starling::sim {

struct NetworkConfig : Quality {  // of every direction that was given none of its own
  std::size_t outbox_max = limits::kOutboxMax;
  std::size_t socket_buffer = 256 * limits::KiB;
};

// What the network has done so far.
struct NetworkCount {
  std::uint64_t breaks = 0;         // of connections that stood
  std::uint64_t cuts = 0;           // after so many bytes
  std::uint64_t cuts_in_frame = 0;  // of these
  std::uint64_t stalls = 0;
  std::uint64_t clogs = 0;
  std::uint64_t ends_by_silence = 0;
  std::uint64_t ends_by_send_deadline = 0;
  std::uint64_t half_open = 0;  // connections that one side replaced, which the other had lost
  std::uint64_t resets = 0;     // bytes that came for a connection of an earlier life
  std::uint64_t replays = 0;
  std::uint64_t outbox_full = 0;
  std::uint64_t unanswered = 0;  // dials, through a stall or of a device that sleeps
};

class Network {
 public:
  Network(Timeline& timeline, Prng prng) : timeline_(timeline), seed_(prng.next()) {}

  NetworkConfig config;

  // ---- What scenarios do.
  void connect(SimNode&, SimNode&);     // and again whenever it breaks
  void disconnect(SimNode&, SimNode&);  // what is under way is lost
  void break_connection(SimNode&, SimNode&);                        // it comes back by itself
  void cut_after(SimNode& from, SimNode& to, std::uint64_t bytes);  // it breaks once so many more bytes have arrived
  void set_quality(const SimNode& from, const SimNode& to, Quality);
  void stall(const SimNode& from, const SimNode& to);  // until released
  void release(const SimNode& from, const SimNode& to);
  void clog(const SimNode& from, const SimNode& to, Duration);  // a stall that is released by itself
  void overtake(SimNode& from, SimNode& to);  // the next rows come late, after what is sent then: no TCP does that
  void inject(SimNode& to, SimNode& as_from, const Message&);   // a message that `as_from` never sent
  void replay(SimNode& from, SimNode& to);                      // one of the last messages, again and late

  // ---- For nodes.
  void send(SessionId, const std::shared_ptr<const Message>&);
  void accept(SessionId);
  void hang_up(SessionId, const Error& why);
  void node_died(SimNode&, bool silently);
  void node_started(SimNode&);
  void node_woke(SimNode&);  // what has come for it meanwhile is read, and its timers that are due go off
  void forget_words(const SimNode&);  // what it said is not its own any more: it is not repeated

  // ---- What can be seen.
  [[nodiscard]] bool connects(const SimNode&, const SimNode&);  // whether they are wished to be connected
  [[nodiscard]] const WireCount& count() const { return wire_; }
  [[nodiscard]] const WireCount& count(const SimNode& from, const SimNode& to) { return direction(from, to).count; }
  [[nodiscard]] const NetworkCount& faults() const { return faults_; }
  [[nodiscard]] std::uint64_t trace() const { return trace_; }  // a hash over every byte that was sent, and when
  // Nothing is under way, and every link that can stand does. What a stall holds back does not count, nor does a link
  // that it keeps from standing: the rest is quiet. A clog will pass, and counts.
  [[nodiscard]] bool idle() const;
  [[nodiscard]] MonoTime last_word() const { return last_word_; }  // when something other than a heartbeat was sent
  [[nodiscard]] std::vector<std::string> refusals() const;  // sessions that a node closed, and why; also of links that are gone
  void forget_refusals();

 private:
  using Shared = SharedConnection;
  struct Where {
    Shared connection;
    std::size_t end = 0;
  };

  [[nodiscard]] Link* find(const SimNode&, const SimNode&);
  [[nodiscard]] Direction& direction(const SimNode& from, const SimNode& to);
  [[nodiscard]] const Quality& quality(const Direction& d) const { return d.quality ? *d.quality : config; }
  [[nodiscard]] Where where(SessionId) const;

  // Connections: they are dialled, and end.
  void dial(Link&, std::size_t by, bool parked);
  void dial_later(Link&, std::size_t by, Duration delay, bool parked);
  void redial(Link&, std::size_t by);
  void open(Link&, std::size_t by);
  void end(const Shared&, std::size_t which, bool tell);
  void end_both(const Shared&);
  void drop(Connection&);
  void set_stalled(Direction&, bool releases_itself);
  void release(Direction&);
  void watch_silence(const Shared&, std::size_t which);
  void watch_sending(const Shared&, std::size_t to);
  void at(const SimNode& whose, MonoTime when, Timeline::Action action);  // a timer of that device

  // Bytes: they are put, travel, and are read.
  void send_now(SessionId, const std::shared_ptr<const Message>&);
  void put(const Shared&, std::size_t to, Bytes piece);
  void tell_end(const Shared&, std::size_t from);
  [[nodiscard]] MonoTime arrival(End&, std::size_t size);
  void await(const Shared&, std::size_t to);
  void arrive(const Shared&, std::size_t to);
  void take(const Shared&, std::size_t to, Bytes piece);
  void read(const Shared&, std::size_t to);

  Timeline& timeline_;
  std::uint64_t seed_;
  std::vector<std::string> past_refusals_;    // of links that are gone
  std::vector<std::unique_ptr<Link>> links_;  // in the order in which they were wished for
  std::map<std::pair<std::string, std::string>, Direction> directions_;  // by the names of its ends
  std::map<SessionId, Where> sessions_;
  std::map<std::string, std::vector<Timeline::Action>> overdue_;  // by the name of who sleeps
  SessionId last_session_ = 0;
  std::uint64_t last_dial_ = 0;
  MonoTime last_word_;
  WireCount wire_;
  NetworkCount faults_;
  std::uint64_t trace_ = 0;
};

}  // namespace starling::sim
