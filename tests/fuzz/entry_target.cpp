// A log entry: any bytes, and the transaction that can be built of the same bytes.
#include "tests/fuzz/built.h"
#include "tests/fuzz/promise.h"
#include "tests/fuzz/target.h"

namespace starling::fuzz {
namespace {

// For each byte of an entry: it may claim a change, for which there is room from the start; beside that, rows that are
// being read (a key, a generation's three numbers) or the values of a dictionary, in a table that grows.
constexpr std::size_t kEntryFactor = sizeof(Change) + 3 * sizeof(BytesView) + 8;

std::size_t size_of(const std::vector<Change>& changes) {
  std::size_t size = 0;
  for (const Change& change : changes) size += change.key.size() + change.values.size();
  return size;
}

void check_same(const DecodedEntry& entry, const Bytes& bytes) {
  const Expected<DecodedEntry> back = decode_entry(bytes, schema());
  promise(back.has_value(), "what was encoded is refused");
  promise(samples::same(back->header, entry.header) && samples::same(back->changes, entry.changes),
          "another came back");
}

void check_bytes(BytesView bytes) {
  const Schema& models = schema();  // made before memory is counted
  const auto [header, of_header] = measured([&] { return decode_entry_header(bytes); });
  promise_memory(of_header, kEntryFactor * bytes.size());
  const auto [entry, peak] = measured([&] { return decode_entry(bytes, models); });
  const std::size_t rows = entry ? 2 * size_of(entry->changes) : limits::kEntryMax;  // twice where they grew
  promise_memory(peak, kEntryFactor * bytes.size() + rows);
  if (!entry) return promise_refusal(entry.error());
  promise(header && samples::same(*header, entry->header), "its header by itself is another");
  if (!samples::fits(*entry, models)) return;
  const Expected<Bytes> again = encode_entry(entry->header, entry->changes, schema());
  if (!again) return promise(size_of(entry->changes) > limits::kEntryMax, "it does not encode again");  // rows grew
  check_same(*entry, *again);
}

void check_built(BytesView bytes) {
  Choices choices(bytes);
  const std::uint64_t seed = choices.number(1);
  const samples::Transaction t = samples::transaction_of(built_lines(choices), seed);
  const Bytes encoded = encode_entry(t.header, t.changes, schema()).value();
  const Expected<DecodedEntry> entry = decode_entry(encoded, schema());
  promise(entry.has_value(), "what was encoded is refused");
  promise(samples::same(entry->header, t.header) && samples::same(entry->changes, t.changes), "another came back");
  promise(encode_entry(entry->header, entry->changes, schema()).value() == encoded, "it has two encodings");
}

}  // namespace

void check_entry(BytesView bytes) {
  check_bytes(bytes);
  check_built(bytes);
}

std::vector<Bytes> entry_seeds() {
  std::vector<Bytes> seeds;
  Prng prng(300);
  for (const std::size_t changes : {0U, 1U, 2U, 5U, 12U, 30U}) {
    const samples::Transaction t = samples::transaction(prng, changes);
    seeds.push_back(encode_entry(t.header, t.changes, schema()).value());
  }
  return seeds;
}

}  // namespace starling::fuzz
