// Who and where: the identities that changes carry.
//
// Each is a type of its own, so that a sequence number never lands where a revision is meant. A device is known by
// 16 bytes derived from its public key; an incarnation names one unbroken history of that device; together they are
// an origin, the author of a stream. Inside one database an origin is a small ordinal, for size; ordinals differ
// between databases, so they never leave one, and never decide an order.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>

#include "core/base/bytes.h"
#include "core/base/expected.h"
#include "core/base/time.h"

namespace starling {

template <class Tag>
struct Id128 {
  std::array<std::uint8_t, 16> raw{};

  [[nodiscard]] BytesView view() const { return {reinterpret_cast<const char*>(raw.data()), raw.size()}; }
  [[nodiscard]] bool is_zero() const { return raw == std::array<std::uint8_t, 16>{}; }
  [[nodiscard]] static Id128 from(BytesView bytes) {  // exactly 16 bytes
    if (bytes.size() != 16) invariant_broken("an id has 16 bytes", __FILE__, __LINE__);
    Id128 id;
    for (std::size_t i = 0; i < 16; ++i) id.raw[i] = static_cast<std::uint8_t>(bytes[i]);
    return id;
  }
  friend auto operator<=>(const Id128&, const Id128&) = default;
};

struct DeviceTag {};
struct WorkspaceTag {};
struct HashTag {};
using DeviceId = Id128<DeviceTag>;        // first 16 bytes of SHA-256 over the Ed25519 public key
using WorkspaceId = Id128<WorkspaceTag>;  // random
using Hash128 = Id128<HashTag>;           // first 16 bytes of a SHA-256

template <class Tag>
struct Count64 {
  std::uint64_t value = 0;
  [[nodiscard]] constexpr Count64 next() const { return Count64{value + 1}; }
  friend constexpr auto operator<=>(Count64, Count64) = default;
};

struct SeqTag {};
struct RevTag {};
using Seq = Count64<SeqTag>;  // position in a log stream: 1, 2, 3, … ; 0 is "nothing yet"
using Rev = Count64<RevTag>;  // revision in a state stream; 0 is "nothing yet"

// One unbroken history of a device. Ordered by birth, so that the later of two incarnations is known.
struct Incarnation {
  Hlc birth;
  std::uint32_t random = 0;
  friend constexpr auto operator<=>(const Incarnation&, const Incarnation&) = default;
};

struct Origin {
  DeviceId device;
  Incarnation incarnation;
  friend auto operator<=>(const Origin&, const Origin&) = default;
};

using Ordinal = std::int64_t;  // an origin inside one database; row id of sync_origin

// The version of a register: hybrid logical clock first, origin as tie-break, hence a total order.
struct Stamp {
  Hlc hlc;
  Origin origin;
  friend auto operator<=>(const Stamp&, const Stamp&) = default;
};

void write_origin(ByteWriter&, const Origin&);  // 28 bytes
[[nodiscard]] Origin read_origin(ByteReader&);

// People read a device id as 26 base32 characters in groups of four: "ABCD-EFGH-…-YZ". Parsing accepts any case and
// ignores dashes and spaces.
[[nodiscard]] std::string to_string(const DeviceId&);
[[nodiscard]] Expected<DeviceId> parse_device_id(std::string_view);
[[nodiscard]] std::string short_string(const DeviceId&);  // the first group, for log lines
[[nodiscard]] std::string to_string(const WorkspaceId&);  // 32 hexadecimal digits

}  // namespace starling
