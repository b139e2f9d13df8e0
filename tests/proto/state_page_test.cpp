#include "proto/state_page.h"

#include <doctest/doctest.h>

#include "core/base/limits.h"
#include "tests/proto/samples.h"

using namespace starling;
using namespace starling::samples;

namespace {

Errc code_of(const Expected<DecodedStatePage>& decoded) {
  REQUIRE_FALSE(decoded);
  return decoded.error().code;
}

Bytes encode(const std::vector<StateRow>& rows) {
  StatePageWriter writer(schema());
  for (const StateRow& row : rows) writer.add(row);
  return writer.finish();
}

bool accepted(const Bytes& body, std::uint64_t from = 0, std::uint64_t to = 100) {
  const Expected<DecodedStatePage> decoded = decode_state_page(body, Rev{from}, Rev{to}, schema());
  if (!decoded) CHECK(decoded.error().code == Errc::corrupt);
  return decoded.has_value();
}

const Bytes kHead = spell("01 01 06 'device'");  // format, one model

// A run of one row of `device`: model, key columns, other columns, count; rev; deleted; key and four NULLs.
Bytes run(std::uint64_t rev, std::string_view key = "k") {
  return spell("00 00 04 01") + varint(rev) + spell("00") + typed(ValueView::text(key)) + spell("00000000");
}

}  // namespace

