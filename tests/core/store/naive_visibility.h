// What is shown of merged rows, written down naively: the twin of core/store/visibility.h.
//
// It looks at all rows at once, with plain loops, knows no order of arrival and remembers nothing. Values are compared as
// SQL compares them. Slow, and obviously right.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "core/base/schema.h"
#include "core/base/value.h"
#include "tests/core/causal/reference_merge.h"

namespace starling::naive {

struct LiveRow {
  Stamp generation;
  reference::VisibleRow fields;  // merged
};
using LiveRows = std::map<reference::RowName, LiveRow>;
using ShownRows = std::map<reference::RowName, reference::VisibleRow>;

inline ValueView decoded(BytesView typed) {
  ByteReader r(typed);
  return read_value(r);
}

inline bool equal_in_sql(BytesView a, BytesView b) {
  const ValueView x = decoded(a);
  const ValueView y = decoded(b);
  if (x.type == Type::null || y.type == Type::null) return false;
  if (x.type == Type::real && y.type == Type::integer) return x.real == static_cast<double>(y.integer);
  if (x.type == Type::integer && y.type == Type::real)
    return x.integer == static_cast<std::int64_t>(y.real) && y.real == static_cast<double>(x.integer);
  if (x.type == Type::real && y.type == Type::real) return x.real == y.real;
  return a == b;
}

class Visibility {
 public:
  Visibility(const Schema& schema, const LiveRows& rows) : schema_(schema), rows_(rows) {
    for (const ModelSchema& m : schema.models) stand(m);
    while (withdraw_one()) {
    }
  }

  [[nodiscard]] ShownRows shown() const {
    ShownRows all;
    for (const auto& [name, row] : rows_) {
      if (!shown_.contains(name)) continue;
      reference::VisibleRow fields = row.fields;
      const ModelSchema& m = *schema_.find(name.first);
      for (const Reference& r : m.references) {
        if (r.policy != Dangling::set_null || !dangles(name, r)) continue;
        for (const FieldIndex f : r.fields) fields[f] = Bytes(1, '\0');  // typed NULL
      }
      all[name] = std::move(fields);
    }
    return all;
  }

 private:
  Bytes value(const reference::RowName& name, FieldIndex field) const {
    const ModelSchema& m = *schema_.find(name.first);
    ByteReader key(name.second);
    for (const FieldIndex i : m.key) {
      const BytesView part = read_value_bytes(key);
      if (i == field) return Bytes(part);
    }
    const auto& fields = rows_.at(name).fields;
    const auto at = fields.find(field);
    if (at != fields.end()) return at->second;
    return m.fields[field].default_value.empty() ? Bytes(1, '\0') : m.fields[field].default_value;
  }

  bool collide(const reference::RowName& a, const reference::RowName& b, const ModelSchema& m) const {
    return std::any_of(m.uniques.begin(), m.uniques.end(), [&](const UniqueFields& unique) {
      return std::all_of(unique.begin(), unique.end(),
                         [&](FieldIndex f) { return equal_in_sql(value(a, f), value(b, f)); });
    });
  }

  void stand(const ModelSchema& m) {
    std::vector<reference::RowName> names;
    for (const auto& [name, row] : rows_)
      if (name.first == m.name) names.push_back(name);
    std::sort(names.begin(), names.end(), [&](const auto& a, const auto& b) {
      return std::tie(rows_.at(b).generation, b.second) < std::tie(rows_.at(a).generation, a.second);
    });
    for (const auto& name : names) {
      const bool beaten = std::any_of(shown_.begin(), shown_.end(), [&](const auto& other) {
        return other.first == m.name && collide(name, other, m);
      });
      if (!beaten) shown_.insert(name);
    }
  }

  bool dangles(const reference::RowName& name, const Reference& r) const {
    for (const FieldIndex f : r.fields)
      if (decoded(value(name, f)).type == Type::null) return false;
    const ModelSchema& parent = *schema_.find(r.parent);
    return std::none_of(shown_.begin(), shown_.end(), [&](const auto& other) {
      if (other.first != r.parent) return false;
      for (std::size_t i = 0; i < r.fields.size(); ++i)
        if (!equal_in_sql(value(name, r.fields[i]), value(other, parent.key[i]))) return false;
      return true;
    });
  }

  bool withdraw_one() {
    for (const auto& name : shown_) {
      for (const Reference& r : schema_.find(name.first)->references) {
        if (r.policy != Dangling::cascade || !dangles(name, r)) continue;
        shown_.erase(name);
        return true;
      }
    }
    return false;
  }

  const Schema& schema_;
  const LiveRows& rows_;
  std::set<reference::RowName> shown_;
};

[[nodiscard]] inline ShownRows shown(const Schema& schema, const LiveRows& rows) {
  return Visibility(schema, rows).shown();
}

}  // namespace starling::naive
