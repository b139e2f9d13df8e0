// Bytes, and how to write and read them: the ground of every format of ours.
//
// ByteWriter appends to one growing buffer; ByteReader walks over bytes that may be hostile. A ByteReader never throws
// and never reads past its end: after the first bad read it is failed(), every later read gives zero or empty, and one
// check at the end suffices. Integers are LEB128 varints (minimal form only, so that a value has exactly one encoding)
// or fixed-width big-endian.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace starling {

using Bytes = std::string;           // owning; may hold any byte
using BytesView = std::string_view;  // not owning

class ByteWriter {
 public:
  void u8(std::uint8_t v) { out_.push_back(static_cast<char>(v)); }
  void be32(std::uint32_t v) { big_endian(v, 4); }
  void be64(std::uint64_t v) { big_endian(v, 8); }
  void varint(std::uint64_t v) {
    while (v >= 0x80) {
      u8(static_cast<std::uint8_t>(v | 0x80));
      v >>= 7;
    }
    u8(static_cast<std::uint8_t>(v));
  }
  void zigzag(std::int64_t v) { varint((static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63)); }
  void raw(BytesView bytes) { out_.append(bytes); }
  void blob(BytesView bytes) {  // length, then the bytes
    varint(bytes.size());
    raw(bytes);
  }

  [[nodiscard]] const Bytes& bytes() const { return out_; }
  [[nodiscard]] Bytes take() { return std::move(out_); }
  [[nodiscard]] std::size_t size() const { return out_.size(); }
  void clear() { out_.clear(); }
  void reserve(std::size_t n) { out_.reserve(n); }

 private:
  void big_endian(std::uint64_t v, int width) {
    for (int shift = 8 * (width - 1); shift >= 0; shift -= 8) u8(static_cast<std::uint8_t>(v >> shift));
  }

  Bytes out_;
};

class ByteReader {
 public:
  explicit ByteReader(BytesView bytes) : rest_(bytes) {}

  [[nodiscard]] std::uint8_t u8() {
    if (rest_.empty()) return fail<std::uint8_t>();
    const auto v = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return v;
  }
  [[nodiscard]] std::uint32_t be32() { return static_cast<std::uint32_t>(big_endian(4)); }
  [[nodiscard]] std::uint64_t be64() { return big_endian(8); }
  [[nodiscard]] std::uint64_t varint() {
    std::uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint8_t b = u8();
      if (shift == 63 && b > 1) return fail<std::uint64_t>();
      v |= static_cast<std::uint64_t>(b & 0x7fU) << shift;
      if ((b & 0x80U) == 0) return (b == 0 && shift > 0) ? fail<std::uint64_t>() : v;  // refuse non-minimal forms
    }
    return fail<std::uint64_t>();
  }
  [[nodiscard]] std::int64_t zigzag() {
    const std::uint64_t v = varint();
    return static_cast<std::int64_t>(v >> 1) ^ -static_cast<std::int64_t>(v & 1);
  }
  [[nodiscard]] BytesView raw(std::uint64_t n) {
    if (n > rest_.size()) return fail<BytesView>();
    const BytesView v = rest_.substr(0, static_cast<std::size_t>(n));
    rest_.remove_prefix(static_cast<std::size_t>(n));
    return v;
  }
  [[nodiscard]] BytesView blob() { return raw(varint()); }

  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] bool done() const { return !failed_ && rest_.empty(); }  // all read, nothing bad
  [[nodiscard]] BytesView rest() const { return rest_; }
  void set_failed() { (void)fail<int>(); }  // a value was read well but means nothing

 private:
  template <class T>
  [[nodiscard]] T fail() {
    failed_ = true;
    rest_ = {};
    return T{};
  }
  [[nodiscard]] std::uint64_t big_endian(unsigned width) {
    const BytesView bytes = raw(width);
    std::uint64_t v = 0;
    for (const char c : bytes) v = (v << 8) | static_cast<std::uint8_t>(c);
    return v;
  }

  BytesView rest_;
  bool failed_ = false;
};

[[nodiscard]] Bytes to_hex(BytesView);                  // lower case
[[nodiscard]] bool from_hex(BytesView hex, Bytes& out);  // false: odd length or another character

}  // namespace starling
