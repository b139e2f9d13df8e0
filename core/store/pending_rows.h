// Rows that this transaction has merged and not shown yet.
//
// What a model with rules shows depends on other rows, so the merge only says here what each row's merged values are now;
// visibility.h then decides for all of them together. Beside it stands what they held of UNIQUE indexes before: whoever else
// wants it may have it now. In memory; settled at the latest with the commit, dropped with a rollback.
#pragma once

#include <map>
#include <set>

#include "core/causal/merge.h"
#include "core/store/hidden_rows.h"

namespace starling {

struct PendingRow {
  std::optional<Bytes> values;  // merged; nullopt: dead
  bool was_visible = false;     // before this transaction, as far as it is not settled yet
  HiddenKind was = HiddenKind::none;
  // An application that did not see this row has inserted another of its key.
  std::optional<std::pair<RowVersion, Bytes>> overwritten;
};

class PendingRows {
 public:
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  [[nodiscard]] std::size_t size() const { return rows_.size(); }
  [[nodiscard]] PendingRow* find(const RowName& name) {
    const auto at = rows_.find(name);
    return at == rows_.end() ? nullptr : &at->second;
  }
  PendingRow& add(const RowName& name) { return rows_[name]; }
  void release(RuleValue value) { released_.insert(std::move(value)); }
  void clear() {
    rows_.clear();
    released_.clear();
  }

  [[nodiscard]] const std::map<RowName, PendingRow>& rows() const { return rows_; }
  [[nodiscard]] const std::set<RuleValue>& released() const { return released_; }

 private:
  std::map<RowName, PendingRow> rows_;
  std::set<RuleValue> released_;
};

}  // namespace starling
