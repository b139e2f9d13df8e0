#include "core/replica/conflict_recorder.h"

#include <bit>

#include "core/store/conflict_log.h"
#include "core/store/origin_table.h"
#include "core/store/peer_log.h"
#include "core/store/row_store.h"
#include "core/store/store.h"

namespace starling {
namespace {

const char* name_of(Op op) {
  switch (op) {
    case Op::insert: return "insert";
    case Op::update: return "update";
    case Op::erase: return "delete";
  }
  return "";
}

}  // namespace

ConflictRecorder::ConflictRecorder(Store& store, const EntryHeader& header, const VersionVector& author_seen,
                                   WallTime wall)
    : store_(store), stamp_(header.stamp()), seen_(author_seen), wall_(wall) {}

ConflictRecorder::ConflictRecorder(Store& store, const VersionVector& seen, WallTime wall)
    : store_(store), seen_(seen), wall_(wall), of_snapshot_(true) {}

void ConflictRecorder::lost_to_sweep(ModelIndex model, BytesView key, const RowVersion& mine) {
  const ModelSchema& m = store_.schema().models[model];
  if (m.built_in || mine.death) return;
  stamp_ = {};
  lost_here({model, Op::erase, mine.generation, key, 0, {}}, mine, unseen(mine, m.all_fields() & ~m.key_fields()), "delete");
}

void ConflictRecorder::record(const Change& c, const RowVersion* mine, const MergeResult& result) {
  if (store_.schema().models[c.model].built_in || is_seed(c)) return;  // what every device creates is nobody's to lose
  if (of_snapshot_ && (result.verdict == Verdict::superseded || result.verdict == Verdict::insert_row)) return;
  const FieldMask every = store_.schema().models[c.model].all_fields() & ~store_.schema().models[c.model].key_fields();
  switch (result.verdict) {
    case Verdict::superseded:
      if (mine == nullptr) return lost_there(c, mine, c.fields, "delete");  // it was here, and its stone is gone
      if (mine->generation == stamp_) return;          // the same insert again
      if (c.op == Op::erase && mine->death) return;    // both wanted it gone
      lost_there(c, mine, c.fields, mine->death ? "delete" : mine->generation == c.generation ? "update" : "insert");
      return;
    case Verdict::insert_row:
      if (mine != nullptr && mine->death && unseen(*mine->death)) {
        const ModelSchema& model = store_.schema().models[c.model];
        store_.conflicts().add({model.name, c.key, "", "insert", stamp_, stamp_of(*mine->death), {}}, wall_);
      }
      return;
    case Verdict::update_row:
      if (!of_snapshot_) lost_there(c, mine, result.lost, "update");
      lost_here(c, *mine, unseen(*mine, result.won), "update");
      return;
    case Verdict::replace_row:
    case Verdict::erase_row:
      if (mine != nullptr && !mine->death) lost_here(c, *mine, unseen(*mine, every), name_of(c.op));
      return;
  }
}

FieldMask ConflictRecorder::unseen(const RowVersion& mine, FieldMask fields) const {
  FieldMask mask = 0;
  for (FieldMask left = fields; left != 0; left &= left - 1) {
    const auto field = static_cast<FieldIndex>(std::countr_zero(left));
    const Stamp held = mine.stamp_of(field);
    if (held.origin != stamp_.origin && !seen_.covers(held)) mask |= FieldMask{1} << field;
  }
  return mask;
}

bool ConflictRecorder::unseen(const Death& death) const {
  return death.origin != stamp_.origin && seen_.at(death.origin).seq < death.seq;
}

// A tombstone keeps the place of its delete; when that was, its entry says, as long as we hold it.
Stamp ConflictRecorder::stamp_of(const Death& death) {
  if (last_death_ && last_death_->first == death) return last_death_->second;
  const std::optional<Ordinal> ordinal = store_.origins().find(death.origin);
  const std::optional<EntryHeader> header = ordinal ? store_.log().header(*ordinal, death.seq) : std::nullopt;
  const Stamp stamp{header ? header->hlc : Hlc{}, death.origin};
  last_death_ = {death, stamp};
  return stamp;
}

// Values of ours that the change replaces.
void ConflictRecorder::lost_here(const Change& c, const RowVersion& mine, FieldMask fields, const char* why) {
  if (fields == 0) return;
  const std::optional<BytesView> row = store_.rows().read_row(c.model, c.key);
  if (!row) return;
  const ModelSchema& model = store_.schema().models[c.model];
  ByteReader theirs(c.values);
  ByteReader ours(*row);
  for (FieldMask left = model.all_fields() & ~model.key_fields(); left != 0; left &= left - 1) {
    const auto field = static_cast<FieldIndex>(std::countr_zero(left));
    const FieldMask bit = FieldMask{1} << field;
    const BytesView value = read_value_bytes(ours);
    const BytesView winner = (c.fields & bit) != 0 ? read_value_bytes(theirs) : BytesView{};
    if ((fields & bit) == 0 || value == winner) continue;  // both wrote the same: nothing is lost
    store_.conflicts().add({model.name, c.key, model.fields[field].name, why, stamp_, mine.stamp_of(field), value}, wall_);
  }
}

// Values of the change that greater ones of ours beat, or a delete.
void ConflictRecorder::lost_there(const Change& c, const RowVersion* mine, FieldMask fields, const char* why) {
  const ModelSchema& model = store_.schema().models[c.model];
  const Stamp none;
  if (c.op == Op::erase) {
    store_.conflicts().add({model.name, c.key, "", why, mine != nullptr ? mine->generation : none, stamp_, {}}, wall_);
    return;
  }
  const std::optional<BytesView> row = store_.rows().read_row(c.model, c.key);
  ByteReader ours(row ? *row : BytesView{});
  ByteReader theirs(c.values);
  for (FieldMask left = model.all_fields() & ~model.key_fields(); left != 0; left &= left - 1) {
    const auto field = static_cast<FieldIndex>(std::countr_zero(left));
    const FieldMask bit = FieldMask{1} << field;
    const BytesView held = row ? read_value_bytes(ours) : BytesView{};
    if ((c.fields & bit) == 0) continue;
    const BytesView value = read_value_bytes(theirs);
    if ((fields & bit) == 0 || value == held) continue;
    const Stamp winner = mine == nullptr ? none : mine->death ? stamp_of(*mine->death) : mine->stamp_of(field);
    store_.conflicts().add({model.name, c.key, model.fields[field].name, why, winner, stamp_, value}, wall_);
  }
}

}  // namespace starling
