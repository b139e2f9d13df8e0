#include "proto/entry.h"

#include <doctest/doctest.h>

#include "core/base/limits.h"
#include "tests/proto/samples.h"

using namespace starling;
using namespace starling::samples;

namespace {

Bytes encode(const Transaction& t) { return encode_entry(t.header, t.changes, schema()).value(); }

Errc code_of(const Expected<DecodedEntry>& decoded) {
  REQUIRE_FALSE(decoded);
  return decoded.error().code;
}

// A change of one row of `tag`.
Change tag_change(Transaction& t, Op op, FieldMask fields, std::uint64_t number = 1) {
  Prng prng(number);
  const Stamp generation = op == Op::insert ? t.header.stamp() : Stamp{Hlc::of(1'760'000'000'000, 1), t.header.origin};
  return {kTag, op, generation, t.keep(key(prng, kTag, number)), fields, t.keep(values(prng, fields))};
}

Transaction one_insert() {
  Prng prng(5);
  Transaction t;
  t.header = header(prng);
  t.changes.push_back(tag_change(t, Op::insert, 0b11110));
  return t;
}

Schema with_fields(ModelIndex model, std::size_t fields) {
  Schema other = schema();
  other.models[model].fields.resize(fields, {.name = "more"});
  return other;
}

}  // namespace

TEST_CASE("entries come back, header and changes, and encode to the same bytes again") {
  Prng prng(1);
  for (int round = 0; round < 400; ++round) {
    const Transaction t = transaction(prng, prng.below(round % 50 == 0 ? 3000 : 20));
    const Bytes bytes = encode(t);
    const Expected<EntryHeader> head = decode_entry_header(bytes);
    REQUIRE(head);
    CHECK(same(*head, t.header));
    const Expected<DecodedEntry> decoded = decode_entry(bytes, schema());
    REQUIRE(decoded);
    CHECK(same(decoded->header, t.header));
    CHECK(same(decoded->changes, t.changes));
    CHECK(encode_entry(decoded->header, decoded->changes, schema()).value() == bytes);
  }
}

TEST_CASE("the order of changes is kept, however they mix") {
  Prng prng(2);
  Transaction t = transaction(prng, 200);
  for (std::size_t i = t.changes.size(); i > 1; --i) std::swap(t.changes[i - 1], t.changes[prng.below(i)]);
  CHECK(same(decode_entry(encode(t), schema())->changes, t.changes));
}

TEST_CASE("changes survive a move of the entry") {
  Prng prng(3);
  const Transaction t = transaction(prng, 100);
  const Bytes bytes = encode(t);
  DecodedEntry first = decode_entry(bytes, schema()).value();
  const DecodedEntry second = std::move(first);
  CHECK(same(second.changes, t.changes));
}

TEST_CASE("a run longer than the longest is two") {
  Transaction t = one_insert();
  t.changes.clear();
  for (std::uint64_t i = 0; i < 2 * kRunMax + 1; ++i) t.changes.push_back(tag_change(t, Op::update, 0b100, i));
  const Bytes bytes = encode(t);
  const DecodedEntry decoded = decode_entry(bytes, schema()).value();
  CHECK(same(decoded.changes, t.changes));
  CHECK(encode_entry(decoded.header, decoded.changes, schema()).value() == bytes);
}

TEST_CASE("a lone change is small") {
  Transaction t = one_insert();
  t.header.dependencies = {};
  t.header.seq = Seq{100};
  t.changes = {tag_change(t, Op::update, 0b100)};
  t.changes.front().values = t.keep(typed(ValueView::text("green")));
  CHECK(encode(t).size() <= 96);
}

TEST_CASE("dependencies are positions of others in their logs") {
  Transaction t = one_insert();
  VersionVector given = t.header.dependencies;
  Prng prng(4);
  const Origin a = origin(prng), b = origin(prng);
  given.join(a, {Rev{7}, Seq{3}, hlc(prng)});
  given.join(b, {Rev{7}, Seq{}, Hlc{}});
  given.join(t.header.origin, {Rev{}, Seq{2}, hlc(prng)});
  EntryHeader asked = t.header;
  asked.dependencies = given;
  const VersionVector got = decode_entry_header(encode_entry(asked, t.changes, schema()).value())->dependencies;
  CHECK(got.at(a) == Position{Rev{}, Seq{3}, given.at(a).hlc});
  CHECK(got.at(b) == Position{});
  CHECK(got.at(t.header.origin) == Position{});
  CHECK(got.size() == t.header.dependencies.size() + 1);
}

