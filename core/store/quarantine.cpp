#include "core/store/quarantine.h"

namespace starling {

Quarantine::Quarantine(sqlite3* db)
    : db_(db),
      put_(db,
           "INSERT INTO sync_quarantine(model, key, origin, rev, why, deleted, row) VALUES(?1,?2,?3,?4,?5,?6,?7)"
           " ON CONFLICT(model, key, origin) DO UPDATE SET rev=?4, why=?5, deleted=?6, row=?7"),
      drop_(db, "DELETE FROM sync_quarantine WHERE model=? AND key=? AND origin=?"),
      count_(db, "SELECT count(*) FROM sync_quarantine"),
      next_(db, "SELECT key, origin, rev, deleted, row, why FROM sync_quarantine WHERE model=?1 AND (?2 IS NULL OR (key, origin)>(?2, ?3))"
                " AND why NOT LIKE 'key collision%' ORDER BY key, origin LIMIT 1"),
      maybe_(count() > 0) {}

void Quarantine::put(std::string_view model, BytesView key, Ordinal origin, Rev rev, std::string_view why, bool deleted,
                     BytesView row) {
  put_.text(model).blob(key).integer(origin).integer(static_cast<std::int64_t>(rev.value)).text(why);
  put_.integer(deleted ? 1 : 0).blob(row).run();
  maybe_ = true;
  counted_.reset();
}

void Quarantine::drop(std::string_view model, BytesView key, Ordinal origin) {
  if (!maybe_) return;
  drop_.text(model).blob(key).integer(origin).run();
  counted_.reset();
}

void Quarantine::explain(Ordinal origin, Rev rev, std::string_view why) {
  Statement(db_, "UPDATE sync_quarantine SET why=?3 WHERE origin=?1 AND rev=?2")
      .integer(origin).integer(static_cast<std::int64_t>(rev.value)).text(why).run();
}

std::optional<QuarantinedRow> Quarantine::next(std::string_view model, const std::optional<QuarantinedRow>& after) {
  if (!maybe_) return std::nullopt;
  const ResetGuard guard(next_);
  next_.text(model);
  if (after) next_.blob(after->key).integer(after->origin);
  else next_.null().null();
  if (!next_.step()) return std::nullopt;
  return QuarantinedRow{next_.column_integer(1), Rev{static_cast<std::uint64_t>(next_.column_integer(2))}, next_.column_integer(3) != 0,
                        Bytes(next_.column_bytes(0)), Bytes(next_.column_bytes(4)), std::string(next_.column_bytes(5))};
}

std::uint64_t Quarantine::count() {
  if (counted_) return *counted_;
  const ResetGuard guard(count_);
  counted_ = count_.step() ? static_cast<std::uint64_t>(count_.column_integer(0)) : 0;
  return *counted_;
}

}  // namespace starling
