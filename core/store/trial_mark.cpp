#include "core/store/trial_mark.h"

namespace starling {
namespace {

constexpr char kRunning[] = "running";
constexpr char kTrying[] = "trying";

}  // namespace

TrialMark::TrialMark(sqlite3* db)
    : put_(db, "INSERT INTO sync_meta(name, value) VALUES(?1,?2) ON CONFLICT(name) DO UPDATE SET value=?2"),
      drop_(db, "DELETE FROM sync_meta WHERE name=?") {
  Statement select(db, "SELECT name, value FROM sync_meta");
  while (select.step()) {
    if (select.column_bytes(0) == kRunning) careful_ = true;
    if (select.column_bytes(0) != kTrying) continue;
    ByteReader r(select.column_bytes(1));
    Trial trial;
    trial.what = static_cast<Tried>(r.u8());
    trial.origin = read_origin(r);
    trial.at = r.be64();
    times_ = r.u8();
    if (r.done()) ended_ = trial;
  }
}

void TrialMark::begin_life() {
  put_.text(kRunning).integer(1).run();
  drop_.text(kTrying).run();
}

void TrialMark::end_life() { drop_.text(kRunning).run(); }

void TrialMark::set(const Trial& trial, std::uint8_t times) {
  ByteWriter w;
  w.u8(static_cast<std::uint8_t>(trial.what));
  write_origin(w, trial.origin);
  w.be64(trial.at);
  w.u8(times);
  put_.text(kTrying).blob(w.bytes()).run();
}

void TrialMark::clear() { drop_.text(kTrying).run(); }

}  // namespace starling
