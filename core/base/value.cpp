#include "core/base/value.h"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>

#include "core/base/assert.h"

namespace starling {
namespace {

constexpr std::uint64_t kLongLength = 31;

void write_header(ByteWriter& w, Type type, std::uint64_t length) {
  const auto low = static_cast<std::uint8_t>(type);
  if (length < kLongLength) {
    w.u8(static_cast<std::uint8_t>((length << 3) | low));
  } else {
    w.u8(static_cast<std::uint8_t>((kLongLength << 3) | low));
    w.varint(length - kLongLength);
  }
}

unsigned minimal_width(std::int64_t v) {  // bytes of two's complement that keep the sign
  if (v == 0) return 0;
  unsigned width = 1;
  while (width < 8 && (v < -(std::int64_t{1} << (8 * width - 1)) || v >= (std::int64_t{1} << (8 * width - 1)))) ++width;
  return width;
}

std::int64_t integer_of(BytesView bytes) {
  if (bytes.empty()) return 0;
  std::uint64_t v = (static_cast<std::uint8_t>(bytes.front()) & 0x80U) != 0 ? ~std::uint64_t{0} : 0;
  for (const char c : bytes) v = (v << 8) | static_cast<std::uint8_t>(c);
  return static_cast<std::int64_t>(v);
}

std::string shortest(double v) {  // that reads back as v, and never looks like an integer
  std::array<char, 32> digits{};
  char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), v).ptr;
  std::string text(digits.data(), end);
  if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";
  return text;
}

std::string quoted(const ValueView& v) {
  constexpr std::size_t kShown = 80;
  const BytesView shown = v.bytes.substr(0, kShown);
  const char* more = v.bytes.size() > kShown ? "…" : "";
  if (v.type == Type::blob) {
    return "x'" + to_hex(shown.substr(0, kShown / 2)) + (v.bytes.size() > kShown / 2 ? "…'" : "'");
  }
  std::string text = "'";
  for (const char c : shown) {
    if (static_cast<unsigned char>(c) < 0x20) text += "\\x" + to_hex(BytesView(&c, 1));
    else if (c == '\'') text += "''";
    else text.push_back(c);
  }
  return text + more + "'";
}

}  // namespace

void write_value(ByteWriter& w, const ValueView& v) {
  switch (v.type) {
    case Type::null: w.u8(0); return;
    case Type::integer: {
      const unsigned width = minimal_width(v.integer);
      write_header(w, Type::integer, width);
      const auto bits = static_cast<std::uint64_t>(v.integer);
      for (unsigned i = width; i-- > 0;) w.u8(static_cast<std::uint8_t>(bits >> (8 * i)));
      return;
    }
    case Type::real:
      ASSERT(!std::isnan(v.real));
      write_header(w, Type::real, 8);
      w.be64(std::bit_cast<std::uint64_t>(v.real));
      return;
    case Type::text:
    case Type::blob:
      write_header(w, v.type, v.bytes.size());
      w.raw(v.bytes);
      return;
  }
}

ValueView read_value(ByteReader& r) {
  const std::uint8_t header = r.u8();
  const auto type = static_cast<Type>(header & 7U);
  std::uint64_t length = header >> 3;
  if (length == kLongLength) {
    const std::uint64_t more = r.varint();
    if (more > r.rest().size()) r.set_failed();
    else length += more;
  }
  ValueView v;
  v.type = type;
  v.bytes = r.raw(length);
  if (r.failed()) return {};
  switch (type) {
    case Type::null:
      if (length != 0) r.set_failed();
      break;
    case Type::integer:
      v.integer = length <= 8 ? integer_of(v.bytes) : 0;
      if (length > 8 || minimal_width(v.integer) != length) r.set_failed();
      v.bytes = {};
      break;
    case Type::real:
      if (length == 8) v.real = std::bit_cast<double>(static_cast<std::uint64_t>(ByteReader(v.bytes).be64()));
      if (length != 8 || std::isnan(v.real)) r.set_failed();
      v.bytes = {};
      break;
    case Type::text:
    case Type::blob: break;
    default: r.set_failed();
  }
  return r.failed() ? ValueView{} : v;
}

BytesView read_value_bytes(ByteReader& r) {
  const BytesView before = r.rest();
  (void)read_value(r);
  return r.failed() ? BytesView{} : before.substr(0, before.size() - r.rest().size());
}

std::string describe_values(BytesView typed_bytes) {
  std::string text;
  for (ByteReader r(typed_bytes); !r.rest().empty();) {
    const ValueView v = read_value(r);
    if (r.failed()) return text + "(malformed)";
    if (!text.empty()) text += ", ";
    switch (v.type) {
      case Type::null: text += "NULL"; break;
      case Type::integer: text += std::to_string(v.integer); break;
      case Type::real: text += shortest(v.real); break;
      case Type::text:
      case Type::blob: text += quoted(v); break;
    }
  }
  return text;
}

}  // namespace starling
