// The merge rule, written down naively: the twin that the engine is compared with.
//
// It keeps the full state of every row, (gen, dead, field -> (gen, stamp, value)), and never forgets anything. Joining
// takes the maximum of each part, so neither order nor repetition can matter: slow, and obviously right. Feed it with
// every change once or more often, in any order, and compare what it shows. It knows no SQL, no log and no compaction.
// What it cannot see: tombstones that were forgotten, and changes that wait in quarantine.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "core/base/assert.h"
#include "core/causal/change.h"

namespace starling::reference {

// Compared in this order: generation, stamp, and last (seeds only) the typed bytes.
struct Register {
  Stamp generation;
  Stamp stamp;
  Bytes value;  // typed bytes
  friend auto operator<=>(const Register&, const Register&) = default;
};

template <class T>
void raise(T& mine, const T& theirs) {
  if (mine < theirs) mine = theirs;
}

// A row as applications see it. A field that is not listed reads as its default.
using VisibleRow = std::map<FieldIndex, Bytes>;

struct Row {
  std::optional<Stamp> gen;   // the newest generation that was ever opened; nothing is less than any stamp
  std::optional<Stamp> dead;  // the newest generation that a delete saw
  std::map<FieldIndex, Register> fields;

  [[nodiscard]] bool visible() const { return gen > dead; }

  [[nodiscard]] VisibleRow values() const {
    VisibleRow row;
    if (!visible()) return row;
    for (const auto& [field, held] : fields) {
      if (held.generation == gen) row[field] = held.value;  // an older generation's value must not show through
    }
    return row;
  }

  void join(const Row& other) {
    raise(gen, other.gen);
    raise(dead, other.dead);
    for (const auto& [field, theirs] : other.fields) raise(fields.try_emplace(field, theirs).first->second, theirs);
  }

  friend bool operator==(const Row&, const Row&) = default;
};

// The state that one change alone amounts to.
inline Row row_of(const Change& change, const Stamp& stamp) {
  Row row;
  if (change.op == Op::erase) {
    row.dead = change.generation;
    return row;
  }
  // An update adds nothing to what opened its generation, except that a seed is opened by whoever changes it first.
  if (change.op == Op::insert || change.generation.hlc == Hlc{}) row.gen = change.generation;
  ByteReader values(change.values);
  for (FieldIndex field = 0; field < limits::kFieldsMax; ++field) {
    if ((change.fields >> field & 1U) == 0) continue;
    row.fields[field] = {change.generation, stamp, Bytes(read_value_bytes(values))};
  }
  ASSERT(values.done());
  return row;
}

using RowName = std::pair<std::string, Bytes>;  // the model's name and the row's key

class State {
 public:
  void apply(const std::string& model, const Change& change, const Stamp& stamp) {
    rows_[{model, Bytes(change.key)}].join(row_of(change, stamp));
  }

  void join(const State& other) {
    for (const auto& [name, row] : other.rows_) rows_[name].join(row);
  }

  [[nodiscard]] const Row& at(const RowName& name) const {
    static const Row nothing;
    const auto found = rows_.find(name);
    return found == rows_.end() ? nothing : found->second;
  }

  // Live rows of one model, each with its generation.
  template <class Visit>
  void for_each_of(const std::string& model, const Visit& visit) const {
    for (auto at = rows_.lower_bound({model, Bytes()}); at != rows_.end() && at->first.first == model; ++at)
      if (at->second.visible()) visit(at->first, *at->second.gen, at->second.values());
  }

  [[nodiscard]] std::map<RowName, VisibleRow> visible() const {
    std::map<RowName, VisibleRow> shown;
    for (const auto& [name, row] : rows_) {
      if (row.visible()) shown[name] = row.values();
    }
    return shown;
  }

 private:
  std::map<RowName, Row> rows_;
};

}  // namespace starling::reference
