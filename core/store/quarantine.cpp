#include "core/store/quarantine.h"

namespace starling {

Quarantine::Quarantine(sqlite3* db)
    : put_(db,
           "INSERT INTO sync_quarantine(model, key, origin, rev, why, deleted, row) VALUES(?1,?2,?3,?4,?5,?6,?7)"
           " ON CONFLICT(model, key, origin) DO UPDATE SET rev=?4, why=?5, deleted=?6, row=?7"),
      drop_(db, "DELETE FROM sync_quarantine WHERE model=? AND key=? AND origin=?"),
      count_(db, "SELECT count(*) FROM sync_quarantine") {}

void Quarantine::put(std::string_view model, BytesView key, Ordinal origin, Rev rev, std::string_view why, bool deleted,
                     BytesView row) {
  put_.text(model).blob(key).integer(origin).integer(static_cast<std::int64_t>(rev.value)).text(why);
  put_.integer(deleted ? 1 : 0).blob(row).run();
}

void Quarantine::drop(std::string_view model, BytesView key, Ordinal origin) {
  drop_.text(model).blob(key).integer(origin).run();
}

std::uint64_t Quarantine::count() {
  const ResetGuard guard(count_);
  return count_.step() ? static_cast<std::uint64_t>(count_.column_integer(0)) : 0;
}

}  // namespace starling
