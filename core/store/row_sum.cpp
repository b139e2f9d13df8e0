#include "core/store/row_sum.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <array>
#include <bit>
#include <cstring>
#include <utility>

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

// Most rows fit the buffer and are hashed in one go, which is several times faster than piece by piece.
class Hasher {
 public:
  void raw(BytesView bytes) {
    if (!streaming_ && size_ + bytes.size() <= buffer_.size()) {
      if (!bytes.empty()) std::memcpy(buffer_.data() + size_, bytes.data(), bytes.size());
      size_ += bytes.size();
      return;
    }
    if (!std::exchange(streaming_, true)) {
      (void)XXH3_64bits_reset(&state_);
      (void)XXH3_64bits_update(&state_, buffer_.data(), size_);
    }
    (void)XXH3_64bits_update(&state_, bytes.data(), bytes.size());
  }
  void varint(std::uint64_t v) {
    if (v < 0x80 && !streaming_ && size_ < buffer_.size()) {
      buffer_[size_++] = static_cast<char>(v);
      return;
    }
    std::array<char, 10> bytes{};
    std::size_t n = 0;
    for (; v >= 0x80; v >>= 7) bytes[n++] = static_cast<char>(v | 0x80);
    bytes[n++] = static_cast<char>(v);
    raw({bytes.data(), n});
  }
  void be64(std::uint64_t v) {
    if constexpr (std::endian::native == std::endian::little) v = __builtin_bswap64(v);
    fixed(&v, sizeof v);
  }
  void be32(std::uint32_t v) {
    if constexpr (std::endian::native == std::endian::little) v = __builtin_bswap32(v);
    fixed(&v, sizeof v);
  }
  void origin(const Origin& o) {  // as write_origin()
    fixed(o.device.raw.data(), o.device.raw.size());
    be64(o.incarnation.birth.packed);
    be32(o.incarnation.random);
  }
  void stamp(const Stamp& s) {
    be64(s.hlc.packed);
    origin(s.origin);
  }
  [[nodiscard]] RowSum finish() const {
    return streaming_ ? XXH3_64bits_digest(&state_) : XXH3_64bits(buffer_.data(), size_);
  }

 private:
  // Inlined with its size known, a copy is an instruction or two.
  [[gnu::always_inline]] void fixed(const void* bytes, std::size_t size) {
    if (streaming_ || size_ + size > buffer_.size()) return raw({static_cast<const char*>(bytes), size});
    std::memcpy(buffer_.data() + size_, bytes, size);
    size_ += size;
  }

  std::array<char, 512> buffer_;
  std::size_t size_ = 0;
  bool streaming_ = false;
  XXH3_state_t state_;
};

constexpr std::size_t kOriginSize = 28;
constexpr std::size_t kStampSize = 8 + kOriginSize;
static_assert(limits::kFieldsMax < 0x80, "the number of a field is one byte");

std::size_t varint_size(std::uint64_t v) {
  std::size_t n = 1;
  for (; v >= 0x80; v >>= 7) ++n;
  return n;
}

void write_key(Hasher& h, BytesView key) {
  h.varint(key.size());
  h.raw(key);
}

}  // namespace

RowSum sum_of(const ModelSchema& m, BytesView key, const RowVersion& v, BytesView values) {
  Hasher h;
  write_key(h, key);
  h.varint(kStampSize + v.fields.size() * (1 + kStampSize));
  h.stamp(v.generation);
  for (const FieldStamp& f : v.fields) {
    h.varint(f.field);
    h.stamp(f.stamp);
  }
  h.raw(without_last_defaults(m, values));
  return h.finish();
}

RowSum sum_of(const ModelSchema& m, BytesView key, const Origin& owner, Rev rev, BytesView values) {
  Hasher h;
  write_key(h, key);
  h.varint(kOriginSize + varint_size(rev.value));
  h.origin(owner);
  h.varint(rev.value);
  h.raw(without_last_defaults(m, values));
  return h.finish();
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
