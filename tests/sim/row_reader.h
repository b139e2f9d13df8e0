// Reads what a node shows, with SQL of its own: one row by its key, or a whole table.
//
// Values are typed bytes (core/base/value.h), so that equal means equal. One reader for each life of a node.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "core/base/schema.h"
#include "core/store/statement.h"
#include "tests/core/causal/reference_merge.h"

namespace starling::sim {

using Table = std::map<Bytes, reference::VisibleRow>;  // by key: the fields that are not in the key

class RowReader {
 public:
  RowReader(sqlite3*, std::shared_ptr<const Schema>);

  [[nodiscard]] const Schema& schema() const { return *schema_; }
  [[nodiscard]] std::optional<reference::VisibleRow> row(const ModelSchema&, BytesView key);
  [[nodiscard]] Table table(const ModelSchema&);

  // Entries of the log after `from`, as (seq, bytes); device-owned rows after `from`, as (model's name, key, rev, deleted).
  template <class F>
  void log(std::int64_t origin, Seq from, const F& each) {
    const ResetGuard guard(log_);
    log_.integer(origin).integer(static_cast<std::int64_t>(from.value));
    Seq seq;
    Bytes entry;  // may stand in parts
    for (bool more = log_.step(); more;) {
      seq = Seq{static_cast<std::uint64_t>(log_.column_integer(0))};
      entry += log_.column_bytes(1);
      more = log_.step();
      if (more && seq.value == static_cast<std::uint64_t>(log_.column_integer(0))) continue;
      each(seq, std::exchange(entry, {}));
    }
  }
  template <class F>
  void owned(std::int64_t origin, Rev from, const F& each) {
    const ResetGuard guard(owned_);
    owned_.integer(origin).integer(static_cast<std::int64_t>(from.value));
    while (owned_.step())
      each(std::string(owned_.column_bytes(0)), Bytes(owned_.column_bytes(1)), Rev{static_cast<std::uint64_t>(owned_.column_integer(2))},
           !owned_.column_is_null(3));
  }
  // What is kept of a row in fields that its model does not have here.
  [[nodiscard]] reference::VisibleRow kept(const ModelSchema&, BytesView key);
  // Rows of which something waits in quarantine.
  [[nodiscard]] std::set<reference::RowName> waiting();
  [[nodiscard]] std::int64_t number(std::string_view sql);

 private:
  [[nodiscard]] static reference::VisibleRow fields(const ModelSchema&, const Statement&, int column);

  sqlite3* db_;
  std::shared_ptr<const Schema> schema_;
  std::vector<Statement> by_key_;  // by model
  Statement log_, owned_, kept_;
};

}  // namespace starling::sim
