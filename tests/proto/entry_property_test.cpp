#include <doctest/doctest.h>

#include "core/base/limits.h"
#include "tests/damage.h"
#include "tests/proto/generated.h"

using namespace starling;
using namespace starling::samples;

namespace {

Transaction any_transaction() {
  return transaction_of(*any_lines(), *rc::gen::noShrink(rc::gen::arbitrary<std::uint64_t>()));
}

Bytes encoded(const Transaction& t) { return encode_entry(t.header, t.changes, schema()).value(); }

// Whether all these bytes are fixed by the content: no run of more than one change, whose columns have a choice of form.
bool has_no_choice(const std::vector<Change>& changes) {
  for (std::size_t i = 1; i < changes.size(); ++i) {
    const Change &a = changes[i - 1], &b = changes[i];
    if (a.model == b.model && a.op == b.op && a.fields == b.fields) return false;
  }
  return true;
}

// What is promised of any bytes at all: refused with a reason, or an entry whose content encodes and decodes again; and
// neither takes more memory than bytes of that length may.
void check_any(const Bytes& bytes) {
  std::size_t taken = 0;
  const Expected<DecodedEntry> decoded = [&] {
    const Allocations allocations;
    Expected<DecodedEntry> d = decode_entry(bytes, schema());
    taken = allocations.total();
    return d;
  }();
  RC_ASSERT(taken < 64 * limits::KiB + 256 * bytes.size());
  const Expected<EntryHeader> header = decode_entry_header(bytes);
  if (!decoded) {
    RC_ASSERT(decoded.error().code == Errc::corrupt || decoded.error().code == Errc::schema);
    return;
  }
  RC_ASSERT(header && same(*header, decoded->header));
  if (!fits(*decoded, schema())) return;
  const Bytes again = encode_entry(decoded->header, decoded->changes, schema()).value();
  const DecodedEntry second = decode_entry(again, schema()).value();
  RC_ASSERT(same(second.header, decoded->header));
  RC_ASSERT(same(second.changes, decoded->changes));
  if (has_no_choice(decoded->changes) && bytes.back() == '\0') RC_ASSERT(again == bytes);
}

}  // namespace

TEST_SUITE_BEGIN("property");

TEST_CASE("entry: what was encoded comes back, and encodes to the same bytes") {
  property(1'500, [] {
    const Transaction t = any_transaction();
    const Bytes bytes = encoded(t);
    const Expected<DecodedEntry> decoded = decode_entry(bytes, schema());
    RC_ASSERT(decoded.has_value());
    RC_ASSERT(same(decoded->header, t.header));
    RC_ASSERT(same(decoded->changes, t.changes));
    RC_ASSERT(encode_entry(decoded->header, decoded->changes, schema()).value() == bytes);
    RC_ASSERT(same(decode_entry_header(bytes).value(), t.header));
  });
}

TEST_CASE("entry: damaged bytes are refused, or are another entry that encodes again") {
  property(4'000, [] { check_any(damaged(encoded(any_transaction()), *any_damage())); });
}

TEST_CASE("entry: no prefix is an entry, nor is an entry with anything behind it") {
  property(300, [] {
    const Bytes bytes = encoded(any_transaction());
    const auto length = *rc::gen::inRange<std::size_t>(0, bytes.size());
    RC_ASSERT(decode_entry(BytesView(bytes).substr(0, length), schema()).error().code == Errc::corrupt);
    const auto tail = *rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::arbitrary<char>()));
    RC_ASSERT(decode_entry(bytes + tail, schema()).error().code == Errc::corrupt);
  });
}

TEST_CASE("entry: bytes that nobody encoded are refused, or an entry all the same") {
  property(5'000, [] {
    Bytes head = encoded(any_transaction());
    head.resize(*rc::gen::inRange<std::size_t>(0, head.size()));
    check_any(head + *rc::gen::container<std::string>(rc::gen::arbitrary<char>()));
  });
}

TEST_SUITE_END();
