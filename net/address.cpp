#include "net/address.h"

#include <charconv>

namespace starling {
namespace {

Error malformed(std::string_view text, const char* what) {
  return {Errc::invalid_argument, what, "address '" + std::string(text) + "'",
          "write host:port, 192.0.2.7:7400 or [2001:db8::7]:7400"};
}

}  // namespace

std::string Address::text() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Expected<Address> parse_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return malformed(text, "there is no port");
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find_first_of(":[]") != std::string_view::npos) {
    return malformed(text, "an IPv6 address stands in brackets");
  }
  if (host.size() > 255) return malformed("", "the host is too long");
  Address address{host == "*" ? "" : std::string(host), 0};
  const auto [end, failed] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (failed != std::errc() || end != port.data() + port.size())
    return malformed(text, "the port is no number up to 65535");
  return address;
}

Expected<Address> parse_dial_address(std::string_view text) {
  Expected<Address> address = parse_address(text);
  if (address && (address->host.empty() || address->port == 0)) return malformed(text, "host or port is missing");
  return address;
}

}  // namespace starling
