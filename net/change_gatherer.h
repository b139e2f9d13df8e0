// Gathers the changes of many transactions into one ChangeEvent: for each row what has become of it since the last one.
//
// Inserted then deleted is nothing, deleted then inserted is an update of every field, other fields add up. Not
// thread-safe.
#pragma once

#include <unordered_map>

#include "core/replica/event.h"
#include "net/notice.h"

namespace starling {

class ChangeGatherer {
 public:
  void add(const ChangeSet&);
  void add_everything();
  [[nodiscard]] bool empty() const { return !everything_ && !conflicts_ && rows_.empty(); }
  [[nodiscard]] ChangeEvent take();  // empty afterwards

 private:
  struct Row {
    RowChange change;
    FieldMask fields = 0;
    bool gone = false;  // inserted and deleted again
  };
  void add(const ChangedRow&, bool local, const ModelSchema&);

  bool everything_ = false;
  bool conflicts_ = false;
  std::vector<Row> rows_;                               // in the order in which they were first touched
  std::unordered_map<std::string, std::size_t> index_;  // table, NUL, key → place in rows_
};

}  // namespace starling
