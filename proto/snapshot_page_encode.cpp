#include <algorithm>
#include <bit>
#include <set>

#include "core/base/assert.h"
#include "proto/model_table.h"
#include "proto/snapshot_page.h"
#include "proto/snapshot_page_format.h"
#include "proto/stamp_columns.h"

namespace starling {

using namespace snapshot_page_format;

namespace {

class PageWriter {
 public:
  PageWriter(const ModelSchema& model, std::span<const SnapshotRow> rows) : model_(model), rows_(rows) {}

  Bytes encode(const SnapshotRange& range) {
    out_.u8(kFormat);
    out_.blob(model_.name);
    out_.u8(static_cast<std::uint8_t>(model_.key.size() - 1));
    out_.varint(plain_fields(model_));
    out_.u8(range.to_end ? 1 : 0);
    if (!range.to_end) out_.blob(range.through);
    collect_origins();
    out_.varint(rows_.size());
    for (auto left = rows_; !left.empty(); left = left.subspan(std::min(kRunMax, left.size())))
      write_run(left.first(std::min(kRunMax, left.size())));
    return out_.take();
  }

 private:
  void collect_origins();
  void write_run(std::span<const SnapshotRow>);
  void write_generations(std::span<const SnapshotRow>);
  void write_version(const RowVersion&);
  void write_columns(std::span<const SnapshotRow>);
  [[nodiscard]] std::uint64_t number(const Origin& origin) const {
    return static_cast<std::uint64_t>(std::lower_bound(origins_.begin(), origins_.end(), origin) - origins_.begin());
  }

  const ModelSchema& model_;
  std::span<const SnapshotRow> rows_;
  std::vector<Origin> origins_;
  ByteWriter out_;
  ColumnWriter columns_;
  StampColumns stamps_;
};

void PageWriter::collect_origins() {
  std::set<Origin> origins;
  for (const SnapshotRow& row : rows_) {
    origins.insert(row.version.generation.origin);
    if (row.version.death) origins.insert(row.version.death->origin);
    for (const FieldStamp& f : row.version.fields) origins.insert(f.stamp.origin);
  }
  origins_.assign(origins.begin(), origins.end());
  out_.varint(origins_.size());
  for (const Origin& origin : origins_) write_origin(out_, origin);
}

void PageWriter::write_run(std::span<const SnapshotRow> run) {
  out_.varint(run.size());
  std::vector<std::uint64_t> kinds;
  for (const SnapshotRow& row : run) {
    const RowKind kind = row.version.death ? RowKind::dead : row.version.fields.empty() ? RowKind::plain : RowKind::changed;
    kinds.push_back(static_cast<std::uint64_t>(kind) + (row.version.seeded ? kSeeded : 0));
  }
  write_numbers(out_, kinds);
  write_generations(run);
  for (const SnapshotRow& row : run) write_version(row.version);
  write_columns(run);
}

void PageWriter::write_generations(std::span<const SnapshotRow> run) {
  stamps_.begin(0);
  for (const SnapshotRow& row : run) stamps_.add(number(row.version.generation.origin), row.version.generation.hlc);
  stamps_.write(out_);
}

void PageWriter::write_version(const RowVersion& v) {
  if (v.death) {
    out_.varint(number(v.death->origin));
    out_.varint(v.death->seq.value);
    return;
  }
  if (v.fields.empty()) return;
  out_.varint(v.fields.size());
  for (const FieldStamp& f : v.fields) {
    out_.varint(f.field);
    out_.varint(number(f.stamp.origin));
    out_.be64(f.stamp.hlc.packed);
  }
}

void PageWriter::write_columns(std::span<const SnapshotRow> run) {
  std::vector<BytesView> keys, values;
  for (const SnapshotRow& row : run) {
    ASSERT(row.key.size() <= limits::kKeyMax && row.values.size() <= limits::kRowMax);
    keys.push_back(row.key);
    if (!row.version.death) values.push_back(row.values);
  }
  columns_.write(out_, keys, model_.key.size());
  if (!values.empty()) columns_.write(out_, values, static_cast<std::size_t>(std::popcount(plain_fields(model_))));
}

}  // namespace

VersionVector SnapshotHead::vector() const {
  VersionVector vector;
  for (const Log& log : logs) vector.join(log.origin, {Rev{}, log.seq, log.hlc});
  return vector;
}

Bytes encode_snapshot_head(const SnapshotHead& head) {
  std::size_t seen = 0;
  for (const SnapshotHead::Log& log : head.logs) seen += log.seen.size();
  const bool with_seen = seen <= kSeenMax;
  ByteWriter out;
  out.u8(kFormat);
  out.u8(with_seen ? 1 : 0);
  out.varint(head.logs.size());
  for (const SnapshotHead::Log& log : head.logs) {
    write_origin(out, log.origin);
    out.varint(log.seq.value);
    out.be64(log.hlc.packed);
    out.raw(log.hash.view());
    if (with_seen) write_vector(out, log.seen);
  }
  return out.take();
}

Bytes encode_snapshot_page(const Schema& schema, ModelIndex model, std::span<const SnapshotRow> rows, const SnapshotRange& range) {
  ASSERT(model < schema.models.size() && schema.models[model].kind == Kind::shared);
  return PageWriter(schema.models[model], rows).encode(range);
}

}  // namespace starling
