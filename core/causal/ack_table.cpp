#include "core/causal/ack_table.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "core/base/limits.h"

namespace starling {
namespace {

std::size_t joined_size(VersionVector a, const VersionVector& b) {
  a.join(b);
  return a.size();
}

}  // namespace

bool AckTable::take(const Acknowledgement& ack, bool delta) {
  const auto found = acks_.find(ack.member);
  if (found == acks_.end()) return false;
  Acknowledgement& held = found->second;
  if (std::tie(ack.incarnation, ack.version) <= std::tie(held.incarnation, held.version)) return false;
  if (delta && ack.incarnation != held.incarnation) return false;
  if (delta && held.vector.size() + ack.vector.size() > limits::kVectorMax && joined_size(held.vector, ack.vector) > limits::kVectorMax)
    return false;
  held.incarnation = ack.incarnation;
  held.version = ack.version;
  if (delta) {
    held.vector.join(ack.vector);
  } else {
    held.vector = ack.vector;
  }
  return true;
}

void AckTable::add_member(const DeviceId& member) { acks_.try_emplace(member, Acknowledgement{member, {}, 0, {}}); }

void AckTable::remove_member(const DeviceId& member) { acks_.erase(member); }

const Acknowledgement* AckTable::find(const DeviceId& member) const {
  const auto found = acks_.find(member);
  return found == acks_.end() ? nullptr : &found->second;
}

std::optional<Seq> AckTable::acknowledged_by_all(const Origin& origin) const {
  if (acks_.empty()) return std::nullopt;
  Seq least{std::numeric_limits<std::uint64_t>::max()};
  for (const auto& [member, ack] : acks_) {
    const bool author = member == origin.device && ack.incarnation <= origin.incarnation;
    if (!author) least = std::min(least, ack.vector.at(origin).seq);
  }
  return least;
}

}  // namespace starling
