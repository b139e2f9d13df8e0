#include "core/store/visibility.h"

#include <algorithm>
#include <bit>

#include "core/base/planted_bug.h"
#include "core/store/conflict_log.h"
#include "core/store/working_rows.h"

namespace starling {
namespace {

class Settling {
 public:
  Settling(RowStore& store, ConflictLog& conflicts, WallTime wall)
      : store_(store), schema_(store.rules().schema()), conflicts_(conflicts), wall_(wall), rows_(store) {}

  std::vector<ShownChange> run() {
    decide_unique();
    decide_references();
    show();
    return std::move(changes_);
  }

 private:
  struct StandsBefore {
    WorkingRows* rows;
    bool operator()(const RowName& a, const RowName& b) const {
      return a.model != b.model ? a.model < b.model : rows->stands_before(a, b);
    }
  };

  void decide_unique();
  [[nodiscard]] std::vector<RowName> decide_unique(const RowName&);
  void decide_references();
  void raise(const RowName&);
  [[nodiscard]] bool is_supported(const RowName&);
  [[nodiscard]] RowName parent_of(const RuleName& rule, const Bytes& value) const {
    return {store_.rules().parent_model(rule), value};
  }
  [[nodiscard]] bool is_visible(const RowName& name) { return rows_.at(name).live && rows_.at(name).visible; }
  void show();
  [[nodiscard]] HiddenRow target(const RowName&, std::optional<Bytes>& shown);
  void write(const RowName&, const std::optional<Bytes>& shown);
  void record_loser(const RowName&, const WorkingRow&);
  void record_overwritten(const RowName&, const PendingRow&);
  [[nodiscard]] std::string describe(const RowName& name) const {
    return schema_.models[name.model].name + " (" + describe_values(name.key) + ")";
  }
  [[nodiscard]] std::string columns(const RuleName&) const;
  [[nodiscard]] FieldMask plain(ModelIndex m) const {
    return schema_.models[m].all_fields() & ~schema_.models[m].key_fields();
  }

