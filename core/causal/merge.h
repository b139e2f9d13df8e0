// The merge rule for shared rows: one pure function that live, catch-up and snapshot all call.
//
// Every insert opens a *generation*, named by its stamp, and carries all fields; an update names the generation it
// saw and carries the changed fields; a delete names the newest generation it saw. The full state of a row is
// (gen, dead, field -> (gen, stamp, value)), and joining two states takes the maximum of each, a field's order being
// lexicographic with the generation first. The row is visible while gen > dead.
//
// What is stored is compact: a visible row keeps its generation and the stamps of the fields that were updated since;
// a dead row keeps only the greatest generation that a delete named. Under causal delivery (an entry is applied after
// all that its author had seen) compact and full state never differ:
//   - an update whose generation is not the row's is superseded, as is an insert that is not younger than the row's
//     generation, or than a generation that a delete saw, and a delete of an older generation than the row's;
//   - an insert younger than both replaces the whole row, because its generation precedes every older register; fields
//     that it does not carry read as their default, never as the old generation's value;
//   - fields of an update win or lose one by one, by stamp.
// Stamps are totally ordered (HLC, then origin). Two changes have equal stamps only as seeds (HLC 0); then the greater
// typed bytes win, which the caller decides for the fields in `tied`. The first change of a seed carries the whole row,
// so it opens the row where the seed is missing; that an update with the verdict insert_row does carry it all is input,
// and the caller's to check.
//
// A row of a snapshot is merged as the changes that make it: erase of its generation by its death; or insert of its
// generation with all fields, then an update for each field stamp. The result is the join of both states.
#pragma once

#include <optional>
#include <vector>

#include "core/causal/change.h"
#include "core/causal/version_vector.h"

namespace starling {

struct FieldStamp {
  FieldIndex field = 0;
  Stamp stamp;
  friend bool operator==(const FieldStamp&, const FieldStamp&) = default;
};

// Which delete killed a row: what the horizon of tombstones is counted by.
struct Death {
  Origin origin;
  Seq seq;
  friend bool operator==(const Death&, const Death&) = default;
};

struct RowVersion {
  Stamp generation;                // visible: the row's; dead: the greatest generation that a delete named
  std::optional<Death> death;      // set: the row is dead
  std::vector<FieldStamp> fields;  // ascending; only fields whose stamp differs from the generation; empty when dead
  // Its key is a seed's, whatever has stood under it since: a device that creates the seed later must find that it is gone, so
  // its tombstone is never dropped. No part of the version: nothing follows from it for the row.
  bool seeded = false;

  [[nodiscard]] Stamp stamp_of(FieldIndex) const;
  void set(FieldIndex, const Stamp&);  // keeps order; a stamp equal to the generation is dropped
  friend bool operator==(const RowVersion& a, const RowVersion& b) {
    return a.generation == b.generation && a.death == b.death && a.fields == b.fields;
  }
};

// Whether every change that the version names lies within the vector.
[[nodiscard]] bool covers(const VersionVector&, const RowVersion&);

enum class Verdict : std::uint8_t {
  superseded,   // nothing to do: a greater change is here already (or this very one)
  insert_row,   // the row is new or was dead: write it whole
  replace_row,  // the row is visible with an older generation: write it whole over that
  update_row,   // write the fields in `won`
  erase_row,    // remove the row if it is there, keep a tombstone
};

struct MergeResult {
  Verdict verdict = Verdict::superseded;
  FieldMask won = 0;   // fields of the change that win; insert_row, replace_row: all it carries
  FieldMask lost = 0;  // fields of the change that a concurrent, greater one has beaten: for sync_conflict
  FieldMask tied = 0;  // update_row of a seed by a seed: the caller moves the fields with greater bytes to `won`
};

// What a change from elsewhere (or our own) does to a row. `mine`: the row's version, nullptr where nothing is known
// of its key. `stamp`: of the entry that carries the change.
[[nodiscard]] MergeResult merge(const RowVersion* mine, Op op, const Stamp& generation, FieldMask fields,
                                const Stamp& stamp);

// The version of the row after that result; `seq`: the entry's place in its origin's log. Call only when the verdict
// is not superseded.
[[nodiscard]] RowVersion merged_version(const RowVersion* mine, const MergeResult& result, Op op,
                                        const Stamp& generation, const Stamp& stamp, Seq seq);

}  // namespace starling
