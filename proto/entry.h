// A log entry: one shared transaction, as bytes that its author wrote once and that nobody re-encodes.
//
// (origin, seq) names one byte string for ever: peers store and relay the bytes as they are, the next entry carries
// their hash. The codec is our own; ADR 0004 has the figures. Layout, after a format byte:
//   origin, seq, hlc, previous hash (16 bytes; zero for seq 1)
//   dependencies: what changed in the author's vector since its previous entry: origin, seq and hlc each
//   origins that generations refer to besides those. Index 0 is the author, then the dependencies, then these
//   models: their names
//   changes, as runs of one model, operation (seeds are one of their own) and field set: the generations (update, erase: origin index, hlc as a
//         difference), then the keys and the values column by column (columns.h)
//   signature: length and bytes, empty in this version
// Runs form from neighbours: order the changes of a transaction by model, operation, fields and key, and they become
// small (uuids of version 7 then stand beside others of their time) and quick to apply.
// Decoding takes hostile bytes: every field is bounded and checked, trailing bytes are an error. What decodes encodes
// to the same bytes again, apart from a signature and the choice of column forms.
#pragma once

#include <vector>

#include "core/causal/change.h"
#include "core/causal/version_vector.h"
#include "proto/columns.h"
#include "proto/unknown_model.h"

namespace starling {

struct EntryHeader {
  Origin origin;
  Seq seq;
  Hlc hlc;
  Hash128 previous;            // hash128 of the bytes of entry seq-1
  VersionVector dependencies;  // seq and hlc only; rev is not carried: the log does not wait for state streams

  [[nodiscard]] Stamp stamp() const { return {hlc, origin}; }
};

// Changes name their models by index into `schema`; all must be of Kind::shared, an insert's generation is the entry's
// stamp, or none (a seed), and no key occurs twice. The author itself and positions without a seq are left out of the dependencies.
// Errc::too_large: more than kChangesPerEntryMax changes, or the bytes, or keys and values taken by themselves, are
// beyond kEntryMax.
[[nodiscard]] Expected<Bytes> encode_entry(const EntryHeader&, const std::vector<Change>&, const Schema&);

// The header alone, without a look at the changes: what relaying, ordering and the chain need.
[[nodiscard]] Expected<EntryHeader> decode_entry_header(BytesView);

// All of it. In memory stand, beside `bytes`, the changes (88 bytes each), the rows of runs (at most kEntryMax) and, where
// the schema has grown since, those rows with the added fields (at most kGrownEntryMax). Errc::corrupt: not an entry,
// whatever the schema.
// A change may carry fields behind the last that `schema` has: its author's version is newer. One of a model that `schema`
// does not have, or has otherwise, names it by its number in `unknown`, behind those of the schema.
struct DecodedEntry {
  EntryHeader header;
  std::vector<Change> changes;  // views into `bytes`, which must outlive them, and into the arenas; free to be moved
  std::vector<UnknownModel> unknown;
  Arena arena;
  Arena grown;
};
[[nodiscard]] Expected<DecodedEntry> decode_entry(BytesView bytes, const Schema& schema);

}  // namespace starling
