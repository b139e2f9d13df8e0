// Never a crash loop: what ended the process while it was applied is not tried again.
//
// A life that does not end well leaves a mark in sync_meta. The next one is careful: it says on disk what it is about to
// apply, in a transaction of its own, before it tries, and takes the mark back with what was applied. If it ends there,
// the life after that finds the mark; what two lives in a row have ended over is held (core/replica/replica_careful.cpp), and then
// tried change by change. One that a life ends over by itself waits until somebody asks for it. A process
// that ends well, or has applied so much without ending, pays nothing for it. The price of being careful is one small commit
// for each change, and that of two unlucky deaths a change in quarantine, which `quarantine retry` tries again.
#pragma once

#include <optional>

#include "core/base/ids.h"
#include "core/store/statement.h"

namespace starling {

enum class Tried : std::uint8_t { entry = 1, page = 2, release = 3, slice = 4, kept = 5 };

struct Trial {
  Tried what = Tried::entry;
  Origin origin;         // entry, page: whose
  std::uint64_t at = 0;  // entry: its seq; page: the revision that it goes up to; release: the id of the held change, or the
                         // revision of the row; slice: the page of the snapshot; kept: the model's place in the schema
  friend bool operator==(const Trial&, const Trial&) = default;
};

class TrialMark {
 public:
  explicit TrialMark(sqlite3*);  // reads what the life before has left

  void begin_life();  // in the opening transaction
  void end_life();    // in a transaction: it ends well

  [[nodiscard]] bool careful() const { return careful_; }
  void relax() { careful_ = false; }  // so much went well
  // What the life before was trying when it ended.
  // How many lives in a row, up to the one before, have ended while they tried it. `from`: of a page, behind which it begins. An
  // owner who goes on writing makes another page of the same rows.
  [[nodiscard]] std::uint8_t ended(const Trial& t, std::uint64_t from = 0) const {
    if (!ended_ || ended_->what != t.what || ended_->origin != t.origin) return 0;
    const bool same = t.what == Tried::page ? from < ended_->at && ended_->at <= t.at : ended_->at == t.at;
    return same ? times_ : 0;
  }
  [[nodiscard]] std::optional<Trial> ended_release() const { return ended_ && ended_->what == Tried::release ? ended_ : std::nullopt; }
  void set(const Trial&, std::uint8_t times = 1);  // both in a transaction
  void clear();

 private:
  Statement put_, drop_;
  std::optional<Trial> ended_;
  std::uint8_t times_ = 0;
  bool careful_ = false;
};

}  // namespace starling
