// What the rules of a model say of one row, from its key and its merged values alone.
//
// The value of a UNIQUE index, and the key that a foreign key leads to, as bytes that are equal exactly where SQLite takes
// the values for equal: 1, 1.0 and -0.0 against 0 are told apart by typed bytes, and not by an index.
#pragma once

#include <compare>
#include <optional>
#include <vector>

#include "core/base/schema.h"
#include "core/base/value.h"

namespace starling {

struct RowName {
  ModelIndex model = 0;
  Bytes key;
  friend auto operator<=>(const RowName&, const RowName&) = default;
};

// A rule of a model, by one number: its UNIQUE indexes, then its references.
struct RuleName {
  ModelIndex model = 0;
  std::size_t rule = 0;
  friend auto operator<=>(const RuleName&, const RuleName&) = default;
};

struct RuleValue {  // what a row holds of a rule
  RuleName of;
  Bytes value;
  friend auto operator<=>(const RuleValue&, const RuleValue&) = default;
};

class RowRules {
 public:
  explicit RowRules(const Schema& schema);

  [[nodiscard]] const Schema& schema() const { return schema_; }
  [[nodiscard]] bool has_rules(ModelIndex m) const { return schema_.models[m].has_rules(); }
  [[nodiscard]] FieldMask fields_in_rules(ModelIndex m) const { return fields_[m]; }
  [[nodiscard]] std::size_t uniques(ModelIndex m) const { return schema_.models[m].uniques.size(); }
  [[nodiscard]] bool is_unique(const RuleName& r) const { return r.rule < uniques(r.model); }
  [[nodiscard]] const std::vector<FieldIndex>& fields(const RuleName&) const;
  [[nodiscard]] const Reference& reference(const RuleName& r) const {
    return schema_.models[r.model].references[r.rule - uniques(r.model)];
  }
  [[nodiscard]] std::size_t rules(ModelIndex m) const { return uniques(m) + schema_.models[m].references.size(); }
  [[nodiscard]] ModelIndex parent_model(const RuleName& r) const {
    return schema_.index_of(*schema_.find(reference(r).parent));
  }
  [[nodiscard]] const std::vector<RuleName>& dependents(ModelIndex m) const {
    return dependents_[m];
  }  // references to it

  // nullopt: one of the columns is NULL, so the rule does not concern this row.
  [[nodiscard]] std::optional<Bytes> value(const RuleName&, BytesView key, BytesView values) const;
  [[nodiscard]] BytesView field(const RowName&, FieldIndex, BytesView values) const;  // its typed bytes
  // The typed bytes of every non-key field, with NULL in those of the mask.
  [[nodiscard]] Bytes with_nulls(ModelIndex, BytesView values, FieldMask) const;
  // Hash of all rules: another one, and what is shown must be found anew.
  [[nodiscard]] Hash128 digest() const;

 private:
  const Schema& schema_;
  std::vector<FieldMask> fields_;
  std::vector<std::vector<RuleName>> dependents_;
};

}  // namespace starling
