#include "core/store/origin_table.h"

#include <algorithm>

#include "core/base/assert.h"

namespace starling {

OriginTable::OriginTable(sqlite3* db)
    : insert_(db, "INSERT INTO sync_origin(ordinal, device, birth, random, hash, seen) VALUES(?,?,?,?,?,?)"),
      update_(db, "UPDATE sync_origin SET rev=?, seq=?, hlc=?, hash=?, seen=?, horizon_rev=?, horizon_seq=?,"
                  " horizon_hlc=?, restart=?, opening=? WHERE ordinal=?"),
      select_(db, "SELECT ordinal, device, birth, random, rev, seq, hlc, hash, seen, horizon_rev, horizon_seq, horizon_hlc,"
                  " restart, opening FROM sync_origin") {
  reload();
}

void OriginTable::reload() {
  std::map<Origin, Ordinal> ordinals;
  std::map<Ordinal, Row> rows;
  VersionVector vector;
  const ResetGuard guard(select_);
  while (select_.step()) {
    const Origin origin{DeviceId::from(select_.column_bytes(1)),
                        {Hlc{static_cast<std::uint64_t>(select_.column_integer(2))},
                         static_cast<std::uint32_t>(select_.column_integer(3))}};
    const Ordinal ordinal = select_.column_integer(0);
    const Position position{Rev{static_cast<std::uint64_t>(select_.column_integer(4))},
                            Seq{static_cast<std::uint64_t>(select_.column_integer(5))},
                            Hlc{static_cast<std::uint64_t>(select_.column_integer(6))}};
    ByteReader seen(select_.column_bytes(8));
    ordinals[origin] = ordinal;
    const auto count = [this](int i) { return static_cast<std::uint64_t>(select_.column_integer(i)); };
    rows[ordinal] = Row{origin, Hash128::from(select_.column_bytes(7)), read_vector(seen), {Rev{count(9)}, Seq{count(10)}, Hlc{count(11)}},
                        Rev{count(12)}, count(13), false};
    vector.join(origin, position);
  }
  ordinals_ = std::move(ordinals);  // all of it, or as it was
  rows_ = std::move(rows);
  vector_ = std::move(vector);
}

VersionVector OriginTable::pulled() const {
  VersionVector pulled;
  for (const auto& [ordinal, r] : rows_) {
    Position position = vector_.at(r.origin);
    if (r.restart != Rev{}) position.rev = r.restart;
    pulled.join(r.origin, position);
  }
  return pulled;
}

Ordinal OriginTable::ordinal(const Origin& origin) {
  const auto known = ordinals_.find(origin);
  if (known != ordinals_.end()) return known->second;
  const Ordinal fresh = rows_.empty() ? 1 : rows_.rbegin()->first + 1;
  ByteWriter seen;
  write_vector(seen, {});
  const Hash128 none;
  insert_.integer(fresh).blob(origin.device.view());
  insert_.integer(static_cast<std::int64_t>(origin.incarnation.birth.packed)).integer(origin.incarnation.random);
  insert_.blob(none.view()).blob(seen.bytes()).run();
  ordinals_[origin] = fresh;
  rows_[fresh] = Row{origin, none, {}, {}, {}, 0, false};
  return fresh;
}

std::optional<Ordinal> OriginTable::find(const Origin& origin) const {
  const auto known = ordinals_.find(origin);
  return known == ordinals_.end() ? std::nullopt : std::optional(known->second);
}

const Origin& OriginTable::origin(Ordinal o) const {
  const auto at = rows_.find(o);
  ASSERT(at != rows_.end());
  return at->second.origin;
}

std::vector<Origin> OriginTable::of_device(const DeviceId& device) const {
  std::vector<Origin> origins;
  for (auto at = ordinals_.lower_bound(Origin{device, {}}); at != ordinals_.end() && at->first.device == device; ++at)
    origins.push_back(at->first);
  return origins;
}

OriginTable::Row& OriginTable::row(Ordinal o) {
  const auto at = rows_.find(o);
  ASSERT(at != rows_.end());
  return at->second;
}

const OriginTable::Row& OriginTable::row(Ordinal o) const { return const_cast<OriginTable*>(this)->row(o); }

const Hash128& OriginTable::last_hash(Ordinal o) const { return row(o).hash; }
const VersionVector& OriginTable::seen(Ordinal o) const { return row(o).seen; }
Position OriginTable::horizon(Ordinal o) const { return row(o).horizon; }
Rev OriginTable::restart(Ordinal o) const { return row(o).restart; }

void OriginTable::raise_horizon(Ordinal o, const Position& to) {
  Row& r = row(o);
  r.horizon.rev = std::max(r.horizon.rev, to.rev);
  if (to.seq > r.horizon.seq) r.horizon = {r.horizon.rev, to.seq, to.hlc};
  r.dirty = true;
}

void OriginTable::set_restart(Ordinal o, Rev to) {
  Row& r = row(o);
  r.restart = to;
  r.dirty = true;
}

std::uint64_t OriginTable::opening(Ordinal o) const { return row(o).opening; }

void OriginTable::set_opening(Ordinal o, std::uint64_t opening) {
  Row& r = row(o);
  r.dirty = r.dirty || r.opening != opening;
  r.opening = opening;
}

void OriginTable::put_back(Ordinal o, const Position& to, const Hash128& hash) {
  Row& r = row(o);
  vector_.put_back(r.origin, to);
  r.hash = hash;
  if (to.seq == Seq{}) r.seen = {};
  r.horizon.rev = std::min(r.horizon.rev, to.rev);
  if (to.seq < r.horizon.seq) r.horizon = {r.horizon.rev, to.seq, to.hlc};
  r.dirty = true;
}

void OriginTable::advance_rev(Ordinal o, Rev to) {
  Row& r = row(o);
  vector_.advance_rev(r.origin, to);
  r.dirty = true;
}

void OriginTable::advance_seq(Ordinal o, Seq to, Hlc hlc, const Hash128& hash, const VersionVector& dependencies) {
  Row& r = row(o);
  vector_.advance_seq(r.origin, to, hlc);
  r.hash = hash;
  r.seen.join(dependencies);
  r.dirty = true;
}

void OriginTable::flush() {
  for (auto& [ordinal, r] : rows_) {
    if (!r.dirty) continue;
    const Position p = vector_.at(r.origin);
    ByteWriter seen;
    write_vector(seen, r.seen);
    update_.integer(static_cast<std::int64_t>(p.rev.value)).integer(static_cast<std::int64_t>(p.seq.value));
    update_.integer(static_cast<std::int64_t>(p.hlc.packed)).blob(r.hash.view()).blob(seen.bytes());
    update_.integer(static_cast<std::int64_t>(r.horizon.rev.value)).integer(static_cast<std::int64_t>(r.horizon.seq.value));
    update_.integer(static_cast<std::int64_t>(r.horizon.hlc.packed));
    update_.integer(static_cast<std::int64_t>(r.restart.value)).integer(static_cast<std::int64_t>(r.opening)).integer(ordinal).run();
    r.dirty = false;
  }
}

}  // namespace starling
