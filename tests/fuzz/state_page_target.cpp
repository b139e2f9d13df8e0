// A state page: any bytes, and the rows that can be built of the same bytes.
#include "tests/fuzz/built.h"
#include "tests/fuzz/promise.h"
#include "tests/fuzz/target.h"

namespace starling::fuzz {
namespace {

constexpr std::size_t kPageFactor = sizeof(StateRow) + 3 * sizeof(BytesView) + 8;  // as of an entry
constexpr std::size_t kRange = 6;  // bytes in front of the body: `from`, and how far it is to `to`

std::size_t size_of(const std::vector<StateRow>& rows) {
  std::size_t size = 0;
  for (const StateRow& row : rows) size += row.key.size() + row.values.size();
  return size;
}

Bytes encoded(const std::vector<StateRow>& rows) {
  StatePageWriter writer(schema());
  for (const StateRow& row : rows) writer.add(row);
  return writer.finish();
}

void check_bytes(BytesView bytes) {
  const Schema& models = schema();  // made before memory is counted
  Choices range(bytes.substr(0, kRange));
  const Rev from{range.number(2)}, to{from.value + range.number(4)};
  const BytesView body = bytes.substr(std::min(kRange, bytes.size()));
  const auto [page, peak] = measured([&] { return decode_state_page(body, from, to, models); });
  const std::size_t rows = page ? 2 * size_of(page->rows) : limits::kFrameMax;  // twice where they grew
  promise_memory(peak, kPageFactor * body.size() + rows);
  if (!page) return promise_refusal(page.error());
  Rev last = from;
  for (const StateRow& row : page->rows) {
    promise(row.rev > last && row.rev <= to, "a revision out of order");
    last = row.rev;
  }
  if (!samples::fits(*page, models)) return;
  if (size_of(page->rows) > limits::kRowMax) return;  // rows that grew need not fit one page
  const Bytes again = encoded(page->rows);
  const Expected<DecodedStatePage> back = decode_state_page(again, from, to, schema());
  promise(back.has_value() && samples::same(back->rows, page->rows), "it encodes to another");
}

void check_built(BytesView bytes) {
  Choices choices(bytes);
  const std::uint64_t from = choices.number(2);
  const samples::Page page = samples::page_of(built_lines(choices), from);
  const Bytes body = encoded(page.rows);
  const Expected<DecodedStatePage> back = decode_state_page(body, page.from, page.to, schema());
  promise(back.has_value() && samples::same(back->rows, page.rows), "another came back");
  promise(encoded(back->rows) == body, "it has two encodings");
}

}  // namespace

void check_state_page(BytesView bytes) {
  check_bytes(bytes);
  check_built(bytes);
}

std::vector<Bytes> state_page_seeds() {
  std::vector<Bytes> seeds;
  Prng prng(400);
  for (const std::size_t rows : {0U, 1U, 2U, 5U, 12U, 30U}) {
    const samples::Page page = samples::page(prng, rows);
    ByteWriter seed;
    seed.u8(static_cast<std::uint8_t>(page.from.value >> 8));
    seed.u8(static_cast<std::uint8_t>(page.from.value));
    seed.be32(static_cast<std::uint32_t>(page.to.value - page.from.value));
    seed.raw(page.encode());
    seeds.push_back(seed.take());
  }
  return seeds;
}

}  // namespace starling::fuzz
