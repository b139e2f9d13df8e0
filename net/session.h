// A session: one authenticated connection to one peer, as a stream of messages in both directions.
//
// Rules:
//   1. One coroutine reads and one writes, for a TLS stream bears one of each. The writer is fed by one bounded
//      outbox; a frame that does not fit is dropped, which the caller is told, and the session lives on: positions, not
//      payloads, are retried.
//   2. A peer that takes nothing for 30 s, or says nothing for 75 s, is gone. Deadlines close the socket. The first
//      counts from the last byte that was taken, so that a slow link is slow and not dead.
//   3. A peer is read only as fast as the replica consumes what it says: beyond limits::kInboxMax the reader pauses,
//      and TCP holds the peer back. Then its silence is ours and does not count.
//   4. One small frame, the Hello, is read before the peer is accepted, and nothing after it until then: the peer may
//      already have accepted us and be sending large ones.
//   5. close() sends what was queued before, then waits for the peer to hang up: closing at once with unread bytes in
//      the socket would make TCP discard what we sent, the Error that says why above all. Two seconds at most.
// Network thread only. The owner outlives every session and hears of the end exactly once, last.
#pragma once

#include <deque>

#include "net/awaiting.h"
#include "net/deadline.h"
#include "net/exchange.h"
#include "net/peer_book.h"
#include "net/tls_identity.h"
#include "proto/frame_reader.h"

namespace starling {

// An authenticated connection that is not a session yet.
struct Link {
  std::unique_ptr<TlsStream> stream;
  DeviceId device;
  bool dialled = false;  // by us
  Bytes first;           // what came with the handshake
};

class Session;

class SessionOwner {
 public:
  virtual ~SessionOwner() = default;
  virtual void on_message(const Session&, Message, std::size_t cost) = 0;
  virtual void on_end(const Session&, const Error& why) = 0;
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(SessionId, Link, PeerBook&, SessionOwner&);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void start();
  [[nodiscard]] bool try_send(Frame);  // false: the outbox is full, the frame was dropped
  void accept();                       // the peer's Hello was accepted
  void consumed(std::size_t cost);
  void close(Error why);  // after what was queued
  void end(Error why);    // now

  [[nodiscard]] SessionId id() const { return id_; }
  [[nodiscard]] const DeviceId& device() const { return device_; }
  [[nodiscard]] bool dialled() const { return dialled_; }
  [[nodiscard]] bool closing() const { return state_ != State::open; }
  // How long the peer has been accepted; zero: it was not.
  [[nodiscard]] std::chrono::steady_clock::duration accepted_for() const;

 private:
  enum class State { open, closing, ended };

  asio::awaitable<void> read_loop();
  asio::awaitable<void> write_loop();
  [[nodiscard]] bool accepted() const { return accepted_at_ != std::chrono::steady_clock::time_point(); }
  [[nodiscard]] bool room() const { return inbox_ < limits::kInboxMax && (accepted() || !heard_); }
  void deliver();
  [[nodiscard]] Frame next_write();
  void on_exit(const std::exception_ptr&);

  const SessionId id_;
  const DeviceId device_;
  const bool dialled_;
  const std::unique_ptr<TlsStream> stream_;
  PeerBook& book_;
  SessionOwner& owner_;

  State state_ = State::open;
  Error why_;  // closing: what it ends with
  std::chrono::steady_clock::time_point accepted_at_;

  FrameReader frames_;
  std::vector<char> input_;
  bool heard_ = false;            // a message
  std::optional<Error> goodbye_;  // the peer's reason, should it hang up now
  std::size_t inbox_ = 0;         // cost of what the replica has not consumed
  asio::steady_timer inbox_changed_;

  std::deque<Frame> outbox_;
  std::size_t outbox_bytes_ = 0;  // with what is being written
  asio::steady_timer outbox_changed_;

  Deadline silence_, stall_, linger_;
};

}  // namespace starling
