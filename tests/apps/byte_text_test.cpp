// Names that may be any bytes: told apart, carried through JSON, and harmless on a terminal.
#include "apps/common/byte_text.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "core/base/prng.h"

namespace starling::apps {

TEST_CASE("is_utf8: well-formed sequences only (Unicode 15, table 3-7)") {
  for (const char* good : {"", "a", "caf\xC3\xA9", "\xED\x9F\xBF", "\xEE\x80\x80", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    CHECK_MESSAGE(is_utf8(good), to_hex(good));
  }
  for (const char* bad : {"\x80", "\xC0\x80", "\xC1\xBF", "\xC3", "\xC3(", "\xE0\x80\x80", "\xE0\x9F\xBF", "\xED\xA0\x80",
                          "\xE2\x82", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "ok\xFE"}) {
    CHECK_MESSAGE(!is_utf8(bad), to_hex(bad));
  }
}

TEST_CASE("is_utf8: agrees with the JSON library on random bytes") {
  Prng random(7);
  std::size_t valid = 0;
  for (int i = 0; i < 200'000; ++i) {
    Bytes text;
    for (std::uint64_t n = random.below(5); n > 0; --n) {
      const std::uint64_t pick = random.below(4);
      text += static_cast<char>(pick == 0 ? random.below(0x80) : 0x80 + random.below(0x80));
    }
    bool accepted = true;
    try {
      (void)nlohmann::json(text).dump();
    } catch (const nlohmann::json::type_error&) {
      accepted = false;
    }
    valid += accepted ? 1 : 0;
    REQUIRE_MESSAGE(is_utf8(text) == accepted, to_hex(text));
  }
  CHECK(valid > 10'000);
}

TEST_CASE("printable: nothing that moves a cursor comes through, what is text stays") {
  CHECK(printable("plain caf\xC3\xA9") == "plain caf\xC3\xA9");
  CHECK(printable("a\nb\tc") == "a\\nb\\tc");
  CHECK(printable("\x1b[2J") == "\\x1b[2J");
  CHECK(printable("\xC2\x9B" "31m") == "\\xc2\\x9b31m");  // C1: a control sequence in one character
  CHECK(printable("\xFF") == "\\xff");
  CHECK(printable("\x7F") == "\\x7f");
}

TEST_CASE("bytes in JSON: any bytes come back as they were") {
  Prng random(3);
  for (int i = 0; i < 2000; ++i) {
    Bytes bytes;
    for (std::uint64_t n = random.below(12); n > 0; --n) bytes += static_cast<char>(random.below(256));
    const nlohmann::json parsed = nlohmann::json::parse(bytes_to_json(bytes).dump());
    const Expected<Bytes> back = bytes_from_json(parsed, "x");
    REQUIRE(back.has_value());
    CHECK(*back == bytes);
  }
}

TEST_CASE("bytes in JSON: anything else is an error that names its place") {
  using nlohmann::json;
  for (const json& bad : {json(7), json(nullptr), json::array(), json::object(), json{{"hex", "abc"}}, json{{"hex", "zz"}},
                          json{{"hex", 1}}, json{{"hex", "00"}, {"x", 1}}}) {
    const Expected<Bytes> result = bytes_from_json(bad, "the place");
    REQUIRE_MESSAGE(!result.has_value(), bad.dump());
    CHECK(result.error().where == "the place");
  }
}

TEST_CASE("numbers for people") {
  CHECK(grouped(0) == "0");
  CHECK(grouped(999) == "999");
  CHECK(grouped(1000) == "1,000");
  CHECK(grouped(66091) == "66,091");
  CHECK(grouped(1234567890) == "1,234,567,890");
  CHECK(human_size(0) == "0 B");
  CHECK(human_size(1023) == "1023 B");
  CHECK(human_size(1536) == "1.5 KiB");
  CHECK(human_size(5ULL << 30) == "5.0 GiB");
}

}  // namespace starling::apps
