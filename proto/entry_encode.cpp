#include <algorithm>
#include <bit>
#include <set>

#include "core/base/assert.h"
#include "proto/entry.h"
#include "proto/entry_format.h"
#include "proto/model_table.h"
#include "proto/stamp_columns.h"

namespace starling {
namespace {

using namespace entry_format;

Error too_large(const std::string& how) {
  return {Errc::too_large, "the shared changes of one transaction exceed " + how, "",
          "write the rows in several transactions; each appears at once on every device"};
}
Error too_many_bytes() { return too_large(std::to_string(limits::kEntryMax / limits::MiB) + " MiB"); }

bool same_shape(const Change& a, const Change& b) {
  return a.model == b.model && a.op == b.op && is_seed(a) == is_seed(b) && a.fields == b.fields;
}

class EntryWriter {
 public:
  EntryWriter(const EntryHeader& header, const std::vector<Change>& changes, const Schema& schema)
      : header_(header), changes_(changes), schema_(schema) {}

  Bytes encode() {
    collect_origins();
    collect_models();
    write_header();
    for (std::size_t first = 0; first < changes_.size();) first = write_run(first);
    out_.varint(0);                          // no signature
    ASSERT(out_.size() >= changes_.size());  // keys are distinct; readers count on it
    return out_.take();
  }

 private:
  void collect_origins();
  void collect_models();
  void write_header();
  std::size_t write_run(std::size_t first);  // gives the first change behind it
  void write_generations(std::span<const Change> run);
  [[nodiscard]] Run head_of(const Change&) const;  // all but the count
  [[nodiscard]] std::uint64_t origin_index(const Origin&) const;

  const EntryHeader& header_;
  const std::vector<Change>& changes_;
  const Schema& schema_;
  std::vector<Origin> dependencies_, others_;  // ascending
  std::vector<ModelIndex> models_;             // in order of appearance
  ByteWriter out_;
  ColumnWriter columns_;
  std::vector<BytesView> rows_;
  StampColumns stamps_;
};

void EntryWriter::collect_origins() {
  for (const auto& [origin, position] : header_.dependencies) {
    if (origin != header_.origin && position.seq != Seq{}) dependencies_.push_back(origin);
  }
  std::set<Origin> others;
  const Origin* before = &header_.origin;  // neighbours mostly agree
  for (const Change& change : changes_) {
    if (is_seed(change)) continue;
    const Origin& origin = change.generation.origin;
    if (origin == *before || origin == header_.origin) continue;
    if (!std::binary_search(dependencies_.begin(), dependencies_.end(), origin)) others.insert(origin);
    before = &origin;
  }
  others_.assign(others.begin(), others.end());
  ASSERT(dependencies_.size() <= limits::kVectorMax && others_.size() <= limits::kVectorMax);
}

void EntryWriter::collect_models() {
  for (const Change& change : changes_) {
    ASSERT(change.model < schema_.models.size() && schema_.models[change.model].kind == Kind::shared);
    if (std::find(models_.begin(), models_.end(), change.model) == models_.end()) models_.push_back(change.model);
  }
}

void EntryWriter::write_header() {
  ASSERT(header_.seq != Seq{} && header_.hlc != Hlc{});
  ASSERT(header_.seq != Seq{1} || header_.previous.is_zero());
  out_.u8(kFormat);
  write_origin(out_, header_.origin);
  out_.varint(header_.seq.value);
  out_.be64(header_.hlc.packed);
  out_.raw(header_.previous.view());
  out_.varint(dependencies_.size());
  for (const Origin& origin : dependencies_) {
    const Position position = header_.dependencies.at(origin);
    ASSERT(position.is_valid());
    write_origin(out_, origin);
    out_.varint(position.seq.value);
    out_.be64(position.hlc.packed);
  }
  out_.varint(others_.size());
  for (const Origin& origin : others_) write_origin(out_, origin);
  write_model_table(out_, schema_, models_);
  out_.varint(changes_.size());
}

Run EntryWriter::head_of(const Change& change) const {
  const ModelSchema& model = schema_.models[change.model];
  const FieldMask plain = plain_fields(model);
  switch (change.op) {
    case Op::insert: ASSERT(change.fields == plain); break;
    case Op::update: ASSERT(change.fields != 0 && (change.fields & ~plain) == 0); break;
    case Op::erase: ASSERT(change.fields == 0); break;
  }
  const auto table_index = std::find(models_.begin(), models_.end(), change.model) - models_.begin();
  return {static_cast<std::uint64_t>(table_index), change.op, model.key.size(), change.fields, 0, is_seed(change)};
}

std::size_t EntryWriter::write_run(std::size_t first) {
  Run run = head_of(changes_[first]);
  std::size_t end = first + 1;
  while (end < changes_.size() && end - first < kRunMax && same_shape(changes_[first], changes_[end])) ++end;
  run.count = end - first;
  out_.varint(run.model << 2 | (run.seeds ? kSeedOp : static_cast<std::uint64_t>(run.op)));
  out_.u8(static_cast<std::uint8_t>(run.key_columns - 1));
  if (run.op != Op::erase) out_.varint(run.fields);
  out_.varint(run.count);
  const auto changes = std::span(changes_).subspan(first, run.count);
  for (const Change& change : changes) {
    ASSERT(change.key.size() <= limits::kKeyMax && change.values.size() <= limits::kRowMax);
    ASSERT(run.op != Op::insert || run.seeds || change.generation == header_.stamp());
  }
  if (run.op != Op::insert) write_generations(changes);
  rows_.clear();
  for (const Change& change : changes) rows_.push_back(change.key);
  columns_.write(out_, rows_, run.key_columns);
  rows_.clear();
  for (const Change& change : changes) rows_.push_back(change.values);
  columns_.write(out_, rows_, static_cast<std::size_t>(std::popcount(run.fields)));
  return end;
}

void EntryWriter::write_generations(std::span<const Change> run) {
  stamps_.begin(header_.hlc.ms());
  for (const Change& change : run) stamps_.add(origin_index(change.generation.origin), change.generation.hlc);
  stamps_.write(out_);
}

std::uint64_t EntryWriter::origin_index(const Origin& origin) const {
  if (origin == header_.origin) return 0;
  std::uint64_t index = 1;
  for (const auto* table : {&dependencies_, &others_}) {
    const auto at = std::lower_bound(table->begin(), table->end(), origin);
    if (at != table->end() && *at == origin) return index + static_cast<std::uint64_t>(at - table->begin());
    index += table->size();
  }
  ASSERT(false);
  return 0;
}

}  // namespace

Expected<Bytes> encode_entry(const EntryHeader& header, const std::vector<Change>& changes, const Schema& schema) {
  std::size_t content = 0;
  for (const Change& change : changes) content += change.key.size() + change.values.size();
  if (changes.size() > limits::kChangesPerEntryMax)
    return too_large(std::to_string(limits::kChangesPerEntryMax) + " rows: it has " + std::to_string(changes.size()));
  if (content > limits::kEntryMax) return too_many_bytes();
  Bytes bytes = EntryWriter(header, changes, schema).encode();
  if (bytes.size() > limits::kEntryMax) return too_many_bytes();
  return bytes;
}

}  // namespace starling
