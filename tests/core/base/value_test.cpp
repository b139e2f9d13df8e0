#include "core/base/value.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "core/base/assert.h"
#include "core/base/prng.h"

using namespace starling;

namespace {

constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

Bytes unhex(BytesView hex) {
  Bytes bytes;
  REQUIRE(from_hex(hex, bytes));
  return bytes;
}

Bytes encode(const ValueView& v) {
  ByteWriter w;
  write_value(w, v);
  return w.take();
}

ValueView integer(std::int64_t v) { return ValueView::of(v); }

// Bit for bit: -0.0 is not 0.0.
bool same(const ValueView& a, const ValueView& b) {
  return a.type == b.type && a.integer == b.integer && a.bytes == b.bytes &&
         std::bit_cast<std::uint64_t>(a.real) == std::bit_cast<std::uint64_t>(b.real);
}

void check_round_trip(const ValueView& v) {
  const Bytes bytes = encode(v);
  ByteReader r(bytes);
  CHECK(same(read_value(r), v));
  CHECK(r.done());
  ByteReader again(bytes);
  CHECK(read_value_bytes(again) == bytes);
  CHECK(again.done());
}

bool refused(BytesView bytes) {
  ByteReader r(bytes);
  const ValueView v = read_value(r);
  ByteReader again(bytes);
  return r.failed() && same(v, {}) && read_value_bytes(again).empty() && again.failed();
}

}  // namespace

TEST_CASE("Value: the encoding is fixed, byte for byte") {
  CHECK(to_hex(encode(ValueView::null())) == "00");
  CHECK(to_hex(encode(integer(0))) == "01");
  CHECK(to_hex(encode(integer(1))) == "0901");
  CHECK(to_hex(encode(integer(-1))) == "09ff");
  CHECK(to_hex(encode(integer(127))) == "097f");
  CHECK(to_hex(encode(integer(128))) == "110080");
  CHECK(to_hex(encode(integer(-128))) == "0980");
  CHECK(to_hex(encode(integer(-129))) == "11ff7f");
  CHECK(to_hex(encode(integer(kMax))) == "417fffffffffffffff");
  CHECK(to_hex(encode(integer(kMin))) == "418000000000000000");
  CHECK(to_hex(encode(ValueView::of(1.5))) == "423ff8000000000000");
  CHECK(to_hex(encode(ValueView::of(-0.0))) == "428000000000000000");
  CHECK(to_hex(encode(ValueView::text(""))) == "03");
  CHECK(to_hex(encode(ValueView::text("ab"))) == "136162");
  CHECK(to_hex(encode(ValueView::blob(BytesView("\0", 1)))) == "0c00");
}

TEST_CASE("Value: nasty values survive the round trip") {
  check_round_trip(ValueView::null());
  for (unsigned bits = 0; bits < 63; ++bits) {
    const std::int64_t power = std::int64_t{1} << bits;
    for (const std::int64_t v : {power - 1, power, power + 1}) {
      check_round_trip(integer(v));
      check_round_trip(integer(-v));
    }
  }
  for (const std::int64_t v : {kMax, kMax - 1, kMin, kMin + 1}) check_round_trip(integer(v));
  using Double = std::numeric_limits<double>;
  for (const double v : {0.0, -0.0, 1.0, 0.1, Double::max(), Double::lowest(), Double::min(), Double::denorm_min(),
                         Double::infinity(), -Double::infinity()}) {
    check_round_trip(ValueView::of(v));
  }
  const Bytes long_one(1 << 20, 'x');
  for (const BytesView v : {BytesView(""), BytesView("\0", 1), BytesView("a\0b", 3), BytesView("\xff\xfe\x80"),
                            BytesView("\xc3"), BytesView(long_one)}) {
    check_round_trip(ValueView::text(v));
    check_round_trip(ValueView::blob(v));
  }
}

TEST_CASE("Value: the header grows at lengths 31, 31 + 128 and 31 + 16384, and nowhere else") {
  for (const std::size_t edge : {std::size_t{31}, std::size_t{31 + 128}, std::size_t{31 + 16384}}) {
    for (const std::size_t length : {edge - 2, edge - 1, edge, edge + 1}) {
      const Bytes content(length, '\x5a');
      check_round_trip(ValueView::text(content));
      check_round_trip(ValueView::blob(content));
      const std::size_t header = length < 31 ? 1 : length < 31 + 128 ? 2 : length < 31 + 16384 ? 3 : 4;
      CHECK(encode(ValueView::text(content)).size() == header + length);
    }
  }
}

