// The conflict log: what lost, kept where people can find it.
//
// A bounded ring (limits::kConflictRing rows of sync_conflict): model, key, field, both stamps and the value that lost,
// as typed bytes. Each peer records what it saw lose; one that took in only the last of several values saw less. `total`
// counts also what the ring has let go.
#pragma once

#include "core/base/schema.h"
#include "core/store/statement.h"

namespace starling {

struct Conflict {
  std::string_view model;
  BytesView key;
  std::string_view field;  // empty: the row
  const char* why = "";    // "update", "insert", "delete": what the losing value met
  Stamp winner;
  Stamp loser;
  BytesView value;         // typed bytes of what lost; empty: a delete lost
};

class ConflictLog {
 public:
  explicit ConflictLog(sqlite3*);
  void add(const Conflict&, WallTime);
  [[nodiscard]] std::uint64_t total();
  [[nodiscard]] std::uint64_t added() const { return added_; }  // since this was made, also what was rolled back

 private:
  Statement insert_, trim_, last_;
  std::uint64_t added_ = 0;
};

}  // namespace starling
