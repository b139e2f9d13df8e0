#include "core/base/schema.h"

#include <bit>

#include <algorithm>

#include "core/base/sha256.h"

namespace starling {

const ModelSchema* Schema::find(std::string_view name) const {
  const auto built_in = std::find_if(models.begin(), models.end(), [](const ModelSchema& m) { return m.built_in; });
  const auto at = std::lower_bound(models.begin(), built_in, name,
                                   [](const ModelSchema& m, std::string_view n) { return m.name < n; });
  if (at != built_in && at->name == name) return &*at;
  const auto own = std::find_if(built_in, models.end(), [name](const ModelSchema& m) { return m.name == name; });
  return own != models.end() ? &*own : nullptr;
}

Hash128 Schema::digest() const {
  ByteWriter w;
  for (const ModelSchema& m : models) {
    w.blob(m.name);
    w.raw(m.digest.view());
  }
  return hash128(w.bytes());
}

std::optional<Bytes> ModelSchema::values_added_since(FieldMask had) const {
  const FieldMask plain = all_fields() & ~key_fields();
  const FieldMask added = plain & ~had;
  if ((had & ~plain) != 0 || (had != 0 && added != 0 && std::bit_floor(had) > (added & (~added + 1)))) return std::nullopt;
  Bytes values;
  for (FieldMask left = added; left != 0; left &= left - 1) {
    const Bytes& value = fields[static_cast<std::size_t>(std::countr_zero(left))].default_value;
    if (value.empty()) return std::nullopt;
    values += value;
  }
  return values;
}

std::string quote_identifier(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted.push_back('"');
    quoted.push_back(c);
  }
  return quoted + "\"";
}

Hash128 schema_digest(const ModelSchema& m) {
  ByteWriter w;
  w.blob(m.name);
  w.u8(static_cast<std::uint8_t>(m.kind));
  w.u8(m.strict ? 1 : 0);
  for (const FieldSchema& f : m.fields) {
    w.blob(f.name);
    w.u8(static_cast<std::uint8_t>(f.affinity));
    w.u8(f.not_null ? 1 : 0);
    w.blob(f.default_sql);
    w.varint(static_cast<std::uint64_t>(f.key_position));
  }
  for (const UniqueFields& unique : m.uniques) {
    w.blob("unique");
    w.varint(unique.size());
    for (const FieldIndex i : unique) w.blob(m.fields[i].name);
  }
  for (const Reference& r : m.references) {
    w.blob("reference");
    w.u8(static_cast<std::uint8_t>(r.policy));
    w.blob(r.parent);
    w.varint(r.fields.size());
    for (const FieldIndex i : r.fields) w.blob(m.fields[i].name);
  }
  return hash128(w.bytes());
}

}  // namespace starling
