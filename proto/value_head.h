// The head of a typed value: its type and length, as value.h lays them out, apart from the bytes that follow.
//
// Column forms store heads and payloads in different places, so they need a head by itself. Whether the payload is
// canonical (integers in their shortest form, no NaN) shows only once it stands behind its head: check_payload().
#pragma once

#include "core/base/limits.h"
#include "core/base/value.h"

namespace starling {

struct ValueHead {
  std::uint8_t type = 0;
  std::size_t length = 0;  // of the payload
};

// Fails the reader on a type or length that no value has.
[[nodiscard]] inline ValueHead read_value_head(ByteReader& r) {
  constexpr std::uint64_t kLongLength = 31;
  const std::uint8_t first = r.u8();
  const auto type = static_cast<std::uint8_t>(first & 7U);
  std::uint64_t length = first >> 3;
  if (length == kLongLength) {
    const std::uint64_t more = r.varint();
    length = more > limits::kValueMax ? limits::kValueMax + 1 : length + more;
  }
  bool ok = false;
  switch (static_cast<Type>(type)) {
    case Type::null: ok = length == 0; break;
    case Type::integer: ok = length <= 8; break;
    case Type::real: ok = length == 8; break;
    case Type::text:
    case Type::blob: ok = length <= limits::kValueMax; break;
  }
  if (!ok) r.set_failed();
  return r.failed() ? ValueHead{} : ValueHead{type, static_cast<std::size_t>(length)};
}

// `value`: head and payload. Text and blobs are always canonical.
[[nodiscard]] inline bool check_payload(std::uint8_t type, BytesView value) {
  if (type != static_cast<std::uint8_t>(Type::integer) && type != static_cast<std::uint8_t>(Type::real)) return true;
  ByteReader r(value);
  (void)read_value(r);
  return r.done();
}

// A whole value within its bounds; fails the reader where there is none.
[[nodiscard]] inline BytesView read_bounded_value(ByteReader& r) {
  const BytesView from = r.rest();
  const ValueHead head = read_value_head(r);
  (void)r.raw(head.length);
  const BytesView value = from.substr(0, from.size() - r.rest().size());
  if (r.failed() || !check_payload(head.type, value)) r.set_failed();
  return r.failed() ? BytesView{} : value;
}

}  // namespace starling
