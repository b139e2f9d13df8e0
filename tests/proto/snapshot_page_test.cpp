#include "proto/snapshot_page.h"

#include <doctest/doctest.h>

#include "core/base/limits.h"
#include "tests/damage.h"
#include "tests/proto/generated.h"
#include "tests/proto/snapshots.h"

using namespace starling;
using namespace starling::samples;

namespace {

SnapshotSample any_page() { return snapshot_of(*any_lines(), *rc::gen::inRange<std::uint64_t>(0, 1000)); }

Errc code_of(const Expected<DecodedSnapshotPage>& decoded) {
  REQUIRE_FALSE(decoded);
  return decoded.error().code;
}

// Album: a key and three fields.
const Bytes kKey = typed(ValueView::text("k")), kNulls = spell("000000");

Bytes one(const RowVersion& version, std::string_view values = kNulls, const SnapshotRange& range = {{}, true}) {
  const SnapshotRow row{kKey, version, values};
  return encode_snapshot_page(schema(), kAlbum, {&row, 1}, range);
}

bool accepted(const Bytes& page) {
  const Expected<DecodedSnapshotPage> decoded = decode_snapshot_page(page, schema());
  if (!decoded) CHECK(decoded.error().code == Errc::corrupt);
  return decoded.has_value();
}

Origin author(unsigned n) {
  Prng prng(n);
  return origin(prng);
}

}  // namespace

TEST_CASE("snapshot page: what an album has here") {
  REQUIRE(std::popcount(plain_fields(schema().models[kAlbum])) == 3);
  REQUIRE(schema().models[kAlbum].key.size() == 1);
}

TEST_CASE("snapshot page: what a schema lacks is told apart from what is no page") {
  const Bytes page = one({{Hlc{9}, author(1)}, std::nullopt, {}});
  CHECK(accepted(page));
  const auto unfit_for = [&](const Schema& other) {
    const DecodedSnapshotPage decoded = decode_snapshot_page(page, other).value();
    CHECK(decoded.model == other.models.size());
    CHECK(decoded.rows.size() == 1);
    return std::string(decoded.unknown.why);
  };
  CHECK(unfit_for(Schema()) == unfit::kUnregistered);
  Schema owned = schema();
  owned.models[kAlbum].kind = Kind::device_owned;
  CHECK(unfit_for(owned) == unfit::kOwnedHere);
  Schema fewer = schema();
  fewer.models[kAlbum].fields.pop_back();
  const DecodedSnapshotPage newer = decode_snapshot_page(page, fewer).value();  // with a field that we do not have
  CHECK(newer.model == kAlbum);
  CHECK(newer.fields == plain_fields(schema().models[kAlbum]));
  Schema more = schema();
  more.models[kAlbum].fields.push_back({.name = "more", .default_value = typed(ValueView::text("x"))});
  const DecodedSnapshotPage older = decode_snapshot_page(page, more).value();  // without one of ours
  CHECK(older.fields == plain_fields(more.models[kAlbum]));
  CHECK(older.rows[0].values.ends_with(more.models[kAlbum].fields.back().default_value));
  CHECK(code_of(decode_snapshot_page(page.substr(0, 5), schema())) == Errc::corrupt);
}

TEST_CASE("snapshot page: versions and ranges that no source has are refused") {
  const Stamp born{Hlc{9}, author(1)};
  const auto with_field = [&](FieldIndex field, const Stamp& stamp) {
    return accepted(one({born, std::nullopt, {{field, stamp}}}));
  };
  const auto field = static_cast<FieldIndex>(std::countr_zero(plain_fields(schema().models[kAlbum])));
  const FieldIndex key = schema().models[kAlbum].key.front();
  CHECK(with_field(field, {Hlc{10}, author(2)}));
  CHECK_FALSE(with_field(field, born));                    // a stamp that is the generation's
  CHECK_FALSE(with_field(field, {Hlc{8}, author(2)}));     // or is older
  CHECK_FALSE(with_field(key, {Hlc{10}, author(2)}));      // of the key
  CHECK_FALSE(with_field(63, {Hlc{10}, author(2)}));       // of no field
  CHECK(accepted(one({born, Death{author(2), Seq{1}}, {}}, {})));
  CHECK_FALSE(accepted(one({born, Death{author(2), Seq{}}, {}}, {})));
  CHECK_FALSE(accepted(one({born, Death{author(2), Seq{limits::kCountMax + 1}}, {}}, {})));

  CHECK(accepted(one({born, std::nullopt, {}}, kNulls, {kKey, false})));
  CHECK_FALSE(accepted(one({born, std::nullopt, {}}, kNulls, {typed(ValueView::text("j")), false})));  // behind its end
  CHECK_FALSE(accepted(one({born, std::nullopt, {}}, kNulls, {Bytes(), false})));
  CHECK_FALSE(accepted(one({born, std::nullopt, {}}, kNulls, {Bytes(limits::kKeyMax + 1, 'k'), false})));
  const SnapshotRow twice[] = {{kKey, {born, std::nullopt, {}}, kNulls}, {kKey, {born, std::nullopt, {}}, kNulls}};
  CHECK_FALSE(accepted(encode_snapshot_page(schema(), kAlbum, twice, {{}, true})));  // one key twice
}

