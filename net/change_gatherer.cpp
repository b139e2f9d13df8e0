#include "net/change_gatherer.h"

#include <bit>

namespace starling {
namespace {

std::vector<SqlValue> values_of(BytesView typed_bytes) {
  std::vector<SqlValue> values;
  for (ByteReader r(typed_bytes); !r.rest().empty() && !r.failed();) values.push_back(to_sql_value(read_value(r)));
  return values;
}

std::vector<std::string> names_of(FieldMask fields, const ModelSchema& model) {
  std::vector<std::string> names;
  for (; fields != 0; fields &= fields - 1) {
    const auto i = static_cast<std::size_t>(std::countr_zero(fields));
    if (i < model.fields.size()) names.push_back(model.fields[i].name);
  }
  return names;
}

}  // namespace

void ChangeGatherer::add(const ChangeSet& set) {
  conflicts_ = conflicts_ || set.conflicts;
  if (everything_) return;
  if (set.overflow || rows_.size() + set.rows.size() > limits::kChangeEventRowsMax) return add_everything();
  for (const ChangedRow& row : set.rows) add(row, set.local, set.schema->models.at(row.model));
}

void ChangeGatherer::add(const ChangedRow& row, bool local, const ModelSchema& model) {
  const auto [at, first] = index_.try_emplace(model.name + '\0' + row.key, rows_.size());
  if (first) {
    rows_.push_back({{model.name, row.op, local, values_of(row.key), names_of(row.fields, model)}, row.fields, false});
    return;
  }
  Row& held = rows_[at->second];
  const Op before = held.gone ? Op::erase : held.change.op;
  const bool was_there = !held.gone && before != Op::insert;  // when the gathering began
  held.change.local = local;
  held.gone = row.op == Op::erase && !was_there;
  if (row.op == Op::erase) {
    held.change.op = Op::erase;
    held.fields = 0;
  } else if (before == Op::erase) {
    held.change.op = was_there ? Op::update : Op::insert;
    held.fields = row.fields;
  } else {
    held.fields |= row.fields;
  }
  held.change.fields = names_of(held.fields, model);
}

void ChangeGatherer::add_everything() {
  everything_ = true;
  rows_.clear();
  index_.clear();
}

ChangeEvent ChangeGatherer::take() {
  ChangeEvent event;
  event.everything = std::exchange(everything_, false);
  event.conflicts = std::exchange(conflicts_, false);
  for (Row& row : rows_)
    if (!row.gone) event.rows.push_back(std::move(row.change));
  rows_.clear();
  index_.clear();
  return event;
}

}  // namespace starling
