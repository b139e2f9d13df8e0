// One change of one row, as it stands in the log and as the merge rule sees it.
//
// Views point into the bytes of the entry (or the arena of the transaction) that holds the change, which must outlive
// it. Key columns are never among `fields`: their values are the key.
#pragma once

#include "core/base/schema.h"
#include "core/base/value.h"

namespace starling {

struct Change {
  ModelIndex model = 0;
  Op op = Op::insert;
  Stamp generation;      // insert: the entry's own stamp, which opens it, or none of a seed; update, erase: the generation it saw
  BytesView key;         // canonical: typed bytes of the key columns, in key order
  FieldMask fields = 0;  // insert: every field that is not in the key; update: those that changed; erase: none
  BytesView values;      // typed bytes of `fields`, ascending
};

// A row that every device creates on its own: it stands at HLC 0, whoever tells of it and when.
[[nodiscard]] inline bool is_seed(const Change& c) { return c.op == Op::insert && c.generation == Stamp{}; }
// The stamp of what a change writes, in an entry with that one.
[[nodiscard]] inline const Stamp& stamp_of(const Change& c, const Stamp& entry) { return is_seed(c) ? c.generation : entry; }

}  // namespace starling