TEST_CASE("what a schema lacks is told apart from what is no entry") {
  const Transaction t = one_insert();
  const Bytes bytes = encode(t);
  const auto unfit_for = [&](const Schema& other) {
    const DecodedEntry entry = decode_entry(bytes, other).value();
    REQUIRE(entry.unknown.size() == 1);
    CHECK(entry.changes.front().model == other.models.size());
    CHECK(entry.unknown.front().name == "tag");
    CHECK(entry.changes.front().values == t.changes.front().values);
    return std::string(entry.unknown.front().why);
  };
  CHECK(unfit_for(Schema()) == unfit::kUnregistered);
  CHECK(unfit_for(with_fields(kTag, 6)) == unfit::kNoDefault);  // an insert that lacks one of ours
  Schema owned = schema();
  owned.models[kTag].kind = Kind::device_owned;
  CHECK(unfit_for(owned) == unfit::kOwnedHere);
  Schema other_key = schema();
  other_key.models[kTag].key.push_back(1);
  CHECK(unfit_for(other_key) == unfit::kOtherKey);

  const DecodedEntry newer = decode_entry(bytes, with_fields(kTag, 4)).value();  // with a field that we do not have
  CHECK(newer.unknown.empty());
  CHECK(newer.changes.front().fields == t.changes.front().fields);
  CHECK(newer.changes.front().values == t.changes.front().values);
  CHECK(code_of(decode_entry(bytes.substr(0, bytes.size() - 1), Schema())) == Errc::corrupt);
  CHECK(code_of(decode_entry(bytes + '\0', Schema())) == Errc::corrupt);
  CHECK(decode_entry_header(bytes));

  Transaction update = one_insert();
  update.changes = {tag_change(update, Op::update, 0b100)};
  CHECK(decode_entry(encode(update), with_fields(kTag, 6)));  // an update need not name new fields
}

TEST_CASE("a transaction beyond the limit is refused, whether its bytes shrink or not") {
  Transaction t = one_insert();
  t.changes.clear();
  const Bytes big = typed(ValueView::text(std::string(2000 * limits::KiB, 'x')));
  for (std::uint64_t i = 0; i < 33; ++i) {
    t.changes.push_back(tag_change(t, Op::update, 0b10, i));
    t.changes.back().values = big;
  }
  const Expected<Bytes> encoded = encode_entry(t.header, t.changes, schema());
  REQUIRE_FALSE(encoded);
  CHECK(encoded.error().code == Errc::too_large);
  CHECK(encoded.error().what == "the shared changes of one transaction exceed 64 MiB");
  t.changes.pop_back();
  CHECK(same(decode_entry(encode(t), schema())->changes, t.changes));
}

TEST_CASE("a transaction of a million rows is an entry, one of more is refused, and the error says what to do") {
  Transaction t = one_insert();
  t.changes.clear();
  std::vector<Bytes> keys;
  for (std::uint64_t i = 0; i <= limits::kChangesPerEntryMax; ++i) {
    ByteWriter id;
    id.be64(i);
    keys.push_back(typed(ValueView::blob(id.bytes())));
  }
  for (const Bytes& key : keys) t.changes.push_back({kTag, Op::erase, {Hlc::of(1, 0), t.header.origin}, key, 0, {}});
  const Expected<Bytes> refused = encode_entry(t.header, t.changes, schema());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::too_large);
  CHECK(refused.error().text().find("1000000 rows: it has 1000001") != std::string::npos);
  CHECK(refused.error().remedy.find("several transactions") != std::string::npos);
  t.changes.pop_back();
  const Bytes entry = encode(t);
  CHECK(decode_entry(entry, schema())->changes.size() == limits::kChangesPerEntryMax);
}

TEST_CASE("a caller's mistakes are bugs, not entries") {
  Transaction t = one_insert();
  const Change good = t.changes.front();
  const auto broken = [&](Change c) {
    CHECK_THROWS_AS((void)encode_entry(t.header, {std::move(c)}, schema()), InvariantBroken);
  };
  Change c = good;
  broken((c = good, c.model = kDevice, c));
  broken((c = good, c.fields = 0b1110, c));
  broken((c = good, c.generation.hlc = Hlc::of(1, 1), c));
  broken((c = good, c.values = good.values.substr(1), c));
  broken((c = good, c.key = {}, c));
  EntryHeader h = t.header;
  h.seq = Seq{};
  CHECK_THROWS_AS((void)encode_entry(h, t.changes, schema()), InvariantBroken);
}

TEST_CASE("a signature is carried past, up to its limit") {
  const Bytes bytes = encode(one_insert());
  const Bytes unsigned_bytes = bytes.substr(0, bytes.size() - 1);
  const auto with = [&](std::size_t length) {
    ByteWriter w;
    w.raw(unsigned_bytes);
    w.blob(Bytes(length, 's'));
    return w.take();
  };
  CHECK(decode_entry(with(64), schema()));
  CHECK(decode_entry(with(256), schema()));
  CHECK(code_of(decode_entry(with(257), schema())) == Errc::corrupt);
}