TEST_CASE("Value: other encodings of a value are refused, and types that do not exist") {
  const auto refuse = [](const char* what, std::initializer_list<const char*> encodings) {
    CAPTURE(what);
    for (const char* hex : encodings) {
      CAPTURE(hex);
      CHECK(refused(unhex(hex)));
    }
  };
  refuse("NULL with bytes", {"08ff", "f80000"});
  refuse("integers longer than need be", {"0900", "110001", "11007f", "11ffff", "11ff80"});
  refuse("integers of nine bytes", {"49000000000000000001", "490100000000000000ff", "f900"});
  refuse("reals that are not eight bytes", {"02", "3a3ff80000000000", "4a3ff800000000000000"});
  refuse("NaN", {"427ff8000000000000", "42fff8000000000000", "427ff0000000000001", "42ffffffffffffffff"});
  refuse("types 5, 6, 7", {"05", "06", "07", "0d00", "ff00"});
  CHECK(refused(unhex("fb8000") + Bytes(31, 'x')));  // a length that is no minimal varint
}

TEST_CASE("Value: a value that is cut off anywhere is refused") {
  const Bytes content(200, 'x');
  for (const ValueView& v : {integer(kMin), ValueView::of(1.5), ValueView::text("abc"), ValueView::blob(content)}) {
    const Bytes whole = encode(v);
    for (std::size_t length = 0; length < whole.size(); ++length) CHECK(refused(BytesView(whole).substr(0, length)));
  }
  for (const char* hex : {"fbffffffffffffffffff01", "fbe0ffffffffffffffff01", "fcffffffffff7f"}) {
    CHECK(refused(unhex(hex) + content));  // lengths that would wrap around
  }
}

TEST_CASE("Value: NaN does not exist, and writing one is a bug of ours") {
  CHECK_THROWS_AS(encode(ValueView::of(std::nan(""))), InvariantBroken);
}

TEST_CASE("Value: any bytes that decode are the one encoding of what they decode to") {
  Prng random(4);
  int accepted = 0;
  for (int i = 0; i < 200'000; ++i) {
    const auto type = static_cast<unsigned>(random.below(6));
    const auto length = static_cast<unsigned>(random.chance(5) ? 31 : random.below(10));
    Bytes bytes(1, static_cast<char>((length << 3) | type));
    const std::uint64_t following = random.below(45);
    for (std::uint64_t at = 0; at < following; ++at) {  // 00 and ff are where the forms of integers meet
      bytes.push_back(random.chance(30) ? '\0' : random.chance(30) ? '\xff' : static_cast<char>(random.next()));
    }
    ByteReader r(bytes);
    const ValueView v = read_value(r);
    if (r.failed()) {
      REQUIRE(refused(bytes));
      continue;
    }
    ++accepted;
    REQUIRE(encode(v) + Bytes(r.rest()) == bytes);
  }
  CHECK(accepted > 50'000);
}

TEST_CASE("describe_values: shows values as people write them in SQL") {
  CHECK(describe_values("") == "");
  CHECK(describe_values(encode(ValueView::null()) + encode(integer(-42)) + encode(ValueView::text("it's\n"))) ==
        "NULL, -42, 'it''s\\x0a'");
  CHECK(describe_values(encode(ValueView::of(3.5)) + encode(ValueView::of(1.0)) + encode(ValueView::of(1e300))) ==
        "3.5, 1.0, 1e+300");
  CHECK(describe_values(encode(ValueView::blob(BytesView("\x00\xff", 2)))) == "x'00ff'");
  CHECK(describe_values(encode(ValueView::text(Bytes(81, 'a')))) == "'" + Bytes(80, 'a') + "…'");
  CHECK(describe_values(encode(ValueView::blob(Bytes(41, 'a')))) == "x'" + to_hex(Bytes(40, 'a')) + "…'");
  CHECK(describe_values(encode(integer(7)) + "\x07") == "7(malformed)");
}
