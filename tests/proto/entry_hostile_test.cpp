#include <doctest/doctest.h>

#include "proto/entry.h"
#include "tests/proto/samples.h"

using namespace starling;
using namespace starling::samples;

namespace {

// The parts of an entry, to be put together wrongly.
struct Forgery {
  Bytes head;  // up to the dependencies
  Bytes dependencies = spell("00");
  Bytes others = spell("00");
  Bytes models = spell("01 03 'tag'");
  Bytes count = spell("01");
  Bytes runs;
  Bytes end = spell("00");

  explicit Forgery(Bytes of_runs) : runs(std::move(of_runs)) {
    Prng prng(7);
    EntryHeader h = header(prng);
    h.seq = Seq{2};
    h.previous.raw[0] = 1;
    h.dependencies = {};
    head = encode_entry(h, {}, schema()).value();
    head.resize(head.size() - 5);  // dependencies, others, models, count, signature
  }
  [[nodiscard]] Bytes bytes() const { return head + dependencies + others + models + count + runs + end; }
  [[nodiscard]] bool accepted() const {
    const Expected<DecodedEntry> decoded = decode_entry(bytes(), schema());
    if (!decoded) CHECK(decoded.error().code == Errc::corrupt);
    return decoded.has_value();
  }
};

// An update of `tag`, field 2: model and operation, key columns, fields, count; generation (origin, time, counter); key
// and value.
Bytes update(std::string_view key = "k", const Bytes& generation = spell("00 00 00")) {
  return spell("01 00 04 01") + generation + typed(ValueView::text(key)) + spell("0b 'v'");
}

}  // namespace

TEST_CASE("a forged entry that is right is accepted") {
  Forgery f(update());
  CHECK(f.accepted());
  f.runs += spell("02 00 01 00 00 00 0b 'l'");  // a delete
  f.count = spell("02");
  CHECK(f.accepted());
}

TEST_CASE("heads that mean nothing are refused") {
  const auto refused = [](std::size_t at, std::size_t length, char byte) {
    Forgery f(update());
    std::fill_n(f.head.begin() + static_cast<std::ptrdiff_t>(at), length, byte);
    CHECK_FALSE(f.accepted());
  };
  refused(0, 1, 2);   // another format
  refused(29, 1, 0);  // seq 0
  refused(29, 1, 1);  // seq 1, with a hash of the entry before it
  refused(30, 8, 0);  // no time
}

TEST_CASE("dependencies stand once, in order, and mean something") {
  Forgery f(update());
  const Bytes a(28, 'a'), b(28, 'b'), position = spell("01 0100000000000001"), self = f.head.substr(1, 28);
  f.dependencies = spell("02") + a + position + b + position;
  CHECK(f.accepted());
  const auto refused = [&](const Bytes& dependencies) {
    f.dependencies = dependencies;
    CHECK_FALSE(f.accepted());
  };
  refused(spell("02") + b + position + a + position);
  refused(spell("02") + a + position + a + position);
  refused(spell("01") + self + position);
  refused(spell("01") + a + spell("00 0100000000000001"));  // no entry, and yet a time
  refused(spell("01") + a + spell("01 0000000000000000"));  // the reverse
  refused(varint(1'000'000'000'000));
}

TEST_CASE("origins of generations stand once, and are needed") {
  Forgery f(update());
  const Bytes a(28, 'a'), b(28, 'b'), self = f.head.substr(1, 28);
  f.dependencies = spell("01") + a + spell("01 0100000000000001");
  f.others = spell("01") + b;
  CHECK_FALSE(f.accepted());  // nobody refers to it
  f.runs = update("k", spell("02 00 00"));
  CHECK(f.accepted());
  f.others = spell("01") + a;  // a dependency already
  CHECK_FALSE(f.accepted());
  f.others = spell("01") + self;
  CHECK_FALSE(f.accepted());
  f.others = spell("01") + b;
  f.runs = update("k", spell("03 00 00"));  // beyond the table
  CHECK_FALSE(f.accepted());
}

TEST_CASE("models stand once, in order of appearance, and are needed") {
  Forgery f(update());
  const auto refused = [&](const Bytes& models) {
    f.models = models;
    CHECK_FALSE(f.accepted());
  };
  refused(spell("02 03 'tag' 05 'album'"));
  refused(spell("02 03 'tag' 03 'tag'"));
  refused(spell("01 00"));
  refused(spell("01") + varint(200) + Bytes(200, 'x'));
  refused(varint(257) + spell("03 'tag'"));
  refused(spell("00"));
}

