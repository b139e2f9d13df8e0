// Rows whose versions take another name: this device goes on under another life (Store::begin_new_life).
#include <algorithm>

#include "core/store/row_store.h"

namespace starling {

void RowStore::rename(Ordinal from, Ordinal to, const Position& behind) {
  Statement(db_, "UPDATE sync_row SET dead_origin=?2, dead_seq=dead_seq-?3 WHERE dead_origin=?1 AND dead_seq>?3")
      .integer(from).integer(to).integer(static_cast<std::int64_t>(behind.seq.value)).run();
  rename_stamps(from, to, behind.hlc);
  sum_anew(to);
}

void RowStore::rename_stamps(Ordinal from, Ordinal to, Hlc behind) {
  const auto its = [&](Ordinal origin, Hlc hlc) { return origin == from && hlc > behind; };
  Statement select(db_, "SELECT model, key, origin, hlc, fields FROM sync_row WHERE rev IS NULL AND (origin=?1 OR fields IS NOT NULL)");
  Statement update(db_, "UPDATE sync_row SET origin=?3, fields=?4 WHERE model=?1 AND key=?2");
  select.integer(from);
  while (select.step()) {  // rows are changed in place: none moves
    const Hlc generation{static_cast<std::uint64_t>(select.column_integer(3))};
    bool named = its(select.column_integer(2), generation);
    const Ordinal origin = named ? to : select.column_integer(2);
    ByteWriter fields;
    for (ByteReader r(select.column_bytes(4)); !r.rest().empty() && !r.failed();) {
      fields.varint(r.varint());
      const std::int64_t later = r.zigzag();
      fields.zigzag(later);
      const auto ordinal = static_cast<Ordinal>(r.varint());
      const bool field = its(ordinal, Hlc{generation.packed + static_cast<std::uint64_t>(later)});
      named = named || field;
      fields.varint(static_cast<std::uint64_t>(field ? to : ordinal));
    }
    if (!named) continue;
    update.integer(select.column_integer(0)).blob(select.column_bytes(1)).integer(origin);
    (select.column_is_null(4) ? update.null() : update.blob(fields.bytes())).run();
  }
}

// Stamps are part of a row's sum: those of rows that name this origin.
void RowStore::sum_anew(Ordinal named) {
  held_.valid = false;
  const Origin origin = origins_.origin(named);
  for (ModelIndex m = 0; m < schema_.models.size(); ++m) {
    if (schema_.models[m].kind != Kind::shared) continue;
    std::vector<std::pair<Bytes, RowVersion>> rows;
    read_shared(m, {}, [&](BytesView key, const RowVersion& v) {
      const bool names = v.generation.origin == origin || std::any_of(v.fields.begin(), v.fields.end(), [&](const FieldStamp& f) { return f.stamp.origin == origin; });
      if (names && !v.death) rows.emplace_back(key, v);
      return true;
    });
    for (const auto& [key, v] : rows) {
      put(m, key, v, read_row(m, key));
      if (has_rules(m)) note_anew({m, key});  // which of two rows is shown follows from their stamps
    }
  }
}

Rev RowStore::move_owned(Ordinal from, Rev behind, Ordinal to) {
  struct Moved {
    ModelIndex model;
    Bytes key;
    bool deleted;
  };
  std::vector<Moved> rows;
  read_owned(from, behind, [&](const OwnedRow& row) {
    const std::optional<OwnedVersion> version = row.name.empty() ? owned(row.model, row.key) : std::nullopt;
    const bool stands = version && version->owner == from && version->rev == row.rev;  // nothing that waits in quarantine
    if (stands) rows.push_back({row.model, Bytes(row.key), row.deleted || row.missing});
    return true;
  });
  Rev rev;
  for (const Moved& row : rows) {
    rev = rev.next();
    const std::optional<BytesView> values = row.deleted ? std::nullopt : read_row(row.model, row.key);
    put_owned(row.model, row.key, {to, rev, row.deleted}, values);
  }
  return rev;
}

}  // namespace starling
