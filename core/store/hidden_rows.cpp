#include "core/store/hidden_rows.h"

#include <algorithm>

#include "core/base/assert.h"

namespace starling {

HiddenRows::HiddenRows(sqlite3* db, const RowRules& rules) : db_(db), rules_(rules) {
  Statement number(db, "SELECT number FROM sync_model WHERE name=?");
  for (const ModelSchema& m : rules.schema().models) {
    const ResetGuard guard(number);
    ASSERT(number.text(m.name).step());
    numbers_.push_back(number.column_integer(0));
  }
  select_ = Statement(db, "SELECT kind, why, row FROM sync_hidden WHERE model=? AND key=?");
  put_ = Statement(db,
                   "INSERT INTO sync_hidden(model, key, kind, why, row) VALUES(?1,?2,?3,?4,?5)"
                   " ON CONFLICT(model, key) DO UPDATE SET kind=?3, why=?4, row=?5");
  drop_ = Statement(db, "DELETE FROM sync_hidden WHERE model=? AND key=?");
  put_value_ = Statement(db, "INSERT INTO sync_hidden_value(model, key, rule, value) VALUES(?,?,?,?)");
  drop_values_ = Statement(db, "DELETE FROM sync_hidden_value WHERE model=? AND key=?");
  holders_ = Statement(db, "SELECT key FROM sync_hidden_value WHERE model=? AND rule=? AND value=? ORDER BY key");
  count_ = Statement(db, "SELECT count(*), count(*) FILTER (WHERE kind=3) FROM sync_hidden");
  reload();
}

void HiddenRows::reload() {
  const ResetGuard guard(count_);
  ASSERT(count_.step());
  total_ = static_cast<std::uint64_t>(count_.column_integer(0));
  nulled_ = static_cast<std::uint64_t>(count_.column_integer(1));
}

std::optional<HiddenRow> HiddenRows::find(const RowName& name) {
  if (total_ == 0) return std::nullopt;
  const ResetGuard guard(select_);
  if (!select_.integer(number(name.model)).blob(name.key).step()) return std::nullopt;
  return HiddenRow{static_cast<HiddenKind>(select_.column_integer(0)), std::string(select_.column_bytes(1)),
                   Bytes(select_.column_bytes(2))};
}

std::optional<HiddenKind> HiddenRows::kind_of(const RowName& name) {
  if (total_ == 0) return std::nullopt;
  const ResetGuard guard(select_);
  if (!select_.integer(number(name.model)).blob(name.key).step()) return std::nullopt;
  return static_cast<HiddenKind>(select_.column_integer(0));
}

void HiddenRows::count(HiddenKind kind, int by) {
  total_ += static_cast<std::uint64_t>(by);
  if (kind == HiddenKind::nulled) nulled_ += static_cast<std::uint64_t>(by);
}

void HiddenRows::put(const RowName& name, const HiddenRow& row) {
  if (const std::optional<HiddenKind> kind = kind_of(name)) count(*kind, -1);
  drop_values_.integer(number(name.model)).blob(name.key).run();  // also of one that is damaged
  put_.integer(number(name.model)).blob(name.key).integer(static_cast<std::int64_t>(row.kind));
  put_.text(row.why).blob(row.values).run();
  for (std::size_t i = 0; i < rules_.rules(name.model); ++i) {
    const std::optional<Bytes> value = rules_.value({name.model, i}, name.key, row.values);
    if (value)
      put_value_.integer(number(name.model)).blob(name.key).integer(static_cast<std::int64_t>(i)).blob(*value).run();
  }
  count(row.kind, 1);
}

void HiddenRows::drop(const RowName& name) {
  const std::optional<HiddenKind> kind = kind_of(name);
  if (!kind) return;
  drop_.integer(number(name.model)).blob(name.key).run();
  drop_values_.integer(number(name.model)).blob(name.key).run();
  count(*kind, -1);
}

std::vector<Bytes> HiddenRows::holders(const RuleName& rule, BytesView value) {
  std::vector<Bytes> keys;
  if (total_ == 0) return keys;
  const ResetGuard guard(holders_);
  holders_.integer(number(rule.model)).integer(static_cast<std::int64_t>(rule.rule)).blob(value);
  while (holders_.step()) keys.emplace_back(holders_.column_bytes(0));
  return keys;
}

std::vector<RowName> HiddenRows::all() {
  std::vector<RowName> names;
  if (total_ == 0) return names;
  Statement select(db_, "SELECT model, key FROM sync_hidden ORDER BY model, key");
  while (select.step()) {
    const auto at = std::find(numbers_.begin(), numbers_.end(), select.column_integer(0));
    if (at != numbers_.end())
      names.push_back({static_cast<ModelIndex>(at - numbers_.begin()), Bytes(select.column_bytes(1))});
  }
  return names;
}

}  // namespace starling
