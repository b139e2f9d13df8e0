// Typed bytes: the one form in which a SQLite value exists outside SQLite.
//
// A value is one header byte (low three bits: type, upper five: length, 31 = a varint of length - 31 follows), then
// its bytes. Each value has exactly one encoding, so equality of values is equality of bytes, and "the greater value"
// (the last tie-break of the merge rule) is the greater byte string: never a SQL comparison, which calls 1 and 1.0
// equal and knows collations. Capture writes typed bytes straight from the hook, the log carries them, apply binds
// them without a copy, digests hash them.
//
//   null  no bytes
//   integer  minimal two's complement, big-endian: 0 has none, -128..127 one, … up to eight
//   real  eight bytes IEEE 754, big-endian; NaN does not exist in SQLite and is refused
//   text  the bytes as stored, UTF-8 or not; blob  the bytes
#pragma once

#include <cstdint>
#include <string>

#include "core/base/bytes.h"

namespace starling {

enum class Type : std::uint8_t { null = 0, integer = 1, real = 2, text = 3, blob = 4 };

// One decoded value. `bytes` points into the buffer it was read from.
struct ValueView {
  Type type = Type::null;
  std::int64_t integer = 0;
  double real = 0;
  BytesView bytes;

  [[nodiscard]] static ValueView null() { return {}; }
  [[nodiscard]] static ValueView of(std::int64_t v) { return {Type::integer, v, 0, {}}; }
  [[nodiscard]] static ValueView of(double v) { return {Type::real, 0, v, {}}; }
  [[nodiscard]] static ValueView text(BytesView v) { return {Type::text, 0, 0, v}; }
  [[nodiscard]] static ValueView blob(BytesView v) { return {Type::blob, 0, 0, v}; }
};

void write_value(ByteWriter&, const ValueView&);
[[nodiscard]] ValueView read_value(ByteReader&);       // fails the reader on any non-canonical form
[[nodiscard]] BytesView read_value_bytes(ByteReader&);  // the same checks, gives the encoded bytes

// For people: NULL, 42, 3.5, 'text' (escaped, cut at 80 characters), x'00ff…'. Many values: comma-separated.
[[nodiscard]] std::string describe_values(BytesView typed_bytes);

}  // namespace starling
