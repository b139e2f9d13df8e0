// The acknowledgement table: which member holds what, on disk.
//
// An acknowledgement is a vector, versioned by (incarnation, version): within an incarnation the version grows with
// the vector; a later incarnation of the same device replaces an earlier one even where its vector is lower (a
// restored backup). Anything older than what is held is refused, so that replays and reordering do nothing; so is
// anything from a device that is not a member, lest a late message bring a removed one back.
// The device itself is not in its table: it holds what it holds.
// Pure state; the store persists rows of sync_ack in the transaction that takes an acknowledgement in.
#pragma once

#include <map>
#include <optional>

#include "core/causal/version_vector.h"

namespace starling {

struct Acknowledgement {
  DeviceId member;
  Incarnation incarnation;
  std::uint64_t version = 0;
  VersionVector vector;
  friend bool operator==(const Acknowledgement&, const Acknowledgement&) = default;
};

class AckTable {
 public:
  // Takes `ack` in. False: refused, nothing changed. A full acknowledgement replaces the vector, and may lower it (a
  // stream that is restarted is acknowledged as 0). `delta`: the vector holds only positions that grew since the
  // member's previous version; it is joined on, and refused where the incarnation is not the one held.
  bool take(const Acknowledgement& ack, bool delta);
  void add_member(const DeviceId&);  // counts from now, with an empty acknowledgement; a member already: no effect
  void remove_member(const DeviceId&);

  [[nodiscard]] const Acknowledgement* find(const DeviceId&) const;
  [[nodiscard]] const std::map<DeviceId, Acknowledgement>& all() const { return acks_; }

  // The greatest seq of an origin's log that every member has acknowledged: entries up to it may be dropped. The
  // author itself counts as holding all, until it acknowledges under a later incarnation: then it may have lost some.
  // No member but the author: the greatest Seq there is.
  [[nodiscard]] Seq acknowledged_by_all(const Origin&) const;
  [[nodiscard]] Rev state_acknowledged_by_all(const Origin&) const;  // of its state stream, likewise

 private:
  std::map<DeviceId, Acknowledgement> acks_;
};

}  // namespace starling
