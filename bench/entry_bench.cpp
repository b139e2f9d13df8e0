// What an entry costs on the wire and in time: ours, row by row, and Cap'n Proto's own structs (ADR 0004).
//
// The standard rows: tag(id, name, color, created_at, note), ids UUID version 7, names and notes of English words.
// Sizes are bytes for each change: raw, after zstd 1 in one go, and as a frame on the wire, head and envelope included.
// Rates are millions of changes a second on one core, the best of many short rounds.
#include <zstd.h>

#include <algorithm>

#include "bench/entry_alternatives.h"
#include "bench/rounds.h"
#include "core/base/prng.h"
#include "proto/codec.h"
#include "proto/entry.h"

namespace starling::bench {
namespace {

constexpr const char* kWords =
    "the garden river morning letter window quiet paper under stone music travel winter summer family photo before "
    "after "
    "little large green light house water street and with from into over about again never always together children "
    "mountain project meeting report holiday birthday kitchen table friend weather evening yellow coffee number story "
    "market bridge forest island camera picture yesterday tomorrow between another station village orange silver "
    "simple "
    "record moment animal people country question answer nothing school office review second minute purple of to in is "
    "it on at by we our for not was are one two new old day year long short red blue small great early late open "
    "closed ";
constexpr const char* kColors[] = {"red",    "orange", "yellow", "green", "blue",
                                   "purple", "grey",   "black",  "white", "pink"};
constexpr std::int64_t kStart = 1'760'000'000'000;

struct Row {
  Bytes id, name, color, created, note;  // typed
};

Bytes typed(const ValueView& v) {
  ByteWriter w;
  write_value(w, v);
  return w.take();
}

std::string words(Prng& prng, std::size_t least, std::size_t most) {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> list(1);
    for (const char c : std::string_view(kWords)) c == ' ' ? list.emplace_back() : list.back() += c;
    list.pop_back();
    return list;
  }();
  const std::size_t length = least + prng.below(most - least + 1);
  std::string text;
  while (text.size() < length) text += (text.empty() ? "" : " ") + all[prng.below(all.size())];
  return text.substr(0, length);
}

std::vector<Row> make_rows(std::size_t count) {  // one a millisecond
  Prng prng(7);
  std::vector<Row> rows;
  for (std::size_t i = 0; i < count; ++i) {
    ByteWriter id;
    id.be64((static_cast<std::uint64_t>(kStart) + i) << 16 | 0x7000 | prng.below(0x1000));
    id.be64(prng.next() >> 2 | std::uint64_t{1} << 63);
    const auto created = kStart - 1'000'000 + static_cast<std::int64_t>(i * 1000 + prng.below(1000));
    rows.push_back({typed(ValueView::blob(id.bytes())), typed(ValueView::text(words(prng, 8, 16))),
                    typed(ValueView::text(kColors[prng.below(std::size(kColors))])), typed(ValueView::of(created)),
                    typed(ValueView::text(words(prng, 56, 64)))});
  }
  return rows;
}

struct Work {
  const char* name;
  EntryHeader header;
  std::vector<Change> changes;
  std::vector<Bytes> bytes;  // that the changes look into
};

EntryHeader header() {
  EntryHeader h;
  h.origin = {DeviceId::from("0123456789abcdef"), {Hlc::of(kStart, 0), 0x12345678}};
  h.seq = Seq{12'345};
  h.hlc = Hlc::of(kStart + 1'000'000, 1);
  h.previous = Hash128::from("fedcba9876543210");
  return h;
}

Work inserts(const std::vector<Row>& rows, std::size_t count) {
  Work work{"insert of 5 columns", header(), {}, {}};
  work.bytes.reserve(count);
  for (const Row& row : std::span(rows).first(count)) {
    const BytesView values = work.bytes.emplace_back(row.name + row.color + row.created + row.note);
    work.changes.push_back({0, Op::insert, work.header.stamp(), row.id, 0b11110, values});
  }
  return work;
}

// Rows picked at random, in order of their keys; each was inserted by a transaction of its own.
Work updates(const std::vector<Row>& rows, std::size_t count, bool sorted) {
  Work work{sorted ? "update of 1 column" : "the same, keys unordered", header(), {}, {}};
  Prng prng(11);
  std::vector<std::size_t> picked(rows.size());
  for (std::size_t i = 0; i < picked.size(); ++i) picked[i] = i;
  for (std::size_t i = 0; i < count; ++i) std::swap(picked[i], picked[i + prng.below(picked.size() - i)]);
  picked.resize(count);
  if (sorted) std::sort(picked.begin(), picked.end());
  for (const std::size_t i : picked) {
    const Stamp generation{Hlc::of(kStart + static_cast<std::int64_t>(i), 0), work.header.origin};
    work.changes.push_back({0, Op::update, generation, rows[i].id, 0b100, rows[prng.below(rows.size())].color});
  }
  return work;
}

const Schema& schema() {
  static const Schema schema{
      {{.name = "tag", .kind = Kind::shared, .fields = std::vector<FieldSchema>(5), .key = {0}}}};
  return schema;
}

Bytes encode_ours(const EntryHeader& header, const std::vector<Change>& changes) {
  return encode_entry(header, changes, schema()).value();
}

std::size_t decode_ours(BytesView bytes) {
  std::size_t sum = 0;
  const DecodedEntry entry = decode_entry(bytes, schema()).value();
  for (const Change& c : entry.changes) sum += touch(c.values);
  return sum;
}

struct Codec {
  const char* name;
  Bytes (*encode)(const EntryHeader&, const std::vector<Change>&);
  std::size_t (*decode)(BytesView);  // touches every field
};

double rate(std::size_t changes, const std::function<void()>& work) {  // millions a second
  double best = 0;
  for (int round = 0; round < 200; ++round) {
    const std::size_t times = 1 + 2'000 / changes;
    const double time = seconds([&] {
      for (std::size_t i = 0; i < times; ++i) work();
    });
    best = std::max(best, static_cast<double>(times * changes) / time / 1e6);
  }
  return best;
}

void measure(const Work& work) {
  static constexpr Codec kCodecs[] = {{"starling, by columns", encode_ours, decode_ours},
                                      {"row by row", encode_rows, decode_rows},
                                      {"Cap'n Proto, flat", encode_capnp, decode_capnp}};
  const double n = static_cast<double>(work.changes.size());
  std::printf("\n%zu x %s\n%-22s %8s %8s %8s %10s %10s %10s\n", work.changes.size(), work.name, "", "raw B", "zstd B",
              "frame B", "encode M/s", "decode M/s", "frame M/s");
  for (const Codec& codec : kCodecs) {
    const Bytes bytes = codec.encode(work.header, work.changes);
    Bytes zstd(ZSTD_compressBound(bytes.size()), '\0');
    zstd.resize(ZSTD_compress(zstd.data(), zstd.size(), bytes.data(), bytes.size(), 1));
    const Message message = SharedChange{work.header.origin, work.header.seq, bytes};
    const Bytes frame = encode_frame(message);
    std::printf("%-22s %8.1f %8.1f %8.1f %10.1f %10.1f %10.1f\n", codec.name, static_cast<double>(bytes.size()) / n,
                static_cast<double>(zstd.size()) / n, static_cast<double>(frame.size()) / n,
                rate(work.changes.size(), [&] { (void)codec.encode(work.header, work.changes); }),
                rate(work.changes.size(), [&] { (void)codec.decode(bytes); }),
                rate(work.changes.size(), [&] { (void)encode_frame(message); }));
  }
}

}  // namespace
}  // namespace starling::bench

int main() {
  using namespace starling::bench;
  const std::vector<Row> rows = make_rows(100'000);
  for (const std::size_t count : {1U, 1000U}) measure(inserts(rows, count));
  for (const std::size_t count : {1U, 1000U}) measure(updates(rows, count, true));
  measure(updates(rows, 1000, false));
}
