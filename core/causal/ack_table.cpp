#include "core/causal/ack_table.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "core/base/limits.h"

namespace starling {
bool AckTable::take(const Acknowledgement& ack, bool delta) {
  const auto found = acks_.find(ack.member);
  if (found == acks_.end()) return false;
  Acknowledgement& held = found->second;
  if (std::tie(ack.incarnation, ack.version) <= std::tie(held.incarnation, held.version)) return false;
  if (delta && ack.incarnation != held.incarnation) return false;
  if (delta && held.vector.size() + ack.vector.size() <= limits::kVectorMax) {  // in place: it fits, whatever they share
    held.vector.join(ack.vector);
  } else {
    VersionVector vector = delta ? held.vector : VersionVector();
    vector.join(ack.vector);
    if (vector.size() > limits::kVectorMax) return false;
    held.vector = std::move(vector);
  }
  held.incarnation = ack.incarnation;
  held.version = ack.version;
  return true;
}

void AckTable::add_member(const DeviceId& member) { acks_.try_emplace(member, Acknowledgement{member, {}, 0, {}}); }

void AckTable::remove_member(const DeviceId& member) { acks_.erase(member); }

const Acknowledgement* AckTable::find(const DeviceId& member) const {
  const auto found = acks_.find(member);
  return found == acks_.end() ? nullptr : &found->second;
}

Seq AckTable::acknowledged_by_all(const Origin& origin) const {
  Seq least{std::numeric_limits<std::uint64_t>::max()};
  for (const auto& [member, ack] : acks_) {
    const bool author = member == origin.device && ack.incarnation <= origin.incarnation;
    if (!author) least = std::min(least, ack.vector.at(origin).seq);
  }
  return least;
}

Rev AckTable::state_acknowledged_by_all(const Origin& origin) const {
  Rev least{std::numeric_limits<std::uint64_t>::max()};
  for (const auto& [member, ack] : acks_) {
    const bool author = member == origin.device && ack.incarnation <= origin.incarnation;
    if (!author) least = std::min(least, ack.vector.at(origin).rev);
  }
  return least;
}

}  // namespace starling