TEST_CASE("snapshot page: a head comes back; logs are ascending, and none is empty") {
  Prng prng(1);
  SnapshotHead head = head_of(vector(prng, 6), vector(prng, 3));
  REQUIRE(head.logs.size() > 2);
  CHECK(decode_snapshot_head(encode_snapshot_head(head)).value() == head);
  CHECK(head.vector().at(head.logs[1].origin).seq == head.logs[1].seq);
  const auto refused = [](const SnapshotHead& h) { return !decode_snapshot_head(encode_snapshot_head(h)); };
  SnapshotHead other = head;
  std::swap(other.logs[0], other.logs[1]);
  CHECK(refused(other));
  other = head;
  other.logs[1] = other.logs[0];
  CHECK(refused(other));
  other = head;
  other.logs[0].seq = Seq{};
  CHECK(refused(other));
  other = head;
  other.logs[0].hlc = Hlc{};
  CHECK(refused(other));
}

TEST_CASE("snapshot page: lengths beyond reason neither allocate nor take long") {
  const Bytes head = spell("02 05 'album' 00 0e 01");  // format, model, its columns, to its end
  const Bytes one_origin = spell("01") + Bytes(28, 'o');
  for (const std::uint64_t huge : {std::uint64_t{4} << 30, ~std::uint64_t{0}, std::uint64_t{1'000'000}}) {
    const Allocations allocations;
    CHECK_FALSE(accepted(spell("02") + varint(huge)));
    CHECK_FALSE(accepted(head + varint(huge)));
    CHECK_FALSE(accepted(head + one_origin + varint(huge)));
    CHECK_FALSE(accepted(head + one_origin + spell("01") + varint(huge)));
    CHECK_FALSE(decode_snapshot_head(spell("02 00") + varint(huge)));
    CHECK_FALSE(decode_snapshot_head(spell("02 01") + varint(huge)));
    CHECK(allocations.total() < 100'000);
  }
}

TEST_SUITE_BEGIN("property");

TEST_CASE("snapshot page: what was encoded comes back, and equal rows are equal bytes, whoever encodes them") {
  property(2'000, [] {
    const SnapshotSample sample = any_page();
    const Bytes body = sample.encode();
    const Expected<DecodedSnapshotPage> decoded = decode_snapshot_page(body, schema());
    RC_ASSERT(decoded.has_value());
    RC_ASSERT(decoded->model == sample.model);
    RC_ASSERT(decoded->range.to_end == sample.range.to_end);
    RC_ASSERT(decoded->range.through == sample.range.through);
    RC_ASSERT(same(decoded->rows, sample.rows));
    RC_ASSERT(encode_snapshot_page(schema(), decoded->model, decoded->rows, decoded->range) == body);
  });
}

TEST_CASE("snapshot page: damaged bytes are refused, or are another page that encodes again") {
  property(4'000, [] {
    const Bytes bad = damaged(any_page().encode(), *any_damage());
    std::size_t taken = 0;
    const Expected<DecodedSnapshotPage> decoded = [&] {
      const Allocations allocations;
      Expected<DecodedSnapshotPage> d = decode_snapshot_page(bad, schema());
      taken = allocations.total();
      return d;
    }();
    RC_ASSERT(taken < 64 * limits::KiB + 512 * bad.size());
    if (!decoded) {
      RC_ASSERT(decoded.error().code == Errc::corrupt || decoded.error().code == Errc::schema);
      return;
    }
    if (decoded->model == schema().models.size() || decoded->fields != plain_fields(schema().models[decoded->model])) return;
    const Bytes again = encode_snapshot_page(schema(), decoded->model, decoded->rows, decoded->range);
    RC_ASSERT(same(decode_snapshot_page(again, schema())->rows, decoded->rows));
  });
}

TEST_CASE("snapshot page: no prefix is a page or a head, nor is one with anything behind it") {
  property(300, [] {
    const Bytes body = any_page().encode();
    const auto length = *rc::gen::inRange<std::size_t>(0, body.size());
    RC_ASSERT(decode_snapshot_page(BytesView(body).substr(0, length), schema()).error().code == Errc::corrupt);
    const auto tail = *rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::arbitrary<char>()));
    RC_ASSERT(decode_snapshot_page(body + tail, schema()).error().code == Errc::corrupt);

    Prng prng(*rc::gen::inRange<std::uint64_t>(0, 1000));
    const Bytes head = encode_snapshot_head(head_of(vector(prng, 3), vector(prng, 2)));
    const auto part = *rc::gen::inRange<std::size_t>(0, head.size());
    RC_ASSERT(decode_snapshot_head(BytesView(head).substr(0, part)).error().code == Errc::corrupt);
    RC_ASSERT(decode_snapshot_head(head + tail).error().code == Errc::corrupt);
  });
}

TEST_SUITE_END();
