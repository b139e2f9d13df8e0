// Frames: whole ones in any pieces, and nothing of a bad one.
#include "apps/common/control_frame.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "core/base/prng.h"

namespace starling::apps {
namespace {

Bytes header(std::uint32_t length) {
  ByteWriter writer;
  writer.be32(length);
  return writer.take();
}

}  // namespace

TEST_CASE("control frame: any split gives the same frames") {
  Prng random(5);
  for (int round = 0; round < 200; ++round) {
    std::vector<Bytes> sent;
    Bytes stream;
    for (int i = 0; i < 5; ++i) {
      sent.push_back(Bytes(1 + random.below(300), static_cast<char>('a' + i)));
      stream += encode_frame(BytesView(sent.back()));
    }
    FrameReader reader(300);
    std::vector<Bytes> got;
    for (std::size_t at = 0; at < stream.size();) {
      const std::size_t size = std::min<std::size_t>(1 + random.below(round < 20 ? 1 : 200), stream.size() - at);
      reader.feed(BytesView(stream).substr(at, size));
      at += size;
      for (;;) {
        Expected<std::optional<Bytes>> frame = reader.next();
        REQUIRE(frame.has_value());
        if (!*frame) break;
        got.push_back(**frame);
      }
    }
    CHECK(got == sent);
    CHECK(reader.empty());
  }
}

TEST_CASE("control frame: a truncated frame gives nothing and is no error") {
  const Bytes whole = encode_frame(BytesView("{\"op\":\"status\"}"));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    FrameReader reader(kControlRequestMax);
    reader.feed(BytesView(whole).substr(0, size));
    const Expected<std::optional<Bytes>> frame = reader.next();
    REQUIRE(frame.has_value());
    CHECK_FALSE(frame->has_value());
    CHECK(reader.empty() == (size == 0));
  }
}

TEST_CASE("control frame: a length of zero or beyond the limit is refused from the header alone, and stays refused") {
  for (const std::uint32_t length : {0U, 101U, 0x47455420U /* "GET " */, 0xFFFFFFFFU}) {
    CAPTURE(length);
    FrameReader reader(100);
    reader.feed(header(length));
    const Expected<std::optional<Bytes>> frame = reader.next();
    REQUIRE_FALSE(frame.has_value());
    CHECK(frame.error().code == Errc::too_large);
    reader.feed(encode_frame(BytesView("{}")));
    CHECK_FALSE(reader.next().has_value());
  }
  FrameReader reader(100);
  reader.feed(encode_frame(BytesView(Bytes(100, 'x'))));
  const Expected<std::optional<Bytes>> frame = reader.next();
  REQUIRE(frame.has_value());
  CHECK(frame->has_value());
}

TEST_CASE("control frame: only a JSON object of bounded depth is taken") {
  CHECK(parse_json("{\"a\":[1,{\"b\":null}]}").has_value());
  for (const char* bad : {"", "{", "[]", "7", "null", "\"x\"", "{\"a\":}", "{} {}", "{'a':1}", "{\"a\":\"\xFF\"}"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_json(bad).has_value());
  }
  const Bytes deep = "{\"a\":" + Bytes(100'000, '[') + Bytes(100'000, ']') + "}";
  CHECK_FALSE(parse_json(deep).has_value());
}

TEST_CASE("control frame: an error comes back as it was, whatever its bytes") {
  const Error error{Errc::not_owner, "what", "where", "remedy"};
  const Error back = error_from_json(nlohmann::json::parse(error_to_json(error).dump()));
  CHECK(back.code == error.code);
  CHECK(back.text() == error.text());
  CHECK(error_from_json(nlohmann::json{{"code", "unheard of"}}).code == Errc::internal);
  CHECK(error_from_json(nlohmann::json(3)).code == Errc::internal);
  const Bytes frame = encode_frame(nlohmann::json{{"x", "\xFF"}});  // must not throw: it would take the daemon down
  CHECK(parse_json(BytesView(frame).substr(kControlHeader)).has_value());
}

}  // namespace starling::apps