TEST_CASE("runs that no writer makes are refused") {
  Forgery f(update());
  const auto refused = [&](const Bytes& runs, std::uint64_t count = 1) {
    f.runs = runs;
    f.count = varint(count);
    CHECK_FALSE(f.accepted());
  };
  const Bytes good = update();
  refused(good, 2);                                                 // fewer changes than counted
  refused(good + update("l"), 2);                                   // two runs where one would do
  refused(spell("03") + good.substr(1));                            // no such operation
  refused(spell("05") + good.substr(1));                            // no such model
  refused(spell("01 40") + good.substr(2));                         // 65 key columns
  refused(spell("01 00 00 01 00 00 00 0b 'k'"));                    // an update of nothing
  refused(spell("01 00 04 00 00 00 00 0b 'k' 0b 'v'"));             // no change in the run
  refused(spell("01 00 04 8100 00 00 00 0b 'k' 0b 'v'"));           // a count longer than it need be
  refused(update("k", spell("00 00") + varint(0x10000)));           // a counter of 17 bits
  refused(update("k", spell("00") + varint(~0ULL) + spell("00")));  // a time before all times
  refused(update(std::string(limits::kKeyMax, 'k')));               // with its head, the key is too long
  f.end = spell("01");
  refused(good);  // a signature that is not there
}

TEST_CASE("lengths beyond reason neither allocate nor take long") {
  for (const std::uint64_t huge : {std::uint64_t{4} << 30, ~std::uint64_t{0}, std::uint64_t{1'000'000}}) {
    const samples::Allocations allocations;
    for (Bytes Forgery::*part : {&Forgery::dependencies, &Forgery::others, &Forgery::models, &Forgery::count}) {
      Forgery f(update());
      f.*part = varint(huge);
      CHECK_FALSE(f.accepted());
    }
    CHECK_FALSE(Forgery(spell("01 00 04") + varint(huge) + spell("00 00 00")).accepted());
    CHECK_FALSE(Forgery(spell("01 00 04 01 00 00 00 fb") + varint(huge)).accepted());  // a key
    CHECK(allocations.total() < 100'000);
  }
}

TEST_CASE("an entry that swells beyond the limit is refused before it does") {
  constexpr int kRows = 4000;
  Bytes ids;
  for (int i = 0; i < kRows; ++i) ids += {static_cast<char>(1 + i % 100), static_cast<char>(1 + i / 100)};
  // The keys of many rows of `link`: numbers of two bytes, and a column of one value.
  const Bytes keys = spell("10 13") + ids + spell("02 01") + typed(ValueView::text(std::string(900, 'x')));
  Forgery f("");
  f.models = spell("01 04 'link'");
  const auto with_runs = [&](std::uint64_t runs) {
    f.runs.clear();
    f.count = varint(kRows * runs);
    for (std::uint64_t i = 0; i < runs; ++i) {  // inserts and deletes in turn, lest they be one run
      const Bytes head =
          i % 2 == 0 ? spell("00 01 00") + varint(kRows) : spell("02 01") + varint(kRows) + spell("0000 00 0000 0000");
      f.runs += head + keys;
    }
    return f.accepted();
  };
  CHECK(with_runs(18));  // of 3.5 MiB each
  const samples::Allocations allocations;
  CHECK_FALSE(with_runs(19));
  CHECK(allocations.total() < limits::kEntryMax + 16 * limits::MiB);
}

TEST_CASE("mangled entries are refused, or are other entries, whose content encodes and decodes again") {
  Prng prng(8);
  for (const std::size_t changes : {0U, 1U, 3U, 6U}) {
    const Transaction t = transaction(prng, changes);
    std::size_t accepted = 0;
    mangle(encode_entry(t.header, t.changes, schema()).value(), [&](const Bytes& bad) {
      const samples::Allocations allocations;
      (void)decode_entry_header(bad);
      const Expected<DecodedEntry> decoded = decode_entry(bad, schema());
      REQUIRE(allocations.total() < 64 * limits::KiB);
      if (!decoded || !fits(*decoded, schema())) return;
      ++accepted;
      const Bytes again = encode_entry(decoded->header, decoded->changes, schema()).value();
      const DecodedEntry second = decode_entry(again, schema()).value();
      REQUIRE(same(second.header, decoded->header));
      REQUIRE(same(second.changes, decoded->changes));
      if (changes < 2) REQUIRE(again == bad);  // no run of many, so nothing to choose
    });
    CHECK(accepted > 0);
  }
}

TEST_CASE("random bytes behind a good head are refused") {
  Prng prng(9);
  const Transaction t = transaction(prng, 3);
  const Bytes good = encode_entry(t.header, t.changes, schema()).value();
  for (int round = 0; round < 20'000; ++round) {
    Bytes bad = good.substr(0, prng.below(good.size()));
    bad += samples::bytes(prng, prng.below(100));
    const samples::Allocations allocations;
    (void)decode_entry(bad, schema());
    REQUIRE(allocations.total() < limits::MiB);
  }
}
