// The rebase: what a device wrote before it had caught up with anybody, stamped anew.
//
// A newcomer, and a device restored from a backup, may write at once. But what it writes then has not seen what the
// others have: they may have deleted a row and forgotten even that, and an older insert would show on one device and not
// on the next. So its log is provisional: on disk, atomic, in order, and told to nobody. Once it has caught up with a
// member, what is left of it is stamped as of now, against the rows found, as one transaction (or a few, where it is
// too large for one), under the numbers that the provisional entries had: nobody has seen those.
//
//   a row that we inserted     an insert, as it now stands; as we wrote it, where it was taken for dead
//   fields that we changed     an update of them, if the row is still in the generation that we changed
//   a row that we deleted      a delete, likewise; of a row of our own an insert and then a delete, for it may have
//                              hidden an older row of somebody else's
// What has been beaten meanwhile stays beaten, and stands in sync_conflict.
#pragma once

#include <vector>

#include "core/replica/event.h"

namespace starling {

class Applier;
class Store;

// In a transaction; our log is no longer provisional. Gives the commits to tell.
struct Retold {
  std::vector<LocalCommit> commits;
  std::size_t rows = 0;        // that were written, and are told now
  std::size_t superseded = 0;  // that are not: others have written them since
};
[[nodiscard]] Retold rebase(Store&, Applier&, WallTime);

}  // namespace starling
