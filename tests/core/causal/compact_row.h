// A row as the store keeps it, but in memory: the store's half of the merge rule, for tests of merge().
//
// CompactRow holds a RowVersion and the values, and does with a MergeResult what the store does with SQL. OwnedChange
// is a Change that owns its bytes, with the stamp and seq of the entry that carries it.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "core/causal/merge.h"
#include "tests/core/causal/reference_merge.h"

namespace starling {

struct OwnedChange {
  Op op = Op::insert;
  Stamp generation;
  FieldMask fields = 0;
  Bytes values;  // typed bytes of `fields`, ascending
  Stamp stamp;
  Seq seq;

  [[nodiscard]] Change change(BytesView key = {}) const { return {0, op, generation, key, fields, values}; }
};

inline Bytes typed(std::int64_t v) {
  ByteWriter w;
  write_value(w, ValueView::of(v));
  return w.take();
}

struct CompactRow {
  std::optional<RowVersion> version;   // nothing: nothing is known of this key
  std::map<FieldIndex, Bytes> values;  // absent: the default; none while dead

  [[nodiscard]] bool visible() const { return version && !version->death; }
  [[nodiscard]] bool is_unchanged_seed() const {
    return visible() && version->generation.hlc == Hlc{} && version->fields.empty();
  }

  // What merge() said, with ties decided: superseded means that nothing was written.
  MergeResult apply(const OwnedChange& c) {
    const RowVersion* mine = version ? &*version : nullptr;
    MergeResult result = merge(mine, c.op, c.generation, c.fields, c.stamp);
    const reference::Row theirs = reference::row_of(c.change(), c.stamp);  // for the values, split by field
    for (const auto& [field, held] : theirs.fields) {
      if ((result.tied >> field & 1U) != 0 && held.value > values[field]) result.won |= FieldMask{1} << field;
    }
    result.tied = 0;
    if (result.verdict == Verdict::update_row && result.won == 0) result.verdict = Verdict::superseded;
    if (result.verdict == Verdict::superseded) return result;

    version = merged_version(mine, result, c.op, c.generation, c.stamp, c.seq);
    if (result.verdict != Verdict::update_row) values.clear();
    for (const auto& [field, held] : theirs.fields) {
      if ((result.won >> field & 1U) != 0) values[field] = held.value;
    }
    return result;
  }

  // A change of this row by somebody who sees it as it stands. `carries`: new values, by field.
  [[nodiscard]] OwnedChange write(Op op, std::map<FieldIndex, Bytes> carries, const Stamp& stamp, Seq seq = {}) const {
    OwnedChange c{op, op == Op::insert ? stamp : version->generation, 0, {}, stamp, seq};
    if (op == Op::update && is_unchanged_seed()) carries.insert(values.begin(), values.end());
    for (const auto& [field, value] : carries) {
      c.fields |= FieldMask{1} << field;
      c.values += value;
    }
    return c;
  }

  // The changes that make this row, as a snapshot hands them on.
  [[nodiscard]] std::vector<OwnedChange> taken_apart() const {
    if (!version) return {};
    if (version->death)
      return {{Op::erase, version->generation, 0, {}, {{}, version->death->origin}, version->death->seq}};
    OwnedChange whole{Op::insert, version->generation, 0, {}, version->generation, {}};
    for (const auto& [field, value] : values) {
      whole.fields |= FieldMask{1} << field;
      whole.values += value;
    }
    std::vector<OwnedChange> changes{whole};
    for (const auto& [field, stamp] : version->fields) {
      changes.push_back({Op::update, version->generation, FieldMask{1} << field, values.at(field), stamp, {}});
    }
    return changes;
  }

  void take(const CompactRow& snapshot) {
    for (const OwnedChange& change : snapshot.taken_apart()) apply(change);
  }

  // Equal in all that must converge. Which of two deletes killed a row is not among it: either counts.
  [[nodiscard]] bool same_as(const CompactRow& other) const {
    if (version.has_value() != other.version.has_value() || values != other.values) return false;
    return !version || (version->generation == other.version->generation && version->fields == other.version->fields &&
                        version->death.has_value() == other.version->death.has_value());
  }

  // Whether this is the compact form of that full state.
  [[nodiscard]] bool stands_for(const reference::Row& full) const {
    if (visible() != full.visible() || values != full.values()) return false;
    if (!version) return !full.gen && !full.dead;
    if (!visible()) return version->fields.empty() && version->generation == full.dead;
    for (const auto& [field, held] : full.fields) {
      if (held.generation == full.gen && held.stamp != version->stamp_of(field)) return false;
    }
    return version->generation == full.gen;
  }
};

}  // namespace starling
