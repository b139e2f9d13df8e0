#include "core/base/ids.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <vector>

#include "core/base/prng.h"

using namespace starling;

namespace {

DeviceId random_device(Prng& random) {
  DeviceId id;
  for (std::uint8_t& byte : id.raw) byte = static_cast<std::uint8_t>(random.next());
  return id;
}

void check_refused(std::string_view text, const std::string& why) {
  CAPTURE(text);
  const Expected<DeviceId> id = parse_device_id(text);
  REQUIRE_FALSE(id.has_value());
  CHECK(id.error().code == Errc::invalid_argument);
  CHECK(id.error().what.find(why) != std::string::npos);
  CHECK(id.error().where == text.substr(0, 64));
  CHECK_FALSE(id.error().remedy.empty());
}

}  // namespace

TEST_CASE("DeviceId: reads as RFC 4648 base32 in groups of four") {
  CHECK(to_string(DeviceId{}) == "AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AA");
  CHECK(to_string(DeviceId::from("foobarfoobarfoob")) == "MZXW-6YTB-OJTG-633C-MFZG-M33P-MI");
  CHECK(to_string(DeviceId::from(Bytes(16, '\xff'))) == "7777-7777-7777-7777-7777-7777-74");
  CHECK(short_string(DeviceId::from("foobarfoobarfoob")) == "MZXW");
}

TEST_CASE("DeviceId: what is printed is parsed back, in any case, with or without dashes and spaces") {
  Prng random(5);
  for (int i = 0; i < 1'000; ++i) {
    const DeviceId id = random_device(random);
    std::string text = to_string(id);
    REQUIRE(parse_device_id(text).value() == id);
    for (char& c : text) c = static_cast<char>(std::tolower(c));
    REQUIRE(parse_device_id(text).value() == id);
    std::erase(text, '-');
    REQUIRE(parse_device_id(text).value() == id);
    REQUIRE(parse_device_id("  " + text.substr(0, 13) + " - " + text.substr(13) + " ").value() == id);
  }
}

TEST_CASE("DeviceId: a text with a wrong character, length or last character is refused with the reason") {
  const std::string good = "MZXW-6YTB-OJTG-633C-MFZG-M33P-MI";
  check_refused("", "this has 0");
  check_refused(" - ", "this has 0");
  check_refused(good.substr(0, good.size() - 1), "this has 25");
  check_refused(good + "A", "this has 27");
  check_refused(good + good, "this has 52");
  for (const std::string_view wrong : {"0", "1", "8", "9", "=", "_", "\n", "@", "["}) {
    std::string text = good;
    text.replace(5, 1, wrong);
    check_refused(text, "is not one of A-Z, 2-7");
  }
  check_refused("MZXW-6YTB-OJTG-633C-MFZG-M33P-M\xc3\x84", "is not one of A-Z, 2-7");
  for (const char last : {'J', 'K', 'L', 'H'}) {  // 26 characters hold 130 bits: the last two must be zero
    std::string text = good;
    text.back() = last;
    check_refused(text, "last character");
  }
  check_refused(std::string(100, 'A') + "!", "is not one of A-Z, 2-7");
}

TEST_CASE("DeviceId: any text that parses prints as its own canonical form") {
  Prng random(6);
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  int accepted = 0;
  for (int i = 0; i < 2'000; ++i) {
    std::string text;
    for (int c = 0; c < 26; ++c) text.push_back(alphabet[random.below(32)]);
    const Expected<DeviceId> id = parse_device_id(text);
    if (!id) continue;
    ++accepted;
    std::string printed = to_string(*id);
    std::erase(printed, '-');
    REQUIRE(printed == text);
  }
  CHECK(accepted > 300);  // one in four
}

TEST_CASE("Id128: is taken from exactly 16 bytes and shows them") {
  const Bytes bytes = "0123456789abcdef";
  const WorkspaceId id = WorkspaceId::from(bytes);
  CHECK(id.view() == bytes);
  CHECK_FALSE(id.is_zero());
  CHECK(WorkspaceId{}.is_zero());
  CHECK(to_string(id) == "30313233343536373839616263646566");
  CHECK_THROWS_AS((void)WorkspaceId::from("too short"), InvariantBroken);
  CHECK_THROWS_AS((void)WorkspaceId::from(bytes + "!"), InvariantBroken);
}

TEST_CASE("Origin: is 28 bytes, reads back, and fails the reader when cut off") {
  Prng random(7);
  const Origin origin{random_device(random), {Hlc{random.next()}, 0xfedcba98}};
  ByteWriter w;
  write_origin(w, origin);
  REQUIRE(w.size() == 28);
  ByteReader r(w.bytes());
  CHECK(read_origin(r) == origin);
  CHECK(r.done());
  for (std::size_t length = 0; length < 28; ++length) {
    ByteReader cut(BytesView(w.bytes()).substr(0, length));
    CHECK(read_origin(cut) == Origin{});
    CHECK(cut.failed());
  }
}

TEST_CASE("Stamp: is ordered by clock, then device, then birth and random part of the incarnation") {
  const DeviceId low = DeviceId::from("\x7f" + Bytes(15, '\xff'));
  const DeviceId high = DeviceId::from("\x80" + Bytes(15, '\0'));  // bytes compare unsigned
  const std::vector<Stamp> ascending = {
      {},
      {Hlc{}, {high, {Hlc{9}, 9}}},
      {Hlc{1}, {low, {Hlc{1}, 2}}},
      {Hlc{1}, {low, {Hlc{2}, 1}}},
      {Hlc{1}, {low, {Hlc{2}, 2}}},
      {Hlc{1}, {high, {Hlc{1}, 1}}},
      {Hlc::of(1, 0), {low, {}}},
      {Hlc::of(1, 1), {low, {}}},
      {Hlc::of(2, 0), {}},
  };
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    for (std::size_t j = 0; j < ascending.size(); ++j) CHECK((ascending[i] <=> ascending[j]) == (i <=> j));
  }
}
