// Change capture without a hook: dumps of the tables before and after, compared. Slow, and plainly right.
#pragma once

#include <SQLiteCpp/Database.h>

#include <map>
#include <string>
#include <vector>

#include "core/store/capture.h"
#include "core/store/schema_reader.h"
#include "core/store/statement.h"

namespace starling {

struct NaiveChange {
  Op op = Op::insert;
  FieldMask changed = 0;
  Bytes values;
  Bytes row;
  friend bool operator==(const NaiveChange&, const NaiveChange&) = default;
};

using RowName = std::pair<ModelIndex, Bytes>;        // model and key
using Dump = std::map<RowName, std::vector<Bytes>>;  // the typed bytes of every non-key field
using NaiveChanges = std::map<RowName, NaiveChange>;

inline Dump dump(SQLite::Database& db, const Schema& schema) {
  Dump rows;
  for (const ModelSchema& m : schema.models) {
    std::string columns;
    for (const FieldSchema& f : m.fields) columns += (columns.empty() ? "" : ",") + quote_identifier(f.name);
    Statement select(db.getHandle(), "SELECT " + columns + " FROM " + quote_identifier(m.name));
    while (select.step()) {
      ByteWriter key;
      for (const FieldIndex i : m.key) write_value(key, select.column_value(static_cast<int>(i)));
      std::vector<Bytes>& fields = rows[{schema.index_of(m), key.take()}];
      for (FieldIndex i = 0; i < m.fields.size(); ++i) {
        ByteWriter value;
        if (m.fields[i].key_position == 0) write_value(value, select.column_value(static_cast<int>(i)));
        fields.push_back(value.take());  // empty for a key field
      }
    }
  }
  return rows;
}

inline NaiveChange naive_change(const std::vector<Bytes>* before, const std::vector<Bytes>& after) {
  NaiveChange change;
  change.op = before == nullptr ? Op::insert : Op::update;
  for (std::size_t i = 0; i < after.size(); ++i) {
    change.row += after[i];
    if (after[i].empty() || (before != nullptr && (*before)[i] == after[i])) continue;
    change.changed |= FieldMask{1} << i;
    change.values += after[i];
  }
  return change;
}

inline NaiveChanges naive_changes(const Dump& before, const Dump& after) {
  NaiveChanges changes;
  for (const auto& [name, fields] : before)
    if (!after.contains(name)) changes[name] = {Op::erase, 0, "", ""};
  for (const auto& [name, fields] : after) {
    const auto old = before.find(name);
    const NaiveChange change = naive_change(old == before.end() ? nullptr : &old->second, fields);
    if (change.op == Op::insert || change.changed != 0) changes[name] = change;
  }
  return changes;
}

inline NaiveChanges by_row(const std::vector<NetChange>& folded) {
  NaiveChanges changes;
  for (const NetChange& c : folded) changes[{c.model, Bytes(c.key)}] = {c.op, c.changed, Bytes(c.values), Bytes(c.row)};
  return changes;
}

}  // namespace starling
