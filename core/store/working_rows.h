// The rows that one settling is about: those that were written, and those that these may hide or show.
//
// A row is read once, as the transaction began: its merged values, whether it is shown, whether another stands for its
// UNIQUE value. The rows that hold a value are found in three places: the table's own index, that of hidden rows, and
// what is pending; what they are found by is compared with their merged values, which are what counts.
#pragma once

#include <map>

#include "core/store/row_store.h"

namespace starling {

struct WorkingRow {
  bool live = false;
  Stamp generation;
  Bytes values;              // merged
  bool touched = false;      // written by this transaction
  bool was_visible = false;  // at its beginning
  HiddenKind was = HiddenKind::none;
  std::optional<RowName> beaten_by;  // it is hidden: this row holds a UNIQUE value of it
  std::size_t beaten_in = 0;         // which
  bool loser = false;
  bool visible = false;
  bool to_show = false;  // what is shown of it must be looked at
};

class WorkingRows {
 public:
  explicit WorkingRows(RowStore&);  // with all that is pending

  WorkingRow& at(const RowName&);
  [[nodiscard]] std::optional<Bytes> value(const RuleName&, const RowName&);  // of a live row
  // Live rows that hold it, the one with the latest generation first.
  const std::vector<RowName>& holders(const RuleValue&);
  // Live rows that refer to it, by references with that policy.
  [[nodiscard]] std::vector<RowName> children(const RowName&, Dangling);
  // Which of two rows stands where both hold one UNIQUE value: of the later generation, else of the greater key.
  [[nodiscard]] bool stands_before(const RowName&, const RowName&);

  [[nodiscard]] const std::map<RowName, WorkingRow>& all() const { return rows_; }
  [[nodiscard]] RowStore& store() { return store_; }
  [[nodiscard]] const RowRules& rules() const { return store_.rules(); }

 private:
  [[nodiscard]] std::vector<RowName> find(const RuleValue&);

  RowStore& store_;
  std::map<RowName, WorkingRow> rows_;
  std::map<RuleValue, std::vector<RowName>> pending_;  // by what they hold now
  std::map<RuleValue, std::vector<RowName>> holders_;
};

}  // namespace starling
