// Damage to bytes, for properties of what reads them: cut off, flipped, overwritten, put in, taken out, extended.
//
// Places are told as fractions, so that one damage fits bytes of any length and an input that shrinks keeps it.
#pragma once

#include <rapidcheck.h>

#include <ostream>
#include <vector>

#include "core/base/bytes.h"

namespace starling {

struct Damage {
  enum class Kind { flip, set, cut, insert, remove, append } kind = Kind::flip;
  std::uint32_t place = 0;  // of 2^16
  std::uint8_t byte = 0;    // flip: one bit of eight
};

inline void showValue(const Damage& damage, std::ostream& out) {
  static constexpr const char* kNames[] = {"flip", "set", "cut", "insert", "remove", "append"};
  out << kNames[static_cast<int>(damage.kind)] << " at " << damage.place << "/65536, byte " << int{damage.byte};
}

[[nodiscard]] inline rc::Gen<std::vector<Damage>> any_damage() {
  const auto kind = rc::gen::weightedElement<Damage::Kind>({{6, Damage::Kind::flip},
                                                            {4, Damage::Kind::set},
                                                            {3, Damage::Kind::cut},
                                                            {2, Damage::Kind::insert},
                                                            {2, Damage::Kind::remove},
                                                            {1, Damage::Kind::append}});
  // Bytes with a meaning in our formats are tried more often than the others.
  const auto byte = rc::gen::oneOf(rc::gen::arbitrary<std::uint8_t>(),
                                   rc::gen::element<std::uint8_t>(0, 1, 2, 3, 0x10, 0x1f, 0x7f, 0x80, 0xf8, 0xff));
  const auto one = rc::gen::apply(
      [](Damage::Kind k, std::uint32_t p, std::uint8_t b) {
        return Damage{k, p, b};
      },
      kind, rc::gen::inRange<std::uint32_t>(0, 65536), byte);
  return rc::gen::resize(6, rc::gen::nonEmpty(rc::gen::container<std::vector<Damage>>(one)));
}

[[nodiscard]] inline Bytes damaged(Bytes bytes, const std::vector<Damage>& all) {
  for (const Damage& damage : all) {
    const std::size_t at = bytes.size() * damage.place / 65536;
    const auto byte = static_cast<char>(damage.byte);
    if (damage.kind == Damage::Kind::append) {
      bytes.push_back(byte);
    } else if (damage.kind == Damage::Kind::insert) {
      bytes.insert(at, 1, byte);
    } else if (!bytes.empty()) {
      if (damage.kind == Damage::Kind::flip) bytes[at] = static_cast<char>(bytes[at] ^ (1 << (damage.byte % 8)));
      if (damage.kind == Damage::Kind::set) bytes[at] = byte;
      if (damage.kind == Damage::Kind::cut) bytes.resize(at);
      if (damage.kind == Damage::Kind::remove) bytes.erase(at, 1);
    }
  }
  return bytes;
}

}  // namespace starling
