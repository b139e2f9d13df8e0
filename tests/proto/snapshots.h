// Heads and pages of snapshots from simple lines, whatever the lines hold.
#pragma once

#include <bit>

#include "proto/snapshot_page.h"
#include "tests/proto/lines.h"

namespace starling::samples {

struct SnapshotSample {
  ModelIndex model = kAlbum;
  SnapshotRange range{{}, true};
  std::vector<SnapshotRow> rows;
  std::deque<Bytes> bytes;

  [[nodiscard]] Bytes encode() const { return encode_snapshot_page(schema(), model, rows, range); }
};

[[nodiscard]] inline RowVersion version_of(const Line& line, const std::vector<Origin>& authors, FieldMask plain) {
  const auto author = [&](unsigned n) { return authors[n % authors.size()]; };
  RowVersion v{{Hlc::of(1'000 + line.ms, line.author % 2), author(line.author)}, std::nullopt, {}};
  if (line.op == 2) v.death = Death{author(line.fields), Seq{line.fields}};
  if (line.op != 1 || plain == 0) return v;
  const Stamp later{Hlc::of(2'000 + line.ms, 0), author(line.author + 1)};
  for (FieldMask rest = picked(plain, line.fields); rest != 0; rest &= rest - 1)
    v.fields.push_back({static_cast<FieldIndex>(std::countr_zero(rest)), later});
  return v;
}

// All lines as rows of one model: inserted, changed or dead.
[[nodiscard]] inline SnapshotSample snapshot_of(const std::vector<Line>& lines, std::uint64_t seed) {
  Prng prng(seed);
  const std::vector<Origin> authors{origin(prng), origin(prng), origin(prng)};
  constexpr ModelIndex kShared[] = {kAlbum, kLink, kTag};
  SnapshotSample sample;
  sample.model = kShared[lines.empty() ? 0 : lines.front().model];
  const FieldMask plain = plain_fields(schema().models[sample.model]);
  for (const Line& line : lines) {
    SnapshotRow row;
    row.key = sample.bytes.emplace_back(key_of(line, sample.model, sample.rows.size()));
    row.version = version_of(line, authors, plain);
    if (!row.version.death) row.values = sample.bytes.emplace_back(values_of(line, plain));
    sample.rows.push_back(row);
  }
  std::sort(sample.rows.begin(), sample.rows.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  if (seed % 2 == 0 && !lines.empty()) sample.range = {Bytes(sample.rows.back().key), false};
  return sample;
}

[[nodiscard]] inline SnapshotHead head_of(const VersionVector& logs, const VersionVector& seen) {
  SnapshotHead head;
  for (const auto& [of, position] : logs) {
    if (position.seq == Seq{}) continue;
    const Hash128 hash = Hash128::from(BytesView(of.device.view()));
    head.logs.push_back({of, position.seq, position.hlc, hash, head.logs.size() % 2 == 0 ? seen : VersionVector()});
  }
  return head;
}

[[nodiscard]] inline bool same(const std::vector<SnapshotRow>& a, const std::vector<SnapshotRow>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const SnapshotRow& x, const SnapshotRow& y) {
    return x.key == y.key && x.version == y.version && x.values == y.values;
  });
}

}  // namespace starling::samples
