// The peer book: who is admitted, where they are found, and how the connection to each of them stands.
//
// The handshake asks it whether to go on, the dialers where to, and status() how things are. It says what the network
// knows; how far a peer has synchronised is the replica's to say. Thread-safe; every call is short.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/replica/status.h"
#include "net/address.h"
#include "net/config.h"

namespace starling {

struct PeerLink {
  PeerState state = PeerState::connecting;  // live: accepted, and no more is known here
  std::string why;                          // the last error, until a session is accepted
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t sessions = 0;
};

class PeerBook {
 public:
  explicit PeerBook(const DeviceId& self) : self_(self) {}

  // Admits the peer; a peer that is there gets these addresses. Errors: an address that is none, this device itself.
  Expected<void> add(const Peer&);
  bool remove(const DeviceId&);  // false: there is no such peer
  [[nodiscard]] bool admits(const DeviceId&) const;
  [[nodiscard]] std::vector<Address> addresses(const DeviceId&) const;
  [[nodiscard]] std::vector<DeviceId> devices() const;

  void connecting(const DeviceId&);   // keeps `refused` and the last error: a new try is no better news
  void handshaking(const DeviceId&);  // authenticated; the peer's Hello is still to be accepted
  void accepted(const DeviceId&);
  void failed(const DeviceId&, const Error&);  // backing_off, or refused where trying again will hardly help
  void count_bytes(const DeviceId&, std::size_t in, std::size_t out);

  [[nodiscard]] std::map<DeviceId, PeerLink> links() const;

 private:
  struct Entry {
    std::vector<Address> addresses;
    PeerLink link;
  };
  template <class Change>
  void change(const DeviceId& device, Change apply) {
    const std::scoped_lock lock(mutex_);
    const auto found = entries_.find(device);
    if (found != entries_.end()) apply(found->second.link);
  }

  const DeviceId self_;
  mutable std::mutex mutex_;
  std::map<DeviceId, Entry> entries_;
};

}  // namespace starling
