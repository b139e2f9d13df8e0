#include "core/store/held_changes.h"

#include <sqlite3.h>

namespace starling {

HeldChanges::HeldChanges(sqlite3* db, OriginTable& origins)
    : origins_(origins),
      add_(db, "INSERT INTO sync_held(model, key, origin, hlc, seq, op, generation_origin, generation_hlc, fields, row, why)"
               " VALUES(?,?,?,?,?,?,?,?,?,?,?)"),
      drop_(db, "DELETE FROM sync_held WHERE id=?"),
      drop_row_(db, "DELETE FROM sync_held WHERE model=? AND key=?"),
      explain_(db, "UPDATE sync_held SET why=?2 WHERE id=?1 AND why<>?2"),
      holds_(db, "SELECT 1 FROM sync_held WHERE model=? AND key=? LIMIT 1"),
      next_of_(db, "SELECT id, op, generation_origin, generation_hlc, origin, hlc, seq, fields, row, why FROM sync_held"
                   " WHERE model=? AND key=? AND id>? ORDER BY id LIMIT 1"),
      first_key_(db, "SELECT key FROM sync_held WHERE model=? ORDER BY key LIMIT 1"),
      next_key_(db, "SELECT key FROM sync_held WHERE model=? AND key>? ORDER BY key LIMIT 1"),
      count_all_(db, "SELECT count(*) FROM sync_held"),
      db_(db) {
  reload();
}

void HeldChanges::reload() {
  const ResetGuard guard(count_all_);
  count_ = count_all_.step() ? static_cast<std::uint64_t>(count_all_.column_integer(0)) : 0;
}

void HeldChanges::add(std::string_view model, const Change& c, const Stamp& stamp, Seq seq, std::string_view why) {
  add_.text(model).blob(c.key).integer(origins_.ordinal(stamp.origin)).integer(static_cast<std::int64_t>(stamp.hlc.packed));
  add_.integer(static_cast<std::int64_t>(seq.value)).integer(static_cast<std::int64_t>(c.op));
  add_.integer(origins_.ordinal(c.generation.origin)).integer(static_cast<std::int64_t>(c.generation.hlc.packed));
  add_.integer(static_cast<std::int64_t>(c.fields)).blob(c.values).text(why).run();
  ++count_;
}

void HeldChanges::drop(std::int64_t id) {
  drop_.integer(id).run();
  count_ -= static_cast<std::uint64_t>(sqlite3_changes64(db_));
}

void HeldChanges::drop_row(std::string_view model, BytesView key) {
  if (count_ == 0) return;
  drop_row_.text(model).blob(key).run();
  count_ -= static_cast<std::uint64_t>(sqlite3_changes64(db_));
}

void HeldChanges::explain(std::int64_t id, std::string_view why) { explain_.integer(id).text(why).run(); }

// What came by a snapshot has no number, or, if it is a delete, no clock.
void HeldChanges::rename(Ordinal from, const std::pair<Position, Position>& within, Ordinal to, Seq before) {
  if (count_ == 0) return;
  const auto& [first, last] = within;
  const auto number = [](auto of) { return static_cast<std::int64_t>(of); };
  Statement(db_, "UPDATE sync_held SET generation_origin=?2 WHERE generation_origin=?1 AND generation_hlc>?3 AND generation_hlc<=?4")
      .integer(from).integer(to).integer(number(first.hlc.packed)).integer(number(last.hlc.packed)).run();
  Statement(db_, "UPDATE sync_held SET origin=?2, seq=iif(seq=0, 0, seq-?5+?7) WHERE origin=?1"
                 " AND ((hlc>?3 AND hlc<=?4) OR (seq>?5 AND seq<=?6))")
      .integer(from).integer(to).integer(number(first.hlc.packed)).integer(number(last.hlc.packed))
      .integer(number(first.seq.value)).integer(number(last.seq.value)).integer(number(before.value)).run();
}

bool HeldChanges::holds(std::string_view model, BytesView key) {
  if (count_ == 0) return false;
  const ResetGuard guard(holds_);
  return holds_.text(model).blob(key).step();
}

std::optional<HeldChange> HeldChanges::next_of(std::string_view model, BytesView key, std::int64_t id) {
  const ResetGuard guard(next_of_);
  if (!next_of_.text(model).blob(key).integer(id).step()) return std::nullopt;
  const auto stamp_at = [&](int origin, int hlc) {
    return Stamp{Hlc{static_cast<std::uint64_t>(next_of_.column_integer(hlc))}, origins_.origin(next_of_.column_integer(origin))};
  };
  HeldChange c;
  c.id = next_of_.column_integer(0);
  c.op = static_cast<Op>(next_of_.column_integer(1));
  c.generation = stamp_at(2, 3);
  c.stamp = stamp_at(4, 5);
  c.seq = Seq{static_cast<std::uint64_t>(next_of_.column_integer(6))};
  c.fields = static_cast<FieldMask>(next_of_.column_integer(7));
  c.key = Bytes(key);
  c.values = Bytes(next_of_.column_bytes(8));
  c.why = std::string(next_of_.column_bytes(9));
  return c;
}

std::optional<Bytes> HeldChanges::next_key(std::string_view model, const std::optional<Bytes>& after) {
  Statement& next = after ? next_key_ : first_key_;
  const ResetGuard guard(next);
  next.text(model);
  if (after) next.blob(*after);
  return next.step() ? std::optional(Bytes(next.column_bytes(0))) : std::nullopt;
}

}  // namespace starling
