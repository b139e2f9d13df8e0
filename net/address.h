// Where a node listens or is dialled: a host and a port, as people write them.
//
// "host:port", "10.0.0.7:7400", "[fe80::1]:7400"; for listening also ":7400" and "*:7400", every address of the
// machine. The host may be a name; nothing is resolved here.
#pragma once

#include <string>
#include <string_view>

#include "core/base/expected.h"

namespace starling {

struct Address {
  std::string host;  // empty: every address (listening only); an IPv6 address without its brackets
  std::uint16_t port = 0;

  [[nodiscard]] std::string text() const;
  friend bool operator==(const Address&, const Address&) = default;
};

[[nodiscard]] Expected<Address> parse_address(std::string_view);
[[nodiscard]] Expected<Address> parse_dial_address(std::string_view);  // host and port must be there

}  // namespace starling
