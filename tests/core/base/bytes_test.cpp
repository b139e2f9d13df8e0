#include "core/base/bytes.h"

#include <doctest/doctest.h>

#include <limits>
#include <vector>

#include "core/base/prng.h"

using namespace starling;

namespace {

constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();

Bytes unhex(BytesView hex) {
  Bytes bytes;
  REQUIRE(from_hex(hex, bytes));
  return bytes;
}

Bytes varint_of(std::uint64_t v) {
  ByteWriter w;
  w.varint(v);
  return w.take();
}

Bytes random_bytes(Prng& random, std::uint64_t length) {
  Bytes bytes;
  for (std::uint64_t i = 0; i < length; ++i) bytes.push_back(static_cast<char>(random.next()));
  return bytes;
}

}  // namespace

TEST_CASE("ByteReader: reads back what ByteWriter wrote, in order, to the end") {
  ByteWriter w;
  w.u8(0xfe);
  w.be32(0x01020304);
  w.be64(0x8000000000000001);
  w.varint(300);
  w.zigzag(-2);
  w.blob(BytesView("a\0b", 3));
  w.raw("tail");
  const std::string integers = "fe" + std::string("01020304") + "8000000000000001";
  CHECK(to_hex(w.bytes()) == integers + "ac02" + "03" + "03610062" + "7461696c");
  CHECK(w.size() == w.bytes().size());

  const Bytes bytes = w.take();
  ByteReader r(bytes);
  CHECK(r.u8() == 0xfe);
  CHECK(r.be32() == 0x01020304);
  CHECK(r.be64() == 0x8000000000000001);
  CHECK(r.varint() == 300);
  CHECK(r.zigzag() == -2);
  CHECK(r.blob() == BytesView("a\0b", 3));
  CHECK_FALSE(r.done());
  CHECK(r.raw(4) == "tail");
  CHECK(r.done());
}

TEST_CASE("Varint: every value has its shortest encoding and is read back") {
  CHECK(varint_of(0) == Bytes(1, '\0'));
  for (unsigned bits = 1; bits <= 64; ++bits) {
    const std::uint64_t greatest = kMax >> (64 - bits);
    for (const std::uint64_t v : {greatest, greatest / 2 + 1}) {  // the least and the greatest of that many bits
      const Bytes bytes = varint_of(v);
      CHECK(bytes.size() == (bits + 6) / 7);
      ByteReader r(bytes);
      CHECK(r.varint() == v);
      CHECK(r.done());
    }
  }
}

TEST_CASE("Varint: longer forms, unended ones and those above 64 bits are refused") {
  for (const char* hex :
       {"", "80", "8000", "ff00", "808000", "ffffffffffffffffff", "80808080808080808000", "ffffffffffffffffff02",
        "ffffffffffffffffff7f", "ffffffffffffffffff8100", "ffffffffffffffffffff01"}) {
    CAPTURE(hex);
    const Bytes bytes = unhex(hex);
    ByteReader r(bytes);
    CHECK(r.varint() == 0);
    CHECK(r.failed());
  }
}

TEST_CASE("Varint: whatever bytes are accepted, they are the ones that would be written") {
  Prng random(1);
  int accepted = 0;
  for (int i = 0; i < 20'000; ++i) {
    Bytes bytes = random_bytes(random, 1 + random.below(11));
    for (std::size_t at = 0; at + 1 < bytes.size(); ++at) bytes[at] = static_cast<char>(bytes[at] | '\x80');
    ByteReader r(bytes);
    const std::uint64_t v = r.varint();
    if (r.failed()) continue;
    ++accepted;
    REQUIRE(varint_of(v) + Bytes(r.rest()) == bytes);
  }
  CHECK(accepted > 5'000);
}

TEST_CASE("Zigzag: small magnitudes are short, the extremes survive") {
  for (const std::int64_t v : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1}, std::int64_t{-64}, std::int64_t{63},
                               std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()}) {
    ByteWriter w;
    w.zigzag(v);
    if (v >= -64 && v <= 63) CHECK(w.size() == 1);
    ByteReader r(w.bytes());
    CHECK(r.zigzag() == v);
    CHECK(r.done());
  }
}

TEST_CASE("ByteReader: a read past the end fails it for good, and gives zero or empty from then on") {
  const Bytes bytes = unhex("0102030405060708");
  const auto after_failure = [](ByteReader& r) {
    CHECK(r.failed());
    CHECK_FALSE(r.done());
    CHECK(r.rest().empty());
    CHECK(r.u8() == 0);
    CHECK(r.be32() == 0);
    CHECK(r.be64() == 0);
    CHECK(r.varint() == 0);
    CHECK(r.zigzag() == 0);
    CHECK(r.blob().empty());
    CHECK(r.raw(0).empty());
    CHECK(r.failed());
  };
  for (const std::uint64_t length : {std::uint64_t{9}, kMax}) {
    ByteReader r(bytes);
    CHECK(r.raw(length).empty());
    after_failure(r);
  }
  {
    ByteReader r(BytesView(bytes).substr(0, 7));
    CHECK(r.be64() == 0);
    after_failure(r);
  }
  {
    ByteReader r(BytesView(bytes).substr(0, 3));
    CHECK(r.be32() == 0);
    after_failure(r);
  }
  {
    ByteReader r(bytes);
    r.set_failed();
    after_failure(r);
  }
}

TEST_CASE("ByteReader: a blob that claims more than there is fails") {
  for (const char* hex : {"", "01", "0561", "ffffffffffffffffff0161"}) {
    const Bytes bytes = unhex(hex);
    ByteReader r(bytes);
    CHECK(r.blob().empty());
    CHECK(r.failed());
  }
  ByteReader empty(BytesView("\0", 1));
  CHECK(empty.blob().empty());
  CHECK(empty.done());
}

TEST_CASE("ByteReader: on random bytes, what it gives lies inside them") {
  Prng random(2);
  for (int i = 0; i < 5'000; ++i) {
    const Bytes bytes = random_bytes(random, random.below(40));
    ByteReader r(bytes);
    while (!r.done() && !r.failed()) {
      const std::size_t before = r.rest().size();
      BytesView view;
      switch (random.below(6)) {
        case 0: (void)r.u8(); break;
        case 1: (void)r.be32(); break;
        case 2: (void)r.be64(); break;
        case 3: (void)r.varint(); break;
        case 4: view = r.raw(random.below(20)); break;
        default: view = r.blob(); break;
      }
      REQUIRE(r.rest().size() <= before);
      if (!view.empty()) REQUIRE((view.data() >= bytes.data() && view.end() <= bytes.data() + bytes.size()));
    }
  }
}

TEST_CASE("Hex: round trip, both cases read, anything else refused") {
  Prng random(3);
  const Bytes bytes = random_bytes(random, 300);
  CHECK(unhex(to_hex(bytes)) == bytes);
  CHECK(to_hex(BytesView("\x00\xff\x1a", 3)) == "00ff1a");
  CHECK(unhex("aBCd") == "\xab\xcd");
  Bytes untouched = "as it was";
  for (const char* bad : {"0", "123", "0g", "g0", " 1", "0x", "-1"}) CHECK_FALSE(from_hex(bad, untouched));
  CHECK(untouched == "as it was");
}
