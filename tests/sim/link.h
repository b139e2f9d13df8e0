// What stands between two simulated nodes: two directions, and what each side knows of their connection.
//
// A Direction is the wire one way. It lives as long as the network, whatever connections come and go on it, and draws
// from a generator of its own, seeded by the names of its ends: what happens elsewhere does not shift its delays. A
// Connection is what TCP makes of two directions. Its two ends close one by one: the other end hears of it only by the
// bytes that still reach it, or by a deadline of its own. A Link is the wish to be connected; each of its sides dials
// while it knows of no connection, as net/dialer.h does.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "core/base/limits.h"
#include "core/base/prng.h"
#include "core/base/time.h"
#include "core/replica/event.h"
#include "proto/frame_reader.h"
#include "tests/sim/wire_count.h"

namespace starling::sim {

class SimNode;

struct Quality {
  Duration delay_min = std::chrono::milliseconds(1);
  Duration delay_max = std::chrono::milliseconds(20);
  std::uint64_t bytes_per_second = 0;  // zero: unlimited
  bool pieces = true;                  // messages arrive in pieces
};

struct Direction {
  explicit Direction(std::uint64_t seed) : prng(seed), dials(prng.fork()) {}

  Prng prng;   // of its bytes
  Prng dials;  // of the delays between them
  std::optional<Quality> quality;  // none: the network's
  bool stalled = false;            // what is on the way waits
  bool releases_itself = false;    // a clog
  std::uint64_t stalls = 0;        // so far
  MonoTime free_at;                // until then the wire is busy with bytes that went before
  std::size_t under_way = 0;       // pieces
  WireCount count;                 // what was put on it

  [[nodiscard]] bool blocked() const { return stalled && !releases_itself; }  // for good, as far as it knows
};

struct Piece {
  MonoTime arrives;
  Bytes bytes;  // none: the sender has closed
};

struct End {
  SimNode* node = nullptr;
  SessionId session = 0;
  bool open = true;
  bool hung_up = false;   // has said its last, takes nothing more, and waits for the other end to close
  bool told_end = false;  // to the other end
  bool heard = false;     // the Hello
  std::optional<MonoTime> accepted_at;
  MonoTime last_heard;

  // The pipe towards it.
  Direction* direction = nullptr;
  FrameReader reader{limits::kFrameBeforeHelloMax};
  std::deque<Piece> incoming;
  std::size_t incoming_bytes = 0;
  MonoTime last_arrival;                   // of what was put
  MonoTime last_taken;                     // when a piece last arrived
  bool awaited = false;                    // the arrival of the first piece is on the timeline
  bool watched = false;                    // so is the sender's deadline for it
  std::optional<std::uint64_t> cut_after;  // bytes

  [[nodiscard]] bool waits() const;  // nothing arrives: the direction is stalled, or whoever reads is suspended
  // Between the Hello and its acceptance nothing is read.
  [[nodiscard]] bool reads() const { return accepted_at || !heard; }
};

struct Link;

struct Connection {
  std::array<End, 2> ends;
  Link* link = nullptr;  // none: it was taken away
  std::size_t dialler = 0;
};
using SharedConnection = std::shared_ptr<Connection>;

struct Side {
  SimNode* node = nullptr;
  SharedConnection connection;  // that this side knows of
  Direction* out = nullptr;     // towards the other side
  std::uint64_t dialling = 0;   // the number of the dial that is on the timeline; zero: none
  unsigned failures = 0;
  bool overtaken = false;  // the next rows that it sends will be
  std::deque<std::shared_ptr<const Message>> said;  // the last messages

  void session_down(const End&, MonoTime now);  // what it means for the next dial
};

struct Link {
  std::array<Side, 2> sides;
  std::string refusal;  // a node closed the session, and why; nobody dials

  [[nodiscard]] bool stalled() const { return sides[0].out->stalled || sides[1].out->stalled; }
  [[nodiscard]] bool blocked() const { return sides[0].out->blocked() || sides[1].out->blocked(); }
  [[nodiscard]] bool stands() const { return sides[0].connection && sides[0].connection == sides[1].connection; }
  [[nodiscard]] bool between(const SimNode& a, const SimNode& b) const {
    return (sides[0].node == &a && sides[1].node == &b) || (sides[0].node == &b && sides[1].node == &a);
  }
  [[nodiscard]] std::size_t side_of(const SimNode& node) const { return sides[0].node == &node ? 0 : 1; }
};

}  // namespace starling::sim
