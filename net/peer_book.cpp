#include "net/peer_book.h"

namespace starling {
namespace {

bool is_refusal(Errc code) {
  switch (code) {
    case Errc::not_member:
    case Errc::wrong_workspace:
    case Errc::schema:
    case Errc::clock:
    case Errc::identity_conflict: return true;
    default: return false;
  }
}

}  // namespace

Expected<void> PeerBook::add(const Peer& peer) {
  if (peer.device == self_) {
    return Error{Errc::invalid_argument, "a device is not its own peer", to_string(peer.device),
                 "give the id that the other device shows"};
  }
  Entry entry;
  for (const std::string& text : peer.addresses) {
    const Expected<Address> address = parse_dial_address(text);
    if (!address) return address.error();
    entry.addresses.push_back(*address);
  }
  if (entry.addresses.empty()) entry.link.why = "no address is known here, so it has to connect to us";
  const std::scoped_lock lock(mutex_);
  const auto [found, added] = entries_.try_emplace(peer.device, entry);
  if (!added) found->second.addresses = std::move(entry.addresses);
  return {};
}

bool PeerBook::remove(const DeviceId& device) {
  const std::scoped_lock lock(mutex_);
  return entries_.erase(device) != 0;
}

bool PeerBook::admits(const DeviceId& device) const {
  const std::scoped_lock lock(mutex_);
  return entries_.contains(device);
}

std::vector<Address> PeerBook::addresses(const DeviceId& device) const {
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(device);
  return found != entries_.end() ? found->second.addresses : std::vector<Address>();
}

std::vector<DeviceId> PeerBook::devices() const {
  const std::scoped_lock lock(mutex_);
  std::vector<DeviceId> devices;
  for (const auto& [device, entry] : entries_) devices.push_back(device);
  return devices;
}

void PeerBook::connecting(const DeviceId& device) {
  change(device, [](PeerLink& link) {
    if (link.state != PeerState::refused) link.state = PeerState::connecting;
  });
}

void PeerBook::handshaking(const DeviceId& device) {
  change(device, [](PeerLink& link) { link.state = PeerState::handshaking; });
}

void PeerBook::accepted(const DeviceId& device) {
  change(device, [](PeerLink& link) {
    link.state = PeerState::live;
    link.why.clear();
    ++link.sessions;
  });
}

void PeerBook::failed(const DeviceId& device, const Error& why) {
  change(device, [&](PeerLink& link) {
    link.state = is_refusal(why.code) ? PeerState::refused : PeerState::backing_off;
    link.why = why.text();
  });
}

void PeerBook::count_bytes(const DeviceId& device, std::size_t in, std::size_t out) {
  change(device, [&](PeerLink& link) {
    link.bytes_in += in;
    link.bytes_out += out;
  });
}

std::map<DeviceId, PeerLink> PeerBook::links() const {
  const std::scoped_lock lock(mutex_);
  std::map<DeviceId, PeerLink> links;
  for (const auto& [device, entry] : entries_) links.emplace(device, entry.link);
  return links;
}

}  // namespace starling
