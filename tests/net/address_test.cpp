#include "net/address.h"

#include <doctest/doctest.h>

#include "net/resolver.h"

using namespace starling;

TEST_CASE("addresses are read as people write them") {
  const auto is = [](const char* text, const char* host, std::uint16_t port) {
    const Expected<Address> address = parse_address(text);
    REQUIRE(address);
    CHECK(*address == Address{host, port});
  };
  is("laptop.local:7400", "laptop.local", 7400);
  is("192.0.2.7:0", "192.0.2.7", 0);
  is("[::1]:65535", "::1", 65535);
  is(":7400", "", 7400);
  is("*:7400", "", 7400);
  CHECK(Address{"::1", 7}.text() == "[::1]:7");
  CHECK(Address{"host", 7}.text() == "host:7");
}

TEST_CASE("what is no address is refused with an example") {
  for (const char* text :
       {"", "host", "host:", "host:x", "host:70000", "host:-1", "host:7 ", "::1:7400", "[::1:7400", "[::1]"}) {
    const Expected<Address> refused = parse_address(text);
    REQUIRE(!refused);
    CHECK(refused.error().code == Errc::invalid_argument);
    CHECK(!refused.error().remedy.empty());
  }
  for (const char* text : {":7400", "host:0"}) CHECK(!parse_dial_address(text));
}

TEST_CASE("localhost has an address, nonsense has none") {
  const Resolved local = resolve_now({"localhost", 7400});
  REQUIRE(!local.endpoints.empty());
  CHECK(local.endpoints.front().address().is_loopback());
  CHECK(local.endpoints.front().port() == 7400);
  const Resolved none = resolve_now({"no such host", 7400});
  CHECK(none.endpoints.empty());
  CHECK(!none.error.empty());
}