TEST_CASE("pages come back, and encode to the same bytes again") {
  Prng prng(1);
  for (int round = 0; round < 300; ++round) {
    const Page p = page(prng, prng.below(round % 50 == 0 ? 10'000 : 25));
    const Bytes body = p.encode();
    const Expected<DecodedStatePage> decoded = decode_state_page(body, p.from, p.to, schema());
    REQUIRE(decoded);
    CHECK(same(decoded->rows, p.rows));
    CHECK(encode(decoded->rows) == body);
  }
}

TEST_CASE("rows survive a move of the page") {
  Prng prng(2);
  const Page p = page(prng, 100);
  const Bytes body = p.encode();
  DecodedStatePage first = decode_state_page(body, p.from, p.to, schema()).value();
  const DecodedStatePage second = std::move(first);
  CHECK(same(second.rows, p.rows));
}

TEST_CASE("a writer tells how much it holds, and can be used again") {
  Prng prng(3);
  const Page p = page(prng, 1000);
  StatePageWriter writer(schema());
  CHECK(writer.size() == 0);
  std::size_t before = 0;
  for (const StateRow& row : p.rows) {
    writer.add(row);
    CHECK(writer.size() > before);
    before = writer.size();
  }
  CHECK(writer.rows() == 1000);
  const Bytes body = writer.finish();
  CHECK(body.size() <= before);
  CHECK(body.size() > before / 4);
  CHECK(writer.rows() == 0);
  CHECK(writer.size() == 0);
  CHECK(accepted(writer.finish()));
}

TEST_CASE("a page covers the range that it claims") {
  Prng prng(4);
  const Page p = page(prng, 20);
  const Bytes body = p.encode();
  const Rev first = p.rows.front().rev, last = p.rows.back().rev;
  CHECK(decode_state_page(body, Rev{first.value - 1}, last, schema()));
  CHECK(code_of(decode_state_page(body, first, last, schema())) == Errc::corrupt);
  CHECK(code_of(decode_state_page(body, p.from, Rev{last.value - 1}, schema())) == Errc::corrupt);
  CHECK(code_of(decode_state_page(body, p.to, p.from, schema())) == Errc::corrupt);
}

TEST_CASE("what a schema lacks is told apart from what is no page") {
  Prng prng(5);
  Page p = page(prng, 4);
  const Bytes body = p.encode();
  const auto unfit_for = [&](const Schema& other) {
    const DecodedStatePage page = decode_state_page(body, p.from, p.to, other).value();
    CHECK(page.rows.size() == p.rows.size());
    StatePageWriter again(other);  // handed on as it came
    for (StateRow row : page.rows) {
      REQUIRE(row.model >= other.models.size());
      row.name = page.unknown[row.model - other.models.size()].name;
      REQUIRE(again.takes(row));
      again.add(row);
    }
    CHECK(same(decode_state_page(again.finish(), p.from, p.to, schema())->rows, decode_state_page(body, p.from, p.to, schema())->rows));
    return std::string(page.unknown.front().why);
  };
  CHECK(unfit_for(Schema()) == unfit::kUnregistered);
  CHECK(code_of(decode_state_page(body + '\0', p.from, p.to, Schema())) == Errc::corrupt);
  Schema shared = schema(), fewer = schema(), more = schema(), other_key = schema();
  for (const ModelIndex m : {kDevice, kFile}) {
    shared.models[m].kind = Kind::shared;
    fewer.models[m].fields.pop_back();
    more.models[m].fields.push_back({.name = "more"});
    other_key.models[m].key.push_back(1);
  }
  CHECK(unfit_for(shared) == unfit::kSharedHere);
  CHECK(std::string(decode_state_page(body, p.from, p.to, more)->unknown.front().why) == unfit::kNoDefault);
  CHECK(unfit_for(other_key) == unfit::kOtherKey);

  const DecodedStatePage newer = decode_state_page(body, p.from, p.to, fewer).value();  // with a field that we do not have
  CHECK(newer.unknown.empty());
  for (std::size_t i = 0; i < p.rows.size(); ++i) {
    CHECK(newer.rows[i].values == p.rows[i].values);
    CHECK(newer.rows[i].columns.has_value());
  }
}

TEST_CASE("a caller's mistakes are bugs, not pages") {
  Prng prng(6);
  const Page p = page(prng, 2);
  StatePageWriter writer(schema());
  writer.add(p.rows[1]);
  CHECK_THROWS_AS(writer.add(p.rows[0]), InvariantBroken);
  CHECK_THROWS_AS(writer.add(p.rows[1]), InvariantBroken);
  StateRow shared = p.rows[1];
  shared.rev = shared.rev.next();
  shared.model = kTag;
  CHECK_THROWS_AS(writer.add(shared), InvariantBroken);
}

TEST_CASE("pages that no writer makes are refused") {
  const auto page = [](std::string_view count, const Bytes& runs) { return accepted(kHead + spell(count) + runs); };
  CHECK(page("01", run(5)));
  CHECK_FALSE(page("02", run(5)));                // fewer rows than counted
  CHECK_FALSE(page("00", ""));                    // a model without rows
  CHECK_FALSE(page("02", run(5) + run(6, "l")));  // two runs where one would do
  CHECK_FALSE(page("01", run(0)));                // revisions out of the range
  CHECK_FALSE(page("01", run(101)));
  CHECK_FALSE(page("01", spell("01") + run(5).substr(1)));                    // no such model
  CHECK_FALSE(page("01", spell("00 00 04 00 05 00")));                        // no row in the run
  CHECK_FALSE(page("01", spell("00 00 40 01 05 00 0b 'k'") + Bytes(64, 0)));  // 65 columns
  CHECK_FALSE(page("01", spell("00 00 04 01 05 03 0b 'k' 00000000")));        // no such mark of deletion
  CHECK_FALSE(page("01", spell("00 00 04 01 05 02 01 0b 'k'")));              // some deleted, and all are
  CHECK_FALSE(page("01", run(5, std::string(limits::kKeyMax, 'k'))));         // with its head, the key is too long
  CHECK(page("02", spell("00 00 04 02 05 00 02 02 10 0b 'kl' 00000000")));
  CHECK_FALSE(page("02", spell("00 00 04 02 05 00 02 06 10 0b 'kl' 00000000")));  // marks beyond the rows
  CHECK_FALSE(accepted(spell("02") + kHead.substr(1) + spell("01") + run(5)));    // another format

  const auto both = [](std::uint64_t rev) {
    return accepted(spell("01 02 06 'device' 04 'file' 02") + run(rev) + spell("01 01 01 01 06 01 0b 'k' 0b 'k'"));
  };
  CHECK(both(5));
  CHECK_FALSE(both(6));  // one revision twice
  CHECK_FALSE(both(7));  // models out of order
}

TEST_CASE("lengths beyond reason neither allocate nor take long") {
  for (const std::uint64_t huge : {std::uint64_t{4} << 30, ~std::uint64_t{0}, std::uint64_t{1'000'000}}) {
    const samples::Allocations allocations;
    CHECK_FALSE(accepted(spell("01") + varint(huge)));
    CHECK_FALSE(accepted(kHead + varint(huge) + run(5)));
    CHECK_FALSE(accepted(kHead + spell("01 00 00 04") + varint(huge) + spell("05 00 00")));
    CHECK_FALSE(accepted(kHead + spell("01") + run(huge)));
    const Bytes step = spell("02 00 00 04 02 05") + varint(huge) + spell("00 10 0b 'kl' 00000000");
    CHECK_FALSE(accepted(kHead + step));
    CHECK_FALSE(accepted(kHead + spell("01 00 00 04 01 05 00 fb") + varint(huge)));  // a key
    CHECK(allocations.total() < 100'000);
  }
}

TEST_CASE("mangled pages are refused, or are other pages, whose rows encode and decode again") {
  Prng prng(7);
  for (const std::size_t rows : {0U, 1U, 3U, 8U}) {
    const Page p = page(prng, rows);
    std::size_t accepted = 0;
    mangle(p.encode(), [&](const Bytes& bad) {
      const samples::Allocations allocations;
      const Expected<DecodedStatePage> decoded = decode_state_page(bad, p.from, p.to, schema());
      REQUIRE(allocations.total() < 64 * limits::KiB);
      if (!decoded || !fits(*decoded, schema())) return;
      ++accepted;
      const Bytes again = encode(decoded->rows);
      REQUIRE(same(decode_state_page(again, p.from, p.to, schema())->rows, decoded->rows));
      if (rows < 2) REQUIRE(again == bad);
    });
    if (rows > 0) CHECK(accepted > 0);
  }
}
