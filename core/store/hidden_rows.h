// Rows whose merged values the application's table does not hold, or not all of them: sync_hidden.
//
// A live row is hidden while another row stands for its UNIQUE value, or while its parent is not there (Dangling::cascade);
// one with a dangling reference of set_null is shown with NULL in it. Their merged values are kept here, go on being
// merged, travel in snapshots and repairs, and come back to the table as soon as nothing stands against it (visibility.h).
// What they hold of each rule is indexed beside them (sync_hidden_value), so that those concerned by a change are found
// without reading the others.
#pragma once

#include <optional>
#include <vector>

#include "core/store/row_rules.h"
#include "core/store/statement.h"

namespace starling {

enum class HiddenKind : std::uint8_t {
  none = 0,
  unique = 1,  // hidden: a row with a later stamp holds its value
  parent = 2,  // hidden: its parent is not there
  nulled = 3,  // shown, with NULL for a parent that is not there
};

struct HiddenRow {
  HiddenKind kind = HiddenKind::none;
  std::string why;  // for people
  Bytes values;     // merged: typed bytes of every non-key field
};

class HiddenRows {
 public:
  HiddenRows(sqlite3*, const RowRules&);

  [[nodiscard]] std::optional<HiddenRow> find(const RowName&);
  [[nodiscard]] bool empty() const { return total_ == 0; }
  [[nodiscard]] std::uint64_t count() const { return total_ - nulled_; }  // of those that are not shown
  [[nodiscard]] std::uint64_t nulled() const { return nulled_; }
  void put(const RowName&, const HiddenRow&);
  void drop(const RowName&);
  [[nodiscard]] std::vector<Bytes> holders(const RuleName&, BytesView value);  // keys of those that hold it
  [[nodiscard]] std::vector<RowName> all();
  void reload();  // after a rollback

 private:
  [[nodiscard]] std::int64_t number(ModelIndex m) const { return numbers_[m]; }
  [[nodiscard]] std::optional<HiddenKind> kind_of(const RowName&);
  void count(HiddenKind, int by);

  sqlite3* db_;
  const RowRules& rules_;
  std::vector<std::int64_t> numbers_;  // of sync_model
  std::uint64_t total_ = 0, nulled_ = 0;
  Statement select_, put_, drop_, put_value_, drop_values_, holders_, count_;
};

}  // namespace starling
