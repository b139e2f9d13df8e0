// Acknowledgements on disk: sync_ack, and its rows in memory as an AckTable.
//
// An acknowledgement that is lost is only conservative (we hold more than we must), so it is written with whatever
// transaction comes next instead of one of its own.
#pragma once

#include <set>

#include "core/causal/ack_table.h"
#include "core/store/statement.h"

namespace starling {

class AckStore {
 public:
  explicit AckStore(sqlite3*);

  void set_members(const std::set<DeviceId>&);  // of all but ourselves: others' acknowledgements are forgotten
  bool take(const Acknowledgement&, bool delta);  // as AckTable::take
  [[nodiscard]] const AckTable& table() const { return table_; }
  [[nodiscard]] bool dirty() const { return !dirty_.empty(); }
  void flush();
  void reload();

 private:
  AckTable table_;
  std::set<DeviceId> dirty_;
  Statement put_, drop_, select_;
};

}  // namespace starling
