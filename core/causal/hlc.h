// The hybrid logical clock: stamps that never go back, however the wall clock moves.
//
// Rules (Kulkarni et al. 2014, with a bound on drift):
//   1. A stamp we issue exceeds every stamp that we issued or observed, on disk too: the high-water mark is read from
//      the database at start and stands in the same transaction as what it stamps.
//   2. Physical time leads where it can: a stamp is the wall time, unless rule 1 asks for more. When our wall clock
//      steps back, local writes go on above the high-water mark.
//   3. A peer's stamp further ahead of our wall clock than the drift limit is not acceptable: applying it would pull
//      every clock of the workspace along. It waits until time has passed.
//   4. When the 16-bit counter is full, the stamp moves into the next millisecond.
// Not thread-safe; a value with no clock inside: time is an argument.
#pragma once

#include "core/base/limits.h"
#include "core/base/time.h"

namespace starling {

class HlcClock {
 public:
  HlcClock() = default;
  explicit HlcClock(Hlc high_water) : last_(high_water) {}

  [[nodiscard]] Hlc tick(WallTime wall);  // greater than all issued or observed
  void observe(Hlc remote);               // call for every stamp that is applied
  [[nodiscard]] Hlc last() const { return last_; }

  // Rule 3. May a peer's stamp be applied now; and if not, when?
  [[nodiscard]] static bool acceptable(Hlc remote, WallTime wall);
  [[nodiscard]] static WallTime acceptable_at(Hlc remote);

 private:
  Hlc last_;
};

}  // namespace starling
