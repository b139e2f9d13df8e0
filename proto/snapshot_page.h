// The pages of a snapshot: all shared rows of a workspace, with their versions, as of one vector.
//
// Page 0 is the head: for each origin the position in its log, the hash of the entry there, and what its author had
// seen. Every other page holds rows of one model in key order, from behind the page before up to `through`, or to the
// end of the model: of these keys it lists every row that the source has, dead ones as tombstones. It says which fields
// the source has, whose version may be older or newer. Pages of equal rows
// are equal bytes, whoever makes them: a receiver keeps what it has by hash. Origins stand in a table of each page,
// ascending, all of them used.
// Decoding takes hostile bytes: every field is bounded and checked, trailing bytes are an error.
#pragma once

#include <vector>

#include "core/base/schema.h"
#include "core/causal/merge.h"
#include "core/causal/version_vector.h"
#include "proto/columns.h"
#include "proto/unknown_model.h"

namespace starling {

struct SnapshotHead {
  struct Log {
    Origin origin;
    Seq seq;
    Hlc hlc;              // of the entry at seq
    Hash128 hash;         // of its bytes
    VersionVector seen;   // by its author, seq and hlc only
    friend bool operator==(const Log&, const Log&) = default;
  };
  std::vector<Log> logs;  // ascending by origin

  [[nodiscard]] VersionVector vector() const;
  friend bool operator==(const SnapshotHead&, const SnapshotHead&) = default;
};

[[nodiscard]] Bytes encode_snapshot_head(const SnapshotHead&);  // what authors had seen is left out where it is too much
[[nodiscard]] Expected<SnapshotHead> decode_snapshot_head(BytesView);

struct SnapshotRow {
  BytesView key;
  RowVersion version;
  BytesView values;  // typed bytes of every field that is not in the key; empty when dead
};

// Where a page ends; a model's first page begins before all keys.
struct SnapshotRange {
  Bytes through;       // the last key of the range
  bool to_end = false;  // the range has no end, and `through` is empty
};

// Rows ascending by key; at most limits::kSnapshotPageMax and one row.
[[nodiscard]] Bytes encode_snapshot_page(const Schema&, ModelIndex, std::span<const SnapshotRow>, const SnapshotRange&);

struct DecodedSnapshotPage {
  ModelIndex model = 0;             // schema.models.size(): one that the schema does not have as shared, or has otherwise;
  UnknownModel unknown;             //   then this says which, and why
  FieldMask fields = 0;             // that each row has that is not dead, maybe more than the schema
  SnapshotRange range;
  std::vector<SnapshotRow> rows;    // views into the bytes and the arenas; with the fields that the source did not have yet
  Arena arena;
  Arena grown;
};
// Errc::corrupt: no such page.
[[nodiscard]] Expected<DecodedSnapshotPage> decode_snapshot_page(BytesView, const Schema&);

}  // namespace starling
