// The pages of a snapshot: any bytes as its head or as a page of rows, and what can be built of the same bytes.
#include "tests/fuzz/built.h"
#include "tests/fuzz/promise.h"
#include "tests/fuzz/target.h"
#include "tests/proto/snapshots.h"

namespace starling::fuzz {
namespace {

// For each byte of a page: it may claim a row, for which there is room from the start, with four numbers of its version
// while they are read; beside that, rows that are being put together, or a tenth of a field's stamp.
constexpr std::size_t kPageFactor =
    sizeof(SnapshotRow) + 4 * sizeof(std::uint64_t) + 3 * sizeof(BytesView) + 3 * sizeof(FieldStamp) / 10 + kPlainFactor;
// Of a head: a log has 53 bytes at least, in a table that grows; what its author had seen is a vector.
constexpr std::size_t kHeadFactor = 3 * sizeof(SnapshotHead::Log) / 53 + kPlainFactor;

std::size_t size_of(const std::vector<SnapshotRow>& rows) {
  std::size_t size = 0;
  for (const SnapshotRow& row : rows) size += row.key.size() + row.values.size();
  return size;
}

void check_rows(BytesView body) {
  const Schema& models = schema();  // made before memory is counted
  const auto [page, peak] = measured([&] { return decode_snapshot_page(body, models); });
  const std::size_t rows = page ? 2 * size_of(page->rows) : limits::kFrameMax;
  promise_memory(peak, kPageFactor * body.size() + rows);
  if (!page) return promise_refusal(page.error());
  BytesView last;
  for (const SnapshotRow& row : page->rows) {
    promise(row.key > last && (page->range.to_end || row.key <= page->range.through), "a key out of order");
    promise(!row.version.death || (row.values.empty() && row.version.fields.empty()), "a dead row with content");
    last = row.key;
  }
  if (page->model == models.models.size() || page->fields != plain_fields(models.models[page->model])) return;
  if (size_of(page->rows) > limits::kRowMax) return;  // rows that were alike need not fit one page
  const Bytes again = encode_snapshot_page(models, page->model, page->rows, page->range);
  const Expected<DecodedSnapshotPage> back = decode_snapshot_page(again, models);
  promise(back.has_value() && samples::same(back->rows, page->rows), "it encodes to another");
  promise(back->range.to_end == page->range.to_end && back->range.through == page->range.through, "another range came back");
}

void check_head(BytesView body) {
  const auto [head, peak] = measured([&] { return decode_snapshot_head(body); });
  promise_memory(peak, kHeadFactor * body.size());
  if (!head) return promise_refusal(head.error());
  promise(decode_snapshot_head(encode_snapshot_head(*head)).value() == *head, "it encodes to another");
}

void check_built(BytesView bytes) {
  Choices choices(bytes);
  const std::uint64_t seed = choices.number(1);
  const samples::SnapshotSample sample = samples::snapshot_of(built_lines(choices), seed);
  const Bytes body = sample.encode();
  const Expected<DecodedSnapshotPage> back = decode_snapshot_page(body, schema());
  promise(back.has_value() && samples::same(back->rows, sample.rows), "another came back");
  promise(encode_snapshot_page(schema(), back->model, back->rows, back->range) == body, "it has two encodings");

  Choices again(bytes);
  const VersionVector logs = built_vector(again);
  const SnapshotHead head = samples::head_of(logs, logs);
  promise(decode_snapshot_head(encode_snapshot_head(head)).value() == head, "another head came back");
}

}  // namespace

void check_snapshot_page(BytesView bytes) {
  if (bytes.empty()) return;
  if ((bytes.front() & 1) == 0) check_head(bytes.substr(1));
  else check_rows(bytes.substr(1));
  check_built(bytes.substr(1));
}

std::vector<Bytes> snapshot_page_seeds() {
  Prng prng(600);
  std::vector<Bytes> seeds;
  for (const std::size_t origins : {0U, 1U, 3U}) {
    const VersionVector logs = samples::vector(prng, origins), seen = samples::vector(prng, 2);
    seeds.push_back('\0' + encode_snapshot_head(samples::head_of(logs, seen)));
  }
  for (const std::size_t rows : {0U, 1U, 2U, 5U, 12U, 30U}) {
    Bytes noise = samples::bytes(prng, rows * 100);
    for (std::size_t at = 0; at < noise.size(); at += 7) noise[at] = 1;  // lists go on
    Choices choices(noise);
    std::vector<samples::Line> lines = built_lines(choices);
    while (lines.size() < rows) lines.push_back({1, static_cast<unsigned>(lines.size() % 3), 3, 1, 1, samples::value(prng), {samples::value(prng)}});
    seeds.push_back('\1' + samples::snapshot_of(lines, rows).encode());
  }
  return seeds;
}

}  // namespace starling::fuzz
