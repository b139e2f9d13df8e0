// The pruner: forgets what nobody can need any more, in bounded slices.
//
// Rules (docs/protocol.md, Forgetting):
//   - A log entry goes when every member has acknowledged it, or by age and size; the horizon of its origin moves, and
//     whoever stands below it takes a snapshot. By age and size nothing of ours goes that no other member has.
//   - A tombstone goes only at causal stability: for every member m, ack[m] covers the delete, our vector covers the
//     whole of ack[m], and ack[m] covers every removal of a member that we know. Neither age nor size drops one.
//   - A workspace that has admitted nobody keeps its log for the first who comes, within age and size.
// prune() works in the caller's transaction.
#pragma once

#include <map>

#include "core/base/ids.h"

namespace starling {

class Store;

class Pruner {
 public:
  struct Dropped {
    std::size_t entries = 0;
    std::size_t tombstones = 0;
    bool more = false;  // a slice was not enough
  };

  explicit Pruner(Store& store) : store_(store) {}
  [[nodiscard]] bool due(WallTime);  // something may go; reads no table but for age and size, and those once an hour
  Dropped prune(WallTime);
  void look_again() { done_.clear(); }  // rows have come otherwise than by streams

 private:
  struct Done {  // of one origin: what was looked at, up to where
    Seq entries, tombstones;
    Rev gone;
  };
  [[nodiscard]] Done goal(const Origin&, bool stones);
  [[nodiscard]] bool lived_before(const Origin&);
  [[nodiscard]] bool stones_may_go();
  [[nodiscard]] bool too_old_or_large(WallTime);
  std::size_t drop_entries(Ordinal, Seq through, std::size_t most);
  void drop_stones(Ordinal, const Done& goal, Done&, Dropped&);
  void drop_old_entries(WallTime, Dropped&);
  bool drop_oldest_entry(WallTime, bool whatever_its_age);
  [[nodiscard]] Seq held_elsewhere(const Origin&);

  Store& store_;
  std::map<Ordinal, Done> done_;
  WallTime looked_at_age_;
};

}  // namespace starling
