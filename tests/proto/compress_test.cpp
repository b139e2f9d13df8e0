#include "proto/compress.h"

#include <doctest/doctest.h>

#include "tests/proto/samples.h"

using namespace starling;

namespace {

Bytes words(Prng& prng, std::size_t length) {
  Bytes text;
  while (text.size() < length) text += prng.chance(50) ? "one " : prng.chance(50) ? "another " : "third ";
  return text.substr(0, length);
}

Bytes decompressed(BytesView bytes) {
  Bytes out(decompressed_size(bytes).value(), '\0');
  REQUIRE(decompress(bytes, out));
  return out;
}

}  // namespace

TEST_CASE("what is compressed comes back") {
  Prng prng(1);
  for (const std::size_t length : {100U, 2047U, 2048U, 2049U, 5000U, 100'000U, 1'000'000U}) {
    const Bytes bytes = words(prng, length) + samples::bytes(prng, length / 8) + words(prng, length / 2);
    Bytes out = "before";
    REQUIRE(compress(bytes, out));
    CHECK(out.size() < bytes.size());
    REQUIRE(out.starts_with("before"));
    CHECK(decompressed(BytesView(out).substr(6)) == bytes);
  }
}

TEST_CASE("what does not shrink is left alone") {
  Prng prng(2);
  for (const std::size_t length : {0U, 1U, 10U, 5000U, 300'000U}) {
    Bytes out = "before";
    CHECK_FALSE(compress(samples::bytes(prng, length), out));
    CHECK(out == "before");
  }
}

TEST_CASE("columns of different kinds do not spoil each other") {
  Prng prng(3);
  Bytes keys = samples::bytes(prng, 16'000), text;
  while (text.size() < 60'000) text += static_cast<char>('a' + prng.below(16));  // four bits each
  Bytes out;
  REQUIRE(compress(keys + text, out));
  CHECK(out.size() < 16'000 + 30'000 + 1'500);
}

TEST_CASE("garbage is refused") {
  Prng prng(4);
  Bytes good;
  REQUIRE(compress(words(prng, 5000), good));
  CHECK_FALSE(decompressed_size(good + "x"));
  CHECK_FALSE(decompressed_size(good + good));
  CHECK_FALSE(decompressed_size(""));
  CHECK_FALSE(decompressed_size(samples::bytes(prng, 100)));
  CHECK_FALSE(decompressed_size(BytesView("\x28\xb5\x2f\xfd\x00\x58\x01\x00\x00", 9)));  // declares no size
  Bytes out(4999, '\0');
  CHECK_FALSE(decompress(good, out));
  out.resize(5001);
  CHECK_FALSE(decompress(good, out));
  samples::mangle(good, [](const Bytes& bad) {
    const std::optional<std::size_t> size = decompressed_size(bad);
    if (!size || *size > 10'000) return;
    Bytes room(*size, '\0');
    (void)decompress(bad, room);
  });
}
