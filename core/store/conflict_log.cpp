#include "core/store/conflict_log.h"

#include "core/base/limits.h"

namespace starling {

ConflictLog::ConflictLog(sqlite3* db)
    : insert_(db,
              "INSERT INTO sync_conflict(id, at_ms, model, key, field, why, winner_hlc, winner_device, loser_hlc,"
              " loser_device, value) VALUES(?,?,?,?,?,?,?,?,?,?,?)"),
      trim_(db, "DELETE FROM sync_conflict WHERE id<=?"),
      last_(db, "SELECT max(id) FROM sync_conflict") {}

std::uint64_t ConflictLog::total() {
  const ResetGuard guard(last_);
  return last_.step() ? static_cast<std::uint64_t>(last_.column_integer(0)) : 0;
}

void ConflictLog::add(const Conflict& c, WallTime at) {
  const auto id = static_cast<std::int64_t>(total()) + 1;
  insert_.integer(id).integer(at.ms).text(c.model).blob(c.key);
  if (c.field.empty()) insert_.null();
  else insert_.text(c.field);
  insert_.text(c.why);
  insert_.integer(static_cast<std::int64_t>(c.winner.hlc.packed)).blob(c.winner.origin.device.view());
  insert_.integer(static_cast<std::int64_t>(c.loser.hlc.packed)).blob(c.loser.origin.device.view());
  if (c.value.empty()) insert_.null();
  else insert_.blob(c.value);
  insert_.run();
  ++added_;
  const auto ring = static_cast<std::int64_t>(limits::kConflictRing);
  if (id > ring) trim_.integer(id - ring).run();
}

}  // namespace starling
