#include "core/replica/row_repair.h"

#include "core/store/origin_table.h"
#include "core/store/row_image.h"
#include "core/store/row_store.h"
#include "core/store/store.h"

namespace starling {
RowRepair::RowRepair(Store& store, ModelIndex model, const Origin& owner, const DeviceId& peer)
    : store_(store), model_(model), schema_(store.schema().models[model]), owner_(owner), peer_(peer) {}

// At equal vectors no version lies beyond ours: one that does is made up, and would drag our clock along.
Expected<void> RowRepair::check(const RepairRow& row) const {
  const VersionVector& vector = store_.origins().vector();
  const bool covered = schema_.kind == Kind::device_owned ? row.rev != Rev{} && row.rev <= vector.at(owner_).rev
                                                          : covers(vector, row.version);
  if (!covered) return Error{Errc::corrupt, "a row of a repair that nobody has written", schema_.name, ""};
  Expected<void> good = check_key(schema_, row.key);
  if (good) good = check_values(schema_, plain(), row.values);
  if (!good) return Error{Errc::corrupt, good.error().what, schema_.name, ""};
  return {};
}

Expected<bool> RowRepair::take(const RepairRow& row) {
  const Expected<void> good = check(row);
  if (!good) return good.error();
  return schema_.kind == Kind::shared ? take_shared(row) : take_owned(row);
}

bool RowRepair::take_shared(const RepairRow& row) {
  RowStore& rows = store_.rows();
  const std::optional<RowVersion> held = rows.version(model_, row.key);
  RowVersion version = row.version;
  Bytes values(row.values);
  if (held && held->death) {
    if (merge(&*held, Op::insert, row.version.generation, plain(), row.version.generation).verdict == Verdict::superseded)
      return false;
  } else if (held) {
    const bool good = rows.is_good(model_, row.key);  // also what is shown of it
    const std::optional<BytesView> mine = rows.read_row(model_, row.key);
    if (mine && good) {
      if (*held == row.version && *mine >= row.values) return false;
      if (*held != row.version) {
        version = *held;
        values = *mine;
        join(row, version, values);
        if (version == *held) return false;
      }
    }
  }
  rows.upsert_row(model_, row.key, values);
  rows.put(model_, row.key, version, values);
  return true;
}

// A row of a repair stands for the changes that make it (merge.h).
void RowRepair::join(const RepairRow& row, RowVersion& version, Bytes& values) const {
  const auto apply = [&](Op op, FieldMask fields, const Stamp& stamp) {
    const MergeResult merged = merge(&version, op, row.version.generation, fields, stamp);
    if (merged.verdict == Verdict::superseded) return;
    values = overlay_fields(values, plain(), row.values, plain(), merged.won);
    version = merged_version(&version, merged, op, row.version.generation, stamp, Seq{});
  };
  apply(Op::insert, plain(), row.version.generation);
  for (const FieldStamp& f : row.version.fields) apply(Op::update, FieldMask{1} << f.field, f.stamp);
}

bool RowRepair::take_owned(const RepairRow& row) {
  RowStore& rows = store_.rows();
  const std::optional<Ordinal> owner = store_.origins().find(owner_);
  ASSERT(owner.has_value());  // its position is not zero
  const std::optional<OwnedVersion> held = rows.owned(model_, row.key);
  if (held && held->owner != *owner) return false;  // a collision of keys is decided elsewhere (applier.h)
  if (held && held->deleted) {
    if (held->rev >= row.rev) return false;
  } else if (held) {
    const std::optional<BytesView> mine = rows.read_row(model_, row.key);
    if (mine && rows.is_intact(model_, row.key, *held, *mine)) {
      if (held->rev > row.rev || owner_.device == store_.self().device) return false;
      const bool greater = owner_.device == peer_ ? *mine != row.values : *mine < row.values;
      if (held->rev == row.rev && !greater) return false;
    }
  }
  rows.upsert_row(model_, row.key, row.values);
  rows.put_owned(model_, row.key, {*owner, row.rev, false}, row.values);
  return true;
}

}  // namespace starling
