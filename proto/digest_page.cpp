#include "proto/digest_page.h"

#include <bit>

#include "core/base/assert.h"

namespace starling {
namespace {

Error corrupt(const char* what) { return {Errc::corrupt, what, "", ""}; }

void write_stamp(ByteWriter& w, const Stamp& stamp) {
  w.be64(stamp.hlc.packed);
  write_origin(w, stamp.origin);
}

Stamp read_stamp(ByteReader& r) {
  const Hlc hlc{r.be64()};
  return {hlc, read_origin(r)};
}

// Fields ascending, none of the key, none with the generation's own stamp: as RowVersion has them.
RowVersion read_version(ByteReader& r, const ModelSchema& m) {
  RowVersion v;
  v.generation = read_stamp(r);
  const std::uint64_t count = r.varint();
  if (count > limits::kFieldsMax) r.set_failed();  // also of fields that are kept beside the row (core/store/kept_fields.h)
  for (std::uint64_t i = 0; i < count && !r.failed(); ++i) {
    const std::uint64_t field = r.varint();
    const Stamp stamp = read_stamp(r);
    const bool next = v.fields.empty() || v.fields.back().field < field;
    if (!next || field >= limits::kFieldsMax || (m.key_fields() >> field & 1) != 0 || stamp == v.generation) r.set_failed();
    else v.fields.push_back({static_cast<FieldIndex>(field), stamp});
  }
  return v;
}

bool is_row_of(const ModelSchema& m, BytesView values) {
  ByteReader r(values);
  for (int left = std::popcount(m.all_fields() & ~m.key_fields()); left > 0; --left) (void)read_value_bytes(r);
  return r.done();
}

}  // namespace

Bytes encode_groups(std::span<const DigestGroup> groups) {
  ByteWriter w;
  w.varint(groups.size());
  for (const DigestGroup& group : groups) {
    w.varint(group.model);
    write_origin(w, group.owner);
    w.raw(group.hash.view());
  }
  return w.take();
}

Expected<std::vector<DigestGroup>> decode_groups(BytesView body, const Schema& schema) {
  ByteReader r(body);
  const std::uint64_t count = r.varint();
  if (count > limits::kDigestsMax) return corrupt("too many digests");
  std::vector<DigestGroup> groups;
  for (std::uint64_t i = 0; i < count && !r.failed(); ++i) {
    const std::uint64_t model = r.varint();
    const Origin owner = read_origin(r);
    const BytesView hash = r.raw(sizeof(Hash128));
    if (r.failed()) break;
    if (model >= schema.models.size()) return corrupt("a digest of no model");
    if ((schema.models[model].kind == Kind::shared) != (owner == Origin{})) return corrupt("a digest of no owner");
    groups.push_back({static_cast<ModelIndex>(model), owner, Hash128::from(hash)});
  }
  if (!r.done()) return corrupt("digests that do not decode");
  return groups;
}

Bytes encode_ranges(const RangeSums& sums) {
  ByteWriter w;
  for (const std::uint64_t sum : sums) w.be64(sum);
  return w.take();
}

Expected<RangeSums> decode_ranges(BytesView body) {
  ByteReader r(body);
  RangeSums sums{};
  for (std::uint64_t& sum : sums) sum = r.be64();
  if (!r.done()) return corrupt("digests of ranges that do not decode");
  return sums;
}

void RepairPageWriter::add(const RepairRow& row) {
  ASSERT(count_ < kRepairRowsMax && !row.version.death);
  ++count_;
  rows_.blob(row.key);
  if (kind_ == Kind::device_owned) {
    rows_.varint(row.rev.value);
  } else {
    write_stamp(rows_, row.version.generation);
    rows_.varint(row.version.fields.size());
    for (const FieldStamp& f : row.version.fields) {
      rows_.varint(f.field);
      write_stamp(rows_, f.stamp);
    }
  }
  rows_.blob(row.values);
}

Bytes RepairPageWriter::finish() const {
  ByteWriter w;
  w.varint(count_);
  w.raw(rows_.bytes());
  return w.take();
}

Expected<std::vector<RepairRow>> decode_repair_rows(BytesView body, const ModelSchema& m) {
  ByteReader r(body);
  const std::uint64_t count = r.varint();
  if (count > kRepairRowsMax) return corrupt("a repair of too many rows");
  std::vector<RepairRow> rows;
  for (std::uint64_t i = 0; i < count && !r.failed(); ++i) {
    RepairRow row;
    row.key = r.blob();
    if (m.kind == Kind::device_owned) row.rev = Rev{r.varint()};
    else row.version = read_version(r, m);
    row.values = r.blob();
    if (r.failed()) break;
    if (row.key.empty() || row.key.size() > limits::kKeyMax || row.values.size() > limits::kRowMax || !is_row_of(m, row.values))
      return corrupt("a repair of no row");
    rows.push_back(std::move(row));
  }
  if (!r.done()) return corrupt("rows of a repair that do not decode");
  return rows;
}

}  // namespace starling
