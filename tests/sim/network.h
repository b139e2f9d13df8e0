// The simulated network: byte pipes between nodes, with the production codec at both ends.
//
// A message is encoded once, travels as bytes with a delay and in pieces of any size, and becomes a message again in a
// FrameReader. Order within a connection holds, as TCP promises; a connection may end at any byte. A link is the wish
// to be connected: it dials again with the production back-off until it is taken away. An outbox is bounded.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>

#include "core/replica/event.h"
#include "proto/frame_reader.h"
#include "tests/sim/timeline.h"

namespace starling::sim {

class SimNode;

struct Traffic {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  friend Traffic operator-(const Traffic& a, const Traffic& b) { return {a.messages - b.messages, a.bytes - b.bytes}; }
};

// What was put on the wire: by kind of message, and how many log entries and device-owned rows were in them.
struct WireCount {
  std::map<std::string, Traffic> kinds;
  Traffic total;
  std::uint64_t entries = 0;
  std::uint64_t rows = 0;

  [[nodiscard]] Traffic of(const std::string& kind) const;
  [[nodiscard]] WireCount since(const WireCount& before) const;
};

struct NetworkConfig {
  Duration delay_min = std::chrono::milliseconds(1);
  Duration delay_max = std::chrono::milliseconds(20);
  std::size_t outbox_max = limits::kOutboxMax;
  bool pieces = true;  // messages arrive in pieces
};

class Network {
 public:
  Network(Timeline& timeline, Prng prng) : timeline_(timeline), prng_(prng) {}

  NetworkConfig config;

  void connect(SimNode&, SimNode&);     // and again whenever it breaks
  void disconnect(SimNode&, SimNode&);  // what is under way is lost
  void break_connection(SimNode&, SimNode&);                        // it comes back by itself
  void cut_after(SimNode& from, SimNode& to, std::uint64_t bytes);  // it breaks once so many more bytes have arrived
  void inject(SimNode& to, SimNode& as_from, const Message&);       // a message that `as_from` never sent
  void replay(SimNode& from, SimNode& to);                          // one of the last messages, again and late

  // For nodes.
  void send(SessionId, const Message&);
  void accept(SessionId);
  void hang_up(SessionId, const Error& why);
  void node_died(SimNode&);
  void node_started(SimNode&);

  [[nodiscard]] const WireCount& count() const { return count_; }
  [[nodiscard]] bool idle() const;  // nothing under way, and every link that can stand does
  [[nodiscard]] MonoTime last_word() const { return last_word_; }  // when something other than a heartbeat was sent
  [[nodiscard]] std::vector<std::string> refusals() const;         // links that a node closed, and why
  void forget_refusals();

 private:
  struct End {
    SimNode* node = nullptr;
    SessionId session = 0;
    FrameReader reader{limits::kFrameBeforeHelloMax};
    std::deque<Bytes> incoming;
    std::size_t incoming_bytes = 0;
    MonoTime last_arrival;
    std::optional<std::uint64_t> cut_after;  // bytes
    bool heard = false;                      // the Hello
    bool accepted = false;
    bool hung_up = false;                    // takes nothing more
  };
  struct Link;
  struct Connection {
    std::array<End, 2> ends;
    Link* link = nullptr;
    bool open = true;
  };
  struct Link {
    SimNode* a = nullptr;
    SimNode* b = nullptr;
    std::shared_ptr<Connection> connection;
    unsigned failures = 0;
    bool dialling = false;
    std::string refusal;
    std::map<const SimNode*, std::deque<Message>> said;  // the last messages of each
  };
  using Shared = std::shared_ptr<Connection>;

  Link* find(const SimNode&, const SimNode&);
  void dial(Link&);
  void redial(Link&);
  void close(const Shared&);
  void put(const Shared&, int to, Bytes piece);
  void arrive(const Shared&, int to);
  void read(const Shared&, int to);
  static void remember(Connection&, const SimNode& from, const Message&);
  void count(const SimNode& from, const Message&, std::size_t bytes);
  std::uint64_t rows_in(const SimNode& from, const StatePage&) const;

  Timeline& timeline_;
  Prng prng_;
  std::vector<std::unique_ptr<Link>> links_;
  std::map<SessionId, std::pair<Shared, int>> sessions_;  // and which end it is
  SessionId last_session_ = 0;
  std::size_t under_way_ = 0;
  MonoTime last_word_;
  WireCount count_;
};

}  // namespace starling::sim
