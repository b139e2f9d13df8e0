// The dialer of one peer: brings a connection about whenever there is none.
//
// It goes through the peer's addresses, proves that whoever answers is that peer, and waits for its first bytes, for
// only they prove that the peer took us (tls_identity.h, rule 4). After a failure it waits, longer each time
// (core/base/backoff.h). Failures are forgotten only once a session was accepted and lasted; a peer that takes us and
// throws us out again and again is dialled about once a second. While a session with the peer lives, whoever dialled
// it, the dialer rests. Network thread only.
#pragma once

#include <asio/io_context.hpp>
#include <asio/ssl/context.hpp>
#include <functional>

#include "core/base/prng.h"
#include "net/log.h"
#include "net/resolver.h"
#include "net/session.h"

namespace starling {

class Dialer : public std::enable_shared_from_this<Dialer> {
 public:
  using OnLink = std::function<void(Link)>;
  Dialer(asio::io_context&, asio::ssl::context&, Resolver&, PeerBook&, Log, DeviceId peer, Prng, OnLink);

  void start();
  void stop();
  void pause();                    // rests until resume()
  void resume();
  void dial_now();                 // the addresses have changed
  void session_up(bool call_off);  // a session lives; `call_off`: it beats the one we are dialling for
  void session_down(std::chrono::steady_clock::duration accepted_for);  // zero: it never was accepted

 private:
  asio::awaitable<void> run();
  asio::awaitable<void> dial_all();
  asio::awaitable<bool> dial(asio::ip::tcp::endpoint);
  void allow(std::chrono::steady_clock::duration time);
  void hang_up(const char* why);
  [[nodiscard]] bool done() const { return stopped_ || connected_ || paused_; }

  asio::io_context& io_;
  asio::ssl::context& context_;
  Resolver& resolver_;
  PeerBook& book_;
  const Log log_;
  const DeviceId peer_;
  Prng prng_;
  const OnLink on_link_;

  asio::steady_timer changed_;  // wakes run()
  Deadline deadline_;
  std::unique_ptr<TlsStream> attempt_;
  std::string hung_up_;  // why we ended the attempt; empty: we did not
  Error last_error_;
  std::string logged_;  // the last failure that was news
  bool stopped_ = false;
  bool paused_ = false;
  bool connected_ = false;
  unsigned failures_ = 0;
};

}  // namespace starling
