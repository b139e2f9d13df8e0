// Rows whose versions take another name: this device goes on under another life (Store::begin_new_life).
#include "core/base/assert.h"
#include "core/store/row_store.h"

namespace starling {

void RowStore::restamp(ModelIndex m, BytesView key, const RowVersion& later) {
  const std::optional<RowVersion> now = version(m, key);
  ASSERT(now);
  const std::optional<BytesView> values = now->death ? std::nullopt : read_row(m, key);
  const bool intact = !values || is_intact(m, key, *now, *values);
  put(m, key, later, values, intact);
  if (has_rules(m)) note_anew({m, Bytes(key)});  // which of two rows is shown follows from their stamps
}

void RowStore::rename(Ordinal from, Ordinal to, const Position& behind) {
  const Origin before = origins_.origin(from);
  const Origin after = origins_.origin(to);
  const auto rename_stamp = [&](Stamp& stamp) {
    const bool its = stamp.origin == before && stamp.hlc > behind.hlc;
    if (its) stamp.origin = after;
    return its;
  };
  for (ModelIndex m = 0; m < schema_.models.size(); ++m) {
    if (schema_.models[m].kind != Kind::shared) continue;
    std::vector<std::pair<Bytes, RowVersion>> renamed;
    read_shared(m, {}, [&](BytesView key, RowVersion v) {
      bool its = rename_stamp(v.generation);
      for (FieldStamp& f : v.fields) its = rename_stamp(f.stamp) || its;
      const bool killed = v.death && v.death->origin == before && v.death->seq > behind.seq;
      if (killed) v.death = Death{after, Seq{v.death->seq.value - behind.seq.value}};
      if (its || killed) renamed.emplace_back(key, std::move(v));
      return true;
    });
    for (const auto& [key, later] : renamed) restamp(m, key, later);
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
    const std::optional<OwnedVersion> now = owned(row.model, row.key);
    ASSERT(now);
    const std::optional<BytesView> values = row.deleted ? std::nullopt : read_row(row.model, row.key);
    const bool intact = !values || is_intact(row.model, row.key, *now, *values);  // what is damaged stays so
    put_owned(row.model, row.key, {to, rev, row.deleted}, values, intact);
  }
  return rev;
}

}  // namespace starling
