// A real network with a toy behind it instead of a replica: says Hello, accepts every Hello, keeps what it hears.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>

#include "core/base/prng.h"
#include "net/connection_manager.h"
#include "net/tls_identity.h"
#include "proto/codec.h"
#include "tests/net/temp_folder.h"

namespace starling {

using namespace std::chrono_literals;

// Makes a new device; its key goes with it.
[[nodiscard]] TlsIdentity new_identity();

[[nodiscard]] Hello some_hello();
[[nodiscard]] Message some_entry(std::size_t bytes, std::uint64_t seq = 1);  // incompressible

class Endpoint final : public EventSink {
 public:
  Endpoint();
  explicit Endpoint(TlsIdentity);
  ~Endpoint() override { stop(); }

  void knows(const DeviceId&, std::vector<std::string> addresses = {});
  void start(const std::string& listen = "127.0.0.1:0");
  void stop(std::chrono::milliseconds linger = 200ms);
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] DeviceId device() const { return identity_.device(); }
  [[nodiscard]] PeerLink link(const DeviceId& peer) { return book_.links().at(peer); }
  [[nodiscard]] ConnectionManager& network() { return *network_; }

  void send(SessionId, const Message&);
  bool send_to(const DeviceId&, const Message&);  // false: no session
  void close(SessionId, Error);
  void consume(bool);  // false: like a replica that is stuck

  // What it saw; wait_for() gives up after ten seconds.
  struct Seen {
    std::map<SessionId, DeviceId> sessions;     // up now
    std::map<DeviceId, std::uint64_t> entries;  // SharedChange messages received
    std::map<DeviceId, std::uint64_t> last_seq;
    std::uint64_t ups = 0, downs = 0, hellos = 0, full = 0;
    std::string failed;
    std::vector<std::string> log;
    [[nodiscard]] SessionId session_of(const DeviceId&) const;  // 0: none
    [[nodiscard]] std::size_t count_of(const DeviceId&) const;
    [[nodiscard]] bool logged(const std::string& part) const;
  };
  [[nodiscard]] Seen seen() const;
  template <class Predicate>
  bool wait_for(Predicate met, std::chrono::milliseconds timeout = 10s) {
    const auto until = std::chrono::steady_clock::now() + timeout;
    std::unique_lock lock(mutex_);
    while (!met(seen_)) {
      if (std::chrono::steady_clock::now() > until) return false;
      changed_.wait_for(lock, 5ms);  // what it asks may also change without us
    }
    return true;
  }
  bool wait_for_peer(const DeviceId& peer) {
    return wait_for([&](const Seen& s) { return s.session_of(peer) != 0; }) &&
           wait_for([&](const Seen&) { return link(peer).state == PeerState::live; });
  }

  void push(Event, std::size_t cost) override;
  void network_failed(const std::string& why) override;

 private:
  void on(const Received&, std::size_t cost);

  TlsIdentity identity_;
  PeerBook book_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Seen seen_;
  bool consuming_ = true;
  std::map<SessionId, std::size_t> unconsumed_;
  std::uint16_t port_ = 0;
  std::unique_ptr<ConnectionManager> network_;
};

// Two endpoints that know each other; `a` dials.
struct Pair {
  Endpoint a, b;
  Pair();
};

// The longest of `rounds` exchanges from a to b and back.
[[nodiscard]] std::chrono::milliseconds longest_round_trip(Endpoint& a, Endpoint& b, int rounds,
                                                           std::chrono::milliseconds pause);

}  // namespace starling
