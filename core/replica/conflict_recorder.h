// The conflict recorder: which values lost in a merge, and to whom.
//
// A value that its successor's author had seen is history, not a conflict; one that he had not seen was written at the
// same time, and its loss is recorded (promise 3: no silent loss). An author's sight is the sum of the dependencies of
// his entries. Whoever merges the two changes records the loss.
#pragma once

#include <optional>

#include "core/causal/merge.h"
#include "core/causal/version_vector.h"

namespace starling {

class Store;
struct EntryHeader;

class ConflictRecorder {
 public:
  // For the changes of one entry. `author_seen`: what its author had seen when he wrote it; both outlive the recorder.
  ConflictRecorder(Store&, const EntryHeader&, const VersionVector& author_seen, WallTime);

  // For the rows of a snapshot as of `seen`: of these, it records what of ours they beat that they had not seen.
  ConflictRecorder(Store&, const VersionVector& seen, WallTime);
  void set_stamp(const Stamp& stamp) { stamp_ = stamp; }  // of the next change
  [[nodiscard]] WallTime wall() const { return wall_; }
  // A row of ours that a snapshot has seen die.
  void lost_to_sweep(ModelIndex, BytesView key, const RowVersion& mine);

  // Call before the row is written. `row`: our typed bytes of its non-key fields; nullopt where there is no row.
  void record(const Change&, const RowVersion* mine, const MergeResult&);

 private:
  void lost_here(const Change&, const RowVersion& mine, FieldMask fields, const char* why);
  void lost_there(const Change&, const RowVersion* mine, FieldMask fields, const char* why);
  [[nodiscard]] FieldMask unseen(const RowVersion& mine, FieldMask fields) const;
  [[nodiscard]] bool unseen(const Death&) const;
  [[nodiscard]] Stamp stamp_of(const Death&);

  Store& store_;
  Stamp stamp_;
  const VersionVector& seen_;
  WallTime wall_;
  bool of_snapshot_ = false;
  std::optional<std::pair<Death, Stamp>> last_death_;  // the rows of one delete often lose together
};

}  // namespace starling
