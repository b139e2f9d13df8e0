#include <doctest/doctest.h>

#include "core/base/limits.h"
#include "tests/damage.h"
#include "tests/proto/generated.h"

using namespace starling;
using namespace starling::samples;

namespace {

Page any_page() { return page_of(*any_lines(), *rc::gen::inRange<std::uint64_t>(0, 1000)); }

Bytes encoded(const std::vector<StateRow>& rows) {
  StatePageWriter writer(schema());
  for (const StateRow& row : rows) writer.add(row);
  return writer.finish();
}

void check_any(const Bytes& body, Rev from, Rev to) {
  std::size_t taken = 0;
  const Expected<DecodedStatePage> decoded = [&] {
    const Allocations allocations;
    Expected<DecodedStatePage> d = decode_state_page(body, from, to, schema());
    taken = allocations.total();
    return d;
  }();
  RC_ASSERT(taken < 64 * limits::KiB + 256 * body.size());
  if (!decoded) {
    RC_ASSERT(decoded.error().code == Errc::corrupt || decoded.error().code == Errc::schema);
    return;
  }
  if (!fits(*decoded, schema())) return;
  Rev last = from;
  std::size_t of_model[5] = {};
  for (const StateRow& row : decoded->rows) {
    RC_ASSERT(row.rev > last && row.rev <= to);
    last = row.rev;
    ++of_model[row.model];
  }
  const Bytes again = encoded(decoded->rows);
  RC_ASSERT(same(decode_state_page(again, from, to, schema())->rows, decoded->rows));
  // One row of a model leaves its columns no choice of form.
  if (std::all_of(std::begin(of_model), std::end(of_model), [](std::size_t n) { return n < 2; }))
    RC_ASSERT(again == body);
}

}  // namespace

TEST_SUITE_BEGIN("property");

TEST_CASE("state page: what was encoded comes back, and encodes to the same bytes") {
  property(2'000, [] {
    const Page p = any_page();
    const Bytes body = p.encode();
    const Expected<DecodedStatePage> decoded = decode_state_page(body, p.from, p.to, schema());
    RC_ASSERT(decoded.has_value());
    RC_ASSERT(same(decoded->rows, p.rows));
    RC_ASSERT(encoded(decoded->rows) == body);
  });
}

TEST_CASE("state page: damaged bytes are refused, or are another page that encodes again") {
  property(4'000, [] {
    const Page p = any_page();
    check_any(damaged(p.encode(), *any_damage()), p.from, p.to);
  });
}

TEST_CASE("state page: no prefix is a page, nor is a page with anything behind it") {
  property(300, [] {
    const Page p = any_page();
    const Bytes body = p.encode();
    const auto length = *rc::gen::inRange<std::size_t>(0, body.size());
    RC_ASSERT(decode_state_page(BytesView(body).substr(0, length), p.from, p.to, schema()).error().code ==
              Errc::corrupt);
    const auto tail = *rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::arbitrary<char>()));
    RC_ASSERT(decode_state_page(body + tail, p.from, p.to, schema()).error().code == Errc::corrupt);
  });
}

TEST_CASE("state page: bytes that nobody encoded are refused, or a page all the same") {
  property(5'000, [] {
    const Page p = any_page();
    Bytes head = p.encode();
    head.resize(*rc::gen::inRange<std::size_t>(0, head.size()));
    check_any(head + *rc::gen::container<std::string>(rc::gen::arbitrary<char>()), p.from, p.to);
  });
}

TEST_SUITE_END();
