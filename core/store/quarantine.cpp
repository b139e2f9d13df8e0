#include "core/store/quarantine.h"

#include <sqlite3.h>

#include <string>

namespace starling {
namespace {

// A row of whose key another owner's stands waits for good; once that has died, and is forgotten, its turn has come.
constexpr char kNext[] = "SELECT key, origin, rev, deleted, row, why FROM sync_quarantine WHERE model=?";
constexpr char kUnlessStanding[] =
    " AND (why NOT LIKE 'key collision%' OR NOT EXISTS (SELECT 1 FROM sync_row r JOIN sync_model m ON m.number=r.model"
    " WHERE m.name=sync_quarantine.model AND r.key=sync_quarantine.key)) ORDER BY key, origin LIMIT 1";

}  // namespace

Quarantine::Quarantine(sqlite3* db)
    : db_(db),
      put_(db,
           "INSERT INTO sync_quarantine(model, key, origin, rev, why, deleted, row) VALUES(?1,?2,?3,?4,?5,?6,?7)"
           " ON CONFLICT(model, key, origin) DO UPDATE SET rev=?4, why=?5, deleted=?6, row=?7"),
      drop_(db, "DELETE FROM sync_quarantine WHERE model=? AND key=? AND origin=?"),
      count_(db, "SELECT count(*) FROM sync_quarantine"),
      there_(db, "SELECT 1 FROM sync_quarantine WHERE model=? AND key=? AND origin=?"),
      first_(db, std::string(kNext) + kUnlessStanding),
      next_(db, std::string(kNext) + " AND (key, origin)>(?, ?)" + kUnlessStanding),
      maybe_(count() > 0) {}

bool Quarantine::holds(std::string_view model, BytesView key, Ordinal origin) {
  const ResetGuard guard(there_);
  return there_.text(model).blob(key).integer(origin).step();
}

void Quarantine::put(std::string_view model, BytesView key, Ordinal origin, Rev rev, std::string_view why, bool deleted,
                     BytesView row) {
  if (counted_ && !holds(model, key, origin)) ++*counted_;
  put_.text(model).blob(key).integer(origin).integer(static_cast<std::int64_t>(rev.value)).text(why);
  put_.integer(deleted ? 1 : 0).blob(row).run();
  maybe_ = true;
}

void Quarantine::drop(std::string_view model, BytesView key, Ordinal origin) {
  if (!maybe_) return;
  drop_.text(model).blob(key).integer(origin).run();
  if (counted_) *counted_ -= static_cast<std::uint64_t>(sqlite3_changes64(db_));
}

Rev Quarantine::drop_dead(Ordinal origin, Rev through) {
  if (!maybe_) return {};
  const auto until = static_cast<std::int64_t>(through.value);
  const std::string dead =
      " FROM sync_quarantine WHERE origin=?1 AND rev<=?2 AND deleted=1 AND NOT EXISTS (SELECT 1 FROM sync_row r JOIN sync_model m"
      " ON m.number=r.model WHERE m.name=sync_quarantine.model AND r.key=sync_quarantine.key AND r.origin=?1)";  // that one still has to go
  Statement last(db_, "SELECT max(rev)" + dead);
  if (!last.integer(origin).integer(until).step() || last.column_is_null(0)) return {};
  const Rev gone{static_cast<std::uint64_t>(last.column_integer(0))};
  Statement(db_, "DELETE" + dead).integer(origin).integer(until).run();
  counted_.reset();
  return gone;
}

void Quarantine::explain(Ordinal origin, Rev rev, std::string_view why) {
  Statement(db_, "UPDATE sync_quarantine SET why=?3 WHERE origin=?1 AND rev=?2")
      .integer(origin).integer(static_cast<std::int64_t>(rev.value)).text(why).run();
}

std::optional<QuarantinedRow> Quarantine::next(std::string_view model, const std::optional<QuarantinedRow>& after) {
  if (!maybe_) return std::nullopt;
  Statement& next = after ? next_ : first_;
  const ResetGuard guard(next);
  next.text(model);
  if (after) next.blob(after->key).integer(after->origin);
  if (!next.step()) return std::nullopt;
  return QuarantinedRow{next.column_integer(1), Rev{static_cast<std::uint64_t>(next.column_integer(2))}, next.column_integer(3) != 0,
                        Bytes(next.column_bytes(0)), Bytes(next.column_bytes(4)), std::string(next.column_bytes(5))};
}

std::uint64_t Quarantine::count() {
  if (counted_) return *counted_;
  const ResetGuard guard(count_);
  counted_ = count_.step() ? static_cast<std::uint64_t>(count_.column_integer(0)) : 0;
  return *counted_;
}

}  // namespace starling
