#include "core/causal/merge.h"

#include <algorithm>
#include <bit>

#include "core/base/assert.h"
#include "core/base/planted_bug.h"

namespace starling {
namespace {

bool is_seed(const Stamp& stamp) { return stamp.hlc == Hlc{}; }

template <class Fields>
auto position_of(Fields& fields, FieldIndex field) {
  return std::lower_bound(fields.begin(), fields.end(), field,
                          [](const FieldStamp& held, FieldIndex f) { return held.field < f; });
}

template <class Visit>
void for_each_field(FieldMask mask, const Visit& visit) {
  for (; mask != 0; mask &= mask - 1) visit(static_cast<FieldIndex>(std::countr_zero(mask)));
}

// A change of the generation that the row is in: its fields win or lose one by one.
MergeResult merge_fields(const RowVersion& mine, FieldMask fields, const Stamp& stamp) {
  MergeResult result;
  for_each_field(fields, [&](FieldIndex field) {
    const FieldMask bit = FieldMask{1} << field;
    const Stamp held = mine.stamp_of(field);
    const auto order = planted(PlantedBug::no_tie_break) ? stamp.hlc <=> held.hlc : stamp <=> held;
    if (order > 0) result.won |= bit;
    if (order < 0) result.lost |= bit;
    if (order == 0 && is_seed(stamp)) result.tied |= bit;  // any other equal stamp is this very change
  });
  if ((result.won | result.tied) != 0) result.verdict = Verdict::update_row;
  return result;
}

}  // namespace

Stamp RowVersion::stamp_of(FieldIndex field) const {
  const auto held = position_of(fields, field);
  return held != fields.end() && held->field == field ? held->stamp : generation;
}

void RowVersion::set(FieldIndex field, const Stamp& stamp) {
  const auto place = position_of(fields, field);
  const bool held = place != fields.end() && place->field == field;
  if (stamp == generation) {
    if (held) fields.erase(place);
  } else if (held) {
    place->stamp = stamp;
  } else {
    fields.insert(place, {field, stamp});
  }
}

bool covers(const VersionVector& vector, const RowVersion& v) {
  if (!vector.covers(v.generation) || (v.death && v.death->seq > vector.at(v.death->origin).seq)) return false;
  return std::all_of(v.fields.begin(), v.fields.end(), [&](const FieldStamp& f) { return vector.covers(f.stamp); });
}

MergeResult merge(const RowVersion* mine, Op op, const Stamp& generation, FieldMask fields, const Stamp& stamp) {
  const bool visible = mine != nullptr && !mine->death;
  const bool younger = mine == nullptr || generation > mine->generation;
  const bool careless = planted(PlantedBug::generation_ignored) && op == Op::update;
  const bool same = mine != nullptr && (generation == mine->generation || careless);

  if (op == Op::erase) return {younger || (visible && same) ? Verdict::erase_row : Verdict::superseded};

  if (visible && same) {
    MergeResult result = merge_fields(*mine, fields, stamp);
    if (op == Op::insert) result.lost = 0;  // a greater stamp of this generation had seen its insert
    return result;
  }
  // The first change of a seed carries the whole row, for peers that lack the seed.
  const bool opens = op == Op::insert || (mine == nullptr && is_seed(generation));
  if (opens && younger) return {visible ? Verdict::replace_row : Verdict::insert_row, fields};

  const bool known = op == Op::insert && same;  // it was here, and was deleted
  return {Verdict::superseded, 0, known ? 0 : fields};
}

RowVersion merged_version(const RowVersion* mine, const MergeResult& result, Op op, const Stamp& generation,
                          const Stamp& stamp, Seq seq) {
  ASSERT(result.verdict != Verdict::superseded);
  ASSERT((result.verdict == Verdict::erase_row) == (op == Op::erase));
  if (op == Op::erase) return {generation, Death{stamp.origin, seq}, {}};

  RowVersion row{generation, std::nullopt, {}};
  if (result.verdict == Verdict::update_row) {
    ASSERT(mine != nullptr);
    row = *mine;
  }
  for_each_field(result.won, [&](FieldIndex field) { row.set(field, stamp); });
  return row;
}

}  // namespace starling
