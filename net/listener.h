// The listener: takes connections in, and lets through those that prove to be a peer.
//
// Rules:
//   1. A stranger costs one of limits::kHandshakesMax places for at most five seconds, and nothing of theirs but TLS
//      is parsed. Accepting never waits for a handshake.
//   2. When all places are taken, a newcomer pushes out the oldest connection of the host that holds most of them. A
//      peer's handshake takes milliseconds, so who is pushed out is whoever sits there and says nothing.
//   3. What was refused is logged at most once a second: strangers decide how often they knock.
// Network thread only, after open().
#pragma once

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/ssl/context.hpp>
#include <list>

#include "net/address.h"
#include "net/log.h"
#include "net/resolver.h"
#include "net/session.h"

namespace starling {

class Listener : public std::enable_shared_from_this<Listener> {
 public:
  using OnLink = std::function<void(Link)>;
  Listener(asio::io_context&, asio::ssl::context, const PeerBook&, Log, OnLink);

  [[nodiscard]] Expected<std::uint16_t> open(const Address&);  // gives the port
  void start();
  void stop();

 private:
  class Handshake;

  [[nodiscard]] bool bind(const asio::ip::tcp::endpoint&, asio::error_code&);
  asio::awaitable<void> accept_loop();
  void admit(asio::ip::tcp::socket);
  void push_out();
  void on_handshake(const std::shared_ptr<Handshake>&, Expected<Link>);
  void refused(const std::string& text);

  asio::io_context& io_;
  asio::ssl::context context_;
  const PeerBook& book_;
  const Log log_;
  const OnLink on_link_;
  asio::ip::tcp::acceptor acceptor_;
  asio::steady_timer retry_;
  bool stopped_ = false;
  std::list<std::shared_ptr<Handshake>> handshakes_;  // oldest first
  std::chrono::steady_clock::time_point last_refusal_;
  std::uint64_t unlogged_refusals_ = 0;
};

}  // namespace starling
