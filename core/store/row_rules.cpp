#include "core/store/row_rules.h"

#include <array>
#include <cmath>

#include "core/base/assert.h"
#include "core/base/sha256.h"

namespace starling {
namespace {

constexpr double kTwoTo63 = 9223372036854775808.0;

// A whole number is one value, however it is stored.
void write_comparable(ByteWriter& w, BytesView typed) {
  ByteReader r(typed);
  ValueView v = read_value(r);
  if (v.type == Type::real && v.real >= -kTwoTo63 && v.real < kTwoTo63 && std::trunc(v.real) == v.real)
    v = ValueView::of(static_cast<std::int64_t>(v.real));
  write_value(w, v);
}

}  // namespace

RowRules::RowRules(const Schema& schema)
    : schema_(schema), fields_(schema.models.size()), dependents_(schema.models.size()) {
  for (ModelIndex m = 0; m < schema.models.size(); ++m) {
    for (std::size_t i = 0; i < rules(m); ++i) {
      for (const FieldIndex f : fields({m, i})) fields_[m] |= FieldMask{1} << f;
      if (!is_unique({m, i})) dependents_[parent_model({m, i})].push_back({m, i});
    }
  }
}

const std::vector<FieldIndex>& RowRules::fields(const RuleName& r) const {
  return is_unique(r) ? schema_.models[r.model].uniques[r.rule] : reference(r).fields;
}

std::optional<Bytes> RowRules::value(const RuleName& rule, BytesView key, BytesView values) const {
  const ModelSchema& m = schema_.models[rule.model];
  std::array<BytesView, limits::kFieldsMax> by_field;
  ByteReader of_key(key);
  ByteReader of_values(values);
  for (const FieldIndex i : m.key) by_field[i] = read_value_bytes(of_key);
  for (FieldIndex i = 0; i < m.fields.size(); ++i)
    if (m.fields[i].key_position == 0) by_field[i] = read_value_bytes(of_values);
  ASSERT(!of_key.failed() && !of_values.failed());
  ByteWriter w;
  for (const FieldIndex i : fields(rule)) {
    ByteReader r(by_field[i]);
    if (read_value(r).type == Type::null) return std::nullopt;
    write_comparable(w, by_field[i]);
  }
  return w.take();
}

BytesView RowRules::field(const RowName& name, FieldIndex field, BytesView values) const {
  const ModelSchema& m = schema_.models[name.model];
  ByteReader of_key(name.key);
  for (const FieldIndex i : m.key) {
    const BytesView value = read_value_bytes(of_key);
    if (i == field) return value;
  }
  ByteReader of_values(values);
  for (FieldIndex i = 0; i < field; ++i)
    if (m.fields[i].key_position == 0) (void)read_value_bytes(of_values);
  return read_value_bytes(of_values);
}

Bytes RowRules::with_nulls(ModelIndex index, BytesView values, FieldMask mask) const {
  if (mask == 0) return Bytes(values);
  const ModelSchema& m = schema_.models[index];
  ByteReader r(values);
  ByteWriter w;
  for (FieldIndex i = 0; i < m.fields.size(); ++i) {
    if (m.fields[i].key_position != 0) continue;
    const BytesView value = read_value_bytes(r);
    if ((mask >> i & 1) != 0)
      write_value(w, ValueView::null());
    else
      w.raw(value);
  }
  return w.take();
}

Hash128 RowRules::digest() const {
  ByteWriter w;
  for (const ModelSchema& m : schema_.models) {
    if (!m.has_rules()) continue;
    w.blob(m.name);
    for (const UniqueFields& unique : m.uniques) {
      w.varint(unique.size());
      for (const FieldIndex i : unique) w.varint(i);
    }
    w.u8(0);
    for (const Reference& r : m.references) {
      w.blob(r.parent);
      w.u8(static_cast<std::uint8_t>(r.policy));
      w.varint(r.fields.size());
      for (const FieldIndex i : r.fields) w.varint(i);
    }
  }
  return w.size() == 0 ? Hash128{} : hash128(w.bytes());
}

}  // namespace starling
