// RowStore: the rows of one owner as they are handed on, those too that are not, or not wholly, known here.
#include "core/store/row_store.h"

#include <bit>

namespace starling {
namespace {

std::size_t values_in(BytesView typed) {
  std::size_t n = 0;
  for (ByteReader r(typed); !r.rest().empty() && !r.failed(); ++n) (void)read_value_bytes(r);
  return n;
}

FieldMask plain(const ModelSchema& m) { return m.all_fields() & ~m.key_fields(); }

}  // namespace

std::optional<Bytes> completed(const ModelSchema& m, BytesView values) {
  FieldMask had = 0;
  ByteReader r(values);
  for (FieldMask left = plain(m); left != 0 && !r.rest().empty(); left &= left - 1) {
    (void)read_value_bytes(r);
    had |= left & (~left + 1);
  }
  const std::optional<Bytes> added = m.values_added_since(had);
  if (!r.done() || !added) return std::nullopt;
  return Bytes(values) + *added;
}

const char RowStore::kReadOwned[] =
    "SELECT model, key, rev, dead_seq, NULL, sum, NULL FROM sync_row r WHERE origin=?1 AND rev>?2 AND rev IS NOT NULL"
    " AND NOT EXISTS (SELECT 1 FROM sync_quarantine q WHERE q.origin=?1 AND q.rev=r.rev)"
    " UNION ALL SELECT m.number, q.key, q.rev, nullif(q.deleted, 0), q.row, NULL, q.model FROM sync_quarantine q"
    " LEFT JOIN sync_model m ON m.name=q.model WHERE q.origin=?1 AND q.rev>?2 ORDER BY 3";

// In quarantine here; others are told of it all the same. As its model would have it, where that is here, else as it came.
void RowStore::read_quarantined_owned(OwnedRow& row) const {
  const BytesView values = read_owned_.column_bytes(4);
  const auto model = by_number_.find(read_owned_.column_is_null(0) ? -1 : read_owned_.column_integer(0));
  const ModelSchema* m = model != by_number_.end() ? &schema_.models[model->second] : nullptr;
  const bool fits = m != nullptr && m->kind == Kind::device_owned && values_in(row.key) == m->key.size();
  if (fits) row.model = model->second;
  else row.name = read_owned_.column_bytes(6);
  if (row.deleted) {
    if (!fits) row.columns = 0;
    return;
  }
  std::optional<Bytes> whole = fits ? completed(*m, values) : std::nullopt;
  if (!whole) row.columns = static_cast<std::uint8_t>(values_in(values));
  row.values = values;
  if (whole && whole->size() != values.size()) row.whole = std::move(*whole);
}

void RowStore::read_visible_owned(OwnedRow& row, Ordinal owner) {
  const std::optional<BytesView> values = read_row(row.model, row.key);
  row.missing = !values;
  if (!values) return;
  const ModelSchema& m = schema_.models[row.model];
  row.values = *values;
  row.damaged = static_cast<RowSum>(read_owned_.column_integer(5)) != sum_of(m, row.key, origins_.origin(owner), row.rev, *values);
  const KeptFields::Kept kept = kept_.of(number(row.model), row.key);
  if (kept.fields == 0) return;
  const FieldMask due = kept.fields & m.all_fields();  // refused here, and its owner's all the same
  ByteWriter fresh;
  pick_fields(kept.values, kept.fields, due, fresh);
  row.whole = overlay_fields(Bytes(*values), plain(m), fresh.bytes(), due, due) + kept_beyond(row.model, row.key).values;
  if (kept.fields != due) row.columns = static_cast<std::uint8_t>(std::popcount(plain(m)) + std::popcount(kept.fields & ~due));
}

KeptFields::Kept RowStore::kept_beyond(ModelIndex m, BytesView key) {
  const KeptFields::Kept kept = kept_.of(number(m), key);
  const FieldMask beyond = kept.fields & ~schema_.models[m].all_fields();
  ByteWriter values;
  pick_fields(kept.values, kept.fields, beyond, values);
  return {beyond, values.take()};
}

void RowStore::read_owned(Ordinal owner, Rev from, const std::function<bool(const OwnedRow&)>& take) {
  const ResetGuard guard(read_owned_);
  read_owned_.integer(owner).integer(static_cast<std::int64_t>(from.value));
  while (read_owned_.step()) {
    OwnedRow row;
    row.key = read_owned_.column_bytes(1);
    row.rev = Rev{static_cast<std::uint64_t>(read_owned_.column_integer(2))};
    row.deleted = !read_owned_.column_is_null(3);
    if (!read_owned_.column_is_null(4)) {
      read_quarantined_owned(row);
    } else {
      const auto model = by_number_.find(read_owned_.column_integer(0));
      if (model == by_number_.end()) continue;  // a model that this build does not have: nobody can be told of it
      row.model = model->second;
      if (!row.deleted) read_visible_owned(row, owner);
    }
    if (!row.whole.empty()) row.values = row.whole;
    if (!take(row)) return;
  }
}

std::optional<Bytes> RowStore::next_kept_due(ModelIndex m, const std::optional<Bytes>& after) {
  return kept_.next_due(number(m), after, schema_.models[m].fields.size());
}

}  // namespace starling