  RowStore& store_;
  const Schema& schema_;
  ConflictLog& conflicts_;
  WallTime wall_;
  WorkingRows rows_;
  std::set<RowName> to_check_;
  std::vector<ShownChange> changes_;
};

// ---- UNIQUE

// What is decided of a row depends on those before it alone, and those are decided when its turn comes.
void Settling::decide_unique() {
  std::set<RowName, StandsBefore> turns(StandsBefore{&rows_});
  for (const auto& [name, pending] : store_.pending().rows())
    if (rows_.at(name).live) turns.insert(name);
  for (const RuleValue& value : store_.pending().released())
    for (const RowName& holder : rows_.holders(value)) turns.insert(holder);
  while (!turns.empty()) {
    const RowName name = *turns.begin();
    turns.erase(turns.begin());
    const std::vector<RowName> behind = decide_unique(name);
    turns.insert(behind.begin(), behind.end());
  }
}

// Gives the rows behind it that must be decided anew: where it has come to stand, those that stand as well; where it does so no
// more, those that do not.
std::vector<RowName> Settling::decide_unique(const RowName& name) {
  const bool was_loser = rows_.at(name).loser;
  std::vector<const std::vector<RowName>*> rivals;
  bool loser = false;
  for (std::size_t i = 0; i < store_.rules().uniques(name.model); ++i) {
    const std::optional<Bytes> value = rows_.value({name.model, i}, name);
    if (!value) continue;
    rivals.push_back(&rows_.holders({{name.model, i}, *value}));
    for (const RowName& other : *rivals.back()) {  // those before it come first
      if (loser || other == name || !rows_.stands_before(other, name)) break;
      if (rows_.at(other).loser) continue;
      loser = true;
      rows_.at(name).beaten_by = other;
      rows_.at(name).beaten_in = i;
    }
  }
  WorkingRow& row = rows_.at(name);
  if (planted(PlantedBug::hidden_for_ever)) loser = loser || was_loser;
  row.loser = loser;
  row.to_show = row.to_show || loser != was_loser || row.beaten_by;
  std::vector<RowName> behind;
  if (loser == was_loser && (loser || !row.touched)) return behind;
  for (const std::vector<RowName>* holders : rivals)
    for (auto other = holders->rbegin(); other != holders->rend() && rows_.stands_before(name, *other); ++other)
      if (rows_.at(*other).loser == loser) behind.push_back(*other);
  return behind;
}

// ---- References

// Whatever may have come to be visible is taken for visible, with those that wait for it; then what lacks a parent goes,
// and with it what lacks it. What is left is the greatest set of rows that need no other.
void Settling::decide_references() {
  std::vector<RowName> decided;
  for (const auto& [name, row] : rows_.all()) decided.push_back(name);
  for (const auto& [name, pending] : store_.pending().rows()) decided.push_back(name);
  for (const RowName& name : decided) {
    const WorkingRow& row = rows_.at(name);
    const bool stands = row.live && !row.loser;
    if (stands && (row.touched || row.was == HiddenKind::unique)) raise(name);
  }
  for (const RowName& name : decided) {
    WorkingRow& row = rows_.at(name);
    if (row.live && !row.loser) continue;
    row.visible = false;
    if (!row.was_visible) continue;
    for (const RowName& child : rows_.children(name, Dangling::cascade)) to_check_.insert(child);
  }
  while (!to_check_.empty()) {
    const RowName name = *to_check_.begin();
    to_check_.erase(to_check_.begin());
    if (!is_visible(name) || is_supported(name)) continue;
    rows_.at(name).visible = false;
    rows_.at(name).to_show = true;
    for (const RowName& child : rows_.children(name, Dangling::cascade)) to_check_.insert(child);
  }
  decided.clear();
  for (const auto& [name, row] : rows_.all())
    if (row.visible != row.was_visible) decided.push_back(name);
  for (const RowName& name : decided)
    for (const RowName& child : rows_.children(name, Dangling::set_null))
      if (is_visible(child)) rows_.at(child).to_show = true;
}

void Settling::raise(const RowName& first) {
  std::vector<RowName> rising{first};
  while (!rising.empty()) {
    const RowName name = std::move(rising.back());
    rising.pop_back();
    WorkingRow& row = rows_.at(name);
    if (!row.live || row.loser || row.visible) continue;
    row.visible = row.to_show = true;
    to_check_.insert(name);
    if (row.was_visible) continue;  // its children have not waited for it
    for (RowName& child : rows_.children(name, Dangling::cascade)) rising.push_back(std::move(child));
  }
}

bool Settling::is_supported(const RowName& name) {
  const RowRules& rules = store_.rules();
  for (std::size_t i = rules.uniques(name.model); i < rules.rules(name.model); ++i) {
    const RuleName rule{name.model, i};
    if (rules.reference(rule).policy != Dangling::cascade) continue;
    const std::optional<Bytes> value = rows_.value(rule, name);
    if (value && !is_visible(parent_of(rule, *value))) return false;
  }
  return true;
}

// ---- What is shown

// What the table is to hold of it, and what is kept beside.
HiddenRow Settling::target(const RowName& name, std::optional<Bytes>& shown) {
  const WorkingRow& row = rows_.at(name);
  const RowRules& rules = store_.rules();
  shown.reset();
  if (!row.live) return {};
  if (row.loser) {
    std::string why;
    if (row.beaten_by)
      why = "UNIQUE (" + columns({name.model, row.beaten_in}) + "): " + describe(*row.beaten_by) + " is later";
    return {HiddenKind::unique, why, row.values};
  }
  FieldMask nulled = 0;
  std::string why;
  for (std::size_t i = rules.uniques(name.model); i < rules.rules(name.model); ++i) {
    const RuleName rule{name.model, i};
    const std::optional<Bytes> value = rows_.value(rule, name);
    if (!value) continue;
    const RowName parent = parent_of(rule, *value);
    if (parent == name || is_visible(parent)) continue;
    if (rules.reference(rule).policy == Dangling::set_null)
      for (const FieldIndex f : rules.fields(rule)) nulled |= FieldMask{1} << f;
    if (why.empty() || !row.visible) why = columns(rule) + ": there is no " + describe(parent);
  }
  if (!row.visible) return {HiddenKind::parent, why, row.values};
  shown = rules.with_nulls(name.model, row.values, nulled);
  return {nulled == 0 ? HiddenKind::none : HiddenKind::nulled, why, row.values};
}

// First out, then in: what a row leaves may be wanted by another. Of rows that stay and change what an index holds of them,
// a single one is changed where it stands; several may change places, and are taken out first.
void Settling::show() {
  std::map<RowName, std::optional<Bytes>> targets;
  std::vector<RowName> moving;
  std::vector<RowName> looked_at;
  for (const auto& [name, row] : rows_.all())
    if (row.to_show) looked_at.push_back(name);
  for (const RowName& name : looked_at) {
    std::optional<Bytes>& wanted = targets[name];
    HiddenRow hidden = target(name, wanted);
    const WorkingRow& row = rows_.at(name);
    if (hidden.kind == HiddenKind::unique && row.was != HiddenKind::unique) record_loser(name, row);
    if (hidden.kind != HiddenKind::none)
      store_.hidden().put(name, hidden);
    else
      store_.hidden().drop(name);
    const std::optional<BytesView> here = store_.shown().read(name.model, name.key);
    if (!here) continue;
    if (!wanted) {
      store_.shown().erase(name.model, name.key);
      changes_.push_back({name.model, Op::erase, 0, name.key});
      continue;
    }
    for (std::size_t i = 0; i < store_.rules().uniques(name.model); ++i) {
      const RuleName rule{name.model, i};
      if (store_.rules().value(rule, name.key, *here) == store_.rules().value(rule, name.key, *wanted)) continue;
      moving.push_back(name);
      break;
    }
  }
  // What they leave may be wanted by a row that comes; what they take is free by now.
  if (moving.size() == 1)
    write(moving.front(), targets.at(moving.front()));
  else
    for (const RowName& name : moving) store_.shown().erase(name.model, name.key);
  for (const auto& [name, wanted] : targets) {
    const bool moved = std::binary_search(moving.begin(), moving.end(), name);
    if (!wanted || (moved && moving.size() == 1)) continue;
    write(name, wanted);
    if (moved) changes_.back().op = Op::update;
  }
  for (const auto& [name, pending] : store_.pending().rows()) record_overwritten(name, pending);
  store_.pending().clear();
}

void Settling::write(const RowName& name, const std::optional<Bytes>& shown) {
  const std::optional<BytesView> here = store_.shown().read(name.model, name.key);
  if (!here) {
    store_.shown().insert(name.model, name.key, *shown);
    changes_.push_back({name.model, Op::insert, plain(name.model), name.key});
    return;
  }
  if (*here == *shown) return;
  FieldMask changed = 0;
  ByteWriter values;
  ByteReader before(*here);
  ByteReader after(*shown);
  for (FieldMask left = plain(name.model); left != 0; left &= left - 1) {
    const BytesView value = read_value_bytes(after);
    if (read_value_bytes(before) == value) continue;
    changed |= left & (~left + 1);
    values.raw(value);
  }
  store_.shown().update(name.model, name.key, changed, values.bytes());
  changes_.push_back({name.model, Op::update, changed, name.key});
}

// ---- What is told of it

std::string Settling::columns(const RuleName& rule) const {
  std::string names;
  const ModelSchema& m = schema_.models[rule.model];
  for (const FieldIndex i : store_.rules().fields(rule)) names += (names.empty() ? "" : ", ") + m.fields[i].name;
  return names;
}

void Settling::record_loser(const RowName& name, const WorkingRow& row) {
  if (!row.beaten_by) return;
  const RuleName rule{name.model, row.beaten_in};
  const Stamp winner = rows_.at(*row.beaten_by).generation;
  const std::vector<FieldIndex>& fields = store_.rules().fields(rule);
  const ModelSchema& m = schema_.models[name.model];
  const std::string_view field =
      fields.size() == 1 ? std::string_view(m.fields[fields.front()].name) : std::string_view();
  const BytesView value = store_.rules().field(name, fields.front(), row.values);
  conflicts_.add({m.name, name.key, field, "unique", winner, row.generation, value}, wall_);
}

// The application could not see the row over which it inserted: what that held has not been seen by anybody.
void Settling::record_overwritten(const RowName& name, const PendingRow& pending) {
  if (!pending.overwritten) return;
  const auto& [version, values] = *pending.overwritten;
  const ModelSchema& m = schema_.models[name.model];
  const Stamp winner = rows_.at(name).generation;
  ByteReader r(values);
  for (FieldIndex i = 0; i < m.fields.size(); ++i) {
    if (m.fields[i].key_position != 0) continue;
    const BytesView value = read_value_bytes(r);
    conflicts_.add({m.name, name.key, m.fields[i].name, "insert", winner, version.stamp_of(i), value}, wall_);
  }
}

}  // namespace

std::vector<ShownChange> settle(RowStore& store, ConflictLog& conflicts, WallTime wall) {
  return Settling(store, conflicts, wall).run();
}

}  // namespace starling
