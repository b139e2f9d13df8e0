#include "core/store/working_rows.h"

#include <algorithm>

#include "core/base/planted_bug.h"

namespace starling {

WorkingRows::WorkingRows(RowStore& store) : store_(store) {
  for (const auto& [name, pending] : store.pending().rows()) {
    if (!pending.values) continue;
    for (std::size_t i = 0; i < rules().rules(name.model); ++i) {
      std::optional<Bytes> value = rules().value({name.model, i}, name.key, *pending.values);
      if (value) pending_[{{name.model, i}, std::move(*value)}].push_back(name);
    }
  }
}

WorkingRow& WorkingRows::at(const RowName& name) {
  const auto known = rows_.find(name);
  if (known != rows_.end()) return known->second;
  WorkingRow row;
  const std::optional<RowVersion> version = store_.version(name.model, name.key);
  row.live = version && !version->death;
  if (version) row.generation = version->generation;
  if (const PendingRow* pending = store_.pending().find(name)) {
    row.touched = row.to_show = true;
    row.live = row.live && pending->values;
    if (row.live) row.values = *pending->values;
    row.was = pending->was;
    row.was_visible = pending->was_visible;
  } else if (std::optional<HiddenRow> hidden = store_.find_hidden(name)) {
    row.values = std::move(hidden->values);
    row.was = hidden->kind;
    row.was_visible = row.was == HiddenKind::nulled;
  } else {
    const std::optional<BytesView> shown = store_.shown().read(name.model, name.key);
    row.live = row.live && shown;  // its row is damaged: the scrub says so
    if (row.live) row.values = *shown;
    row.was_visible = row.live;
  }
  row.loser = row.was == HiddenKind::unique;
  row.visible = row.live && !row.touched && row.was_visible;
  return rows_.emplace(name, std::move(row)).first->second;
}

std::optional<Bytes> WorkingRows::value(const RuleName& rule, const RowName& name) {
  return rules().value(rule, name.key, at(name).values);
}

std::vector<RowName> WorkingRows::find(const RuleValue& of) {
  std::vector<RowName> found;
  for (Bytes& key : store_.shown().holders(of.of, of.value)) found.push_back({of.of.model, std::move(key)});
  for (Bytes& key : store_.hidden().holders(of.of, of.value)) found.push_back({of.of.model, std::move(key)});
  const auto pending = pending_.find(of);
  if (pending != pending_.end()) found.insert(found.end(), pending->second.begin(), pending->second.end());
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  std::erase_if(found, [&](const RowName& name) { return !at(name).live || value(of.of, name) != of.value; });
  return found;
}

const std::vector<RowName>& WorkingRows::holders(const RuleValue& of) {
  const auto known = holders_.find(of);
  if (known != holders_.end()) return known->second;
  std::vector<RowName> found = find(of);
  std::sort(found.begin(), found.end(), [this](const RowName& a, const RowName& b) { return stands_before(a, b); });
  return holders_.emplace(of, std::move(found)).first->second;
}

std::vector<RowName> WorkingRows::children(const RowName& parent, Dangling policy) {
  std::vector<RowName> all;
  for (const RuleName& rule : rules().dependents(parent.model)) {
    if (rules().reference(rule).policy != policy) continue;
    const std::vector<RowName> found = find({rule, parent.key});
    all.insert(all.end(), found.begin(), found.end());
  }
  return all;
}

bool WorkingRows::stands_before(const RowName& a, const RowName& b) {
  if (planted(PlantedBug::unique_by_arrival) && at(a).touched != at(b).touched) return at(b).touched;
  const Stamp& left = at(a).generation;
  const Stamp& right = at(b).generation;
  return left != right ? left > right : a.key > b.key;
}

}  // namespace starling
