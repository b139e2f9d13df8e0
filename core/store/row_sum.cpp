#include "core/store/row_sum.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace starling {
namespace {

// What stands before the fields at the end that hold their defaults. Mostly there are none, which one look at the last
// bytes tells; only else the values are walked over.
BytesView without_last_defaults(const ModelSchema& m, BytesView values) {
  const auto plain = [&](std::size_t i) { return m.fields[i].key_position == 0; };
  std::size_t last = m.fields.size();
  while (last > 0 && !plain(last - 1)) --last;
  const auto ends_with_default = [&](std::size_t field, BytesView bytes) {
    const Bytes& value = m.fields[field].default_value;
    return !value.empty() && bytes.ends_with(value);
  };
  if (last == 0 || !ends_with_default(last - 1, values)) return values;
  std::size_t keep = 0;  // up to the end of the last value that is no default
  std::size_t field = 0;
  for (ByteReader r(values); !r.rest().empty(); ++field) {
    while (field < last && !plain(field)) ++field;
    const BytesView value = read_value_bytes(r);
    if (field >= last || r.failed()) return values;  // no row of this model: hashed as it is
    if (value != m.fields[field].default_value) keep = values.size() - r.rest().size();
  }
  return values.substr(0, keep);
}

void put(XXH3_state_t& state, BytesView bytes) { (void)XXH3_64bits_update(&state, bytes.data(), bytes.size()); }

RowSum sum(const ModelSchema& m, BytesView key, BytesView version, BytesView values) {
  XXH3_state_t state;
  (void)XXH3_64bits_reset(&state);
  ByteWriter head;
  head.reserve(16 + key.size() + version.size());
  head.blob(key);
  head.blob(version);
  put(state, head.bytes());
  put(state, without_last_defaults(m, values));
  return XXH3_64bits_digest(&state);
}

void write_stamp(ByteWriter& w, const Stamp& stamp) {
  w.be64(stamp.hlc.packed);
  write_origin(w, stamp.origin);
}

}  // namespace

RowSum sum_of(const ModelSchema& m, BytesView key, const RowVersion& v, BytesView values) {
  ByteWriter version;
  write_stamp(version, v.generation);
  for (const FieldStamp& f : v.fields) {
    version.varint(f.field);
    write_stamp(version, f.stamp);
  }
  return sum(m, key, version.bytes(), values);
}

RowSum sum_of(const ModelSchema& m, BytesView key, const Origin& owner, Rev rev, BytesView values) {
  ByteWriter version;
  write_origin(version, owner);
  version.varint(rev.value);
  return sum(m, key, version.bytes(), values);
}

std::uint8_t range_of(BytesView key) { return static_cast<std::uint8_t>(XXH3_64bits(key.data(), key.size()) >> 56); }

Hash128 hash_of_bytes(BytesView bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  ByteWriter w;
  w.be64(hash.high64);
  w.be64(hash.low64);
  return Hash128::from(w.bytes());
}

}  // namespace starling
