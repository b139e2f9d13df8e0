#include <algorithm>
#include <bit>
#include <optional>

#include "proto/model_table.h"
#include "proto/snapshot_page.h"
#include "proto/snapshot_page_format.h"
#include "proto/stamp_columns.h"

namespace starling {
namespace {

using namespace snapshot_page_format;

Error corrupt(const char* what) { return {Errc::corrupt, std::string("not a snapshot page: ") + what, "", ""}; }

class PageReader {
 public:
  PageReader(BytesView bytes, const Schema& schema) : size_(bytes.size()), r_(bytes), schema_(schema) {}
  [[nodiscard]] Expected<DecodedSnapshotPage> page();

 private:
  bool read_head();
  void find_model();
  bool read_origins();
  bool read_run(std::size_t total);
  bool read_kinds(std::span<SnapshotRow>);
  bool read_generations(std::span<SnapshotRow>);
  bool read_version(SnapshotRow&, RowKind);
  bool read_fields(RowVersion&);
  void read_rows(std::span<SnapshotRow>);
  [[nodiscard]] const Origin* origin(std::uint64_t number);
  [[nodiscard]] bool keys_ascend() const;

  std::size_t size_;
  ByteReader r_;
  const Schema& schema_;
  const ModelSchema* model_ = nullptr;  // nullptr: none of ours
  BytesView name_;
  std::size_t key_columns_ = 1;
  FieldMask fields_ = 0;  // of the source
  const char* why_ = "";  // not
  Bytes added_;           // values of fields that the source did not have
  SnapshotRange range_;
  std::vector<Origin> origins_;
  std::vector<bool> used_;
  std::vector<std::uint64_t> kinds_;
  StampColumns stamps_;
  std::vector<SnapshotRow> rows_;
  std::vector<BytesView> columns_;
  Arena arena_{limits::kFrameMax};
  Arena grown_{kGrownMax};
};

bool PageReader::read_head() {
  if (size_ > limits::kFrameMax || r_.u8() != kFormat) return false;
  name_ = r_.blob();
  key_columns_ = r_.u8() + std::size_t{1};
  fields_ = r_.varint();
  if (key_columns_ + static_cast<std::size_t>(std::popcount(fields_)) > limits::kFieldsMax) return false;
  const std::uint8_t to_end = r_.u8();
  if (r_.failed() || name_.empty() || name_.size() > limits::kNameMax || to_end > 1) return false;
  range_.to_end = to_end == 1;
  if (!range_.to_end) range_.through = Bytes(r_.blob());
  return !r_.failed() && (range_.to_end || !range_.through.empty()) && range_.through.size() <= limits::kKeyMax;
}

bool PageReader::read_origins() {
  const std::uint64_t count = r_.varint();
  if (r_.failed() || count > limits::kVectorMax) return false;
  for (std::uint64_t i = 0; i < count; ++i) {
    const Origin origin = read_origin(r_);
    if (r_.failed() || (i > 0 && origin <= origins_.back())) return false;
    origins_.push_back(origin);
  }
  used_.assign(origins_.size(), false);
  return true;
}

const Origin* PageReader::origin(std::uint64_t number) {
  if (number >= origins_.size()) return nullptr;
  used_[static_cast<std::size_t>(number)] = true;
  return &origins_[static_cast<std::size_t>(number)];
}

bool PageReader::read_run(std::size_t total) {
  const std::uint64_t count = r_.varint();
  const std::size_t first = rows_.size();
  if (r_.failed() || count != std::min(kRunMax, total - first)) return false;
  rows_.resize(first + static_cast<std::size_t>(count));
  const auto run = std::span(rows_).subspan(first);
  if (!read_kinds(run) || !read_generations(run)) return false;
  for (std::size_t i = 0; i < run.size(); ++i)
    if (!read_version(run[i], static_cast<RowKind>(kinds_[i]))) return false;
  read_rows(run);
  return !r_.failed() && std::all_of(run.begin(), run.end(), [](const SnapshotRow& row) {
    return row.key.size() <= limits::kKeyMax && row.values.size() <= limits::kRowMax;
  });
}

bool PageReader::read_kinds(std::span<SnapshotRow> run) {
  kinds_.resize(run.size());
  read_numbers(r_, kinds_);
  if (r_.failed()) return false;
  for (std::size_t i = 0; i < run.size(); ++i) {
    run[i].version.seeded = (kinds_[i] & kSeeded) != 0;
    kinds_[i] &= ~kSeeded;
    if (kinds_[i] > static_cast<std::uint64_t>(RowKind::dead)) return false;
  }
  return true;
}

bool PageReader::read_generations(std::span<SnapshotRow> run) {
  if (!stamps_.read(r_, run.size(), 0)) return false;
  for (std::size_t i = 0; i < run.size(); ++i) {
    const Origin* author = origin(stamps_.origin(i));
    if (author == nullptr) return false;
    run[i].version.generation = {stamps_.hlc(i), *author};
  }
  return true;
}

bool PageReader::read_version(SnapshotRow& row, RowKind kind) {
  if (kind == RowKind::changed) return read_fields(row.version);
  if (kind == RowKind::plain) return true;
  const Origin* author = origin(r_.varint());
  const Seq seq{r_.varint()};
  if (r_.failed() || author == nullptr || seq == Seq{} || seq.value > limits::kCountMax) return false;
  row.version.death = Death{*author, seq};
  return true;
}

// As RowVersion holds them: ascending, none equal to the generation.
bool PageReader::read_fields(RowVersion& version) {
  const std::uint64_t count = r_.varint();
  if (r_.failed() || count == 0 || count > limits::kFieldsMax) return false;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t field = r_.varint();
    const Origin* author = origin(r_.varint());
    const Hlc hlc{r_.be64()};
    if (r_.failed() || author == nullptr || field >= limits::kFieldsMax || (fields_ >> field & 1) == 0) return false;
    const FieldStamp f{static_cast<FieldIndex>(field), {hlc, *author}};
    if (f.stamp <= version.generation || (i > 0 && f.field <= version.fields.back().field)) return false;
    version.fields.push_back(f);
  }
  return true;
}

void PageReader::read_rows(std::span<SnapshotRow> run) {
  columns_.resize(run.size());
  read_columns(r_, key_columns_, arena_, columns_);
  for (std::size_t i = 0; i < run.size(); ++i) run[i].key = columns_[i];
  columns_.resize(static_cast<std::size_t>(std::count_if(run.begin(), run.end(), [](const SnapshotRow& row) { return !row.version.death; })));
  if (columns_.empty()) return;
  read_columns(r_, static_cast<std::size_t>(std::popcount(fields_)), arena_, columns_);
  if (!added_.empty() && !r_.failed() && !append_to_each(columns_, added_, grown_)) return r_.set_failed();
  auto values = columns_.begin();
  for (SnapshotRow& row : run)
    if (!row.version.death) row.values = *values++;
}

bool PageReader::keys_ascend() const {
  for (std::size_t i = 1; i < rows_.size(); ++i)
    if (rows_[i].key <= rows_[i - 1].key) return false;
  return range_.to_end || rows_.empty() || rows_.back().key <= range_.through;
}

// Also finds what its rows were written without.
void PageReader::find_model() {
  const auto unknown = [&](const char* why) {
    model_ = nullptr;
    why_ = why;
  };
  model_ = schema_.find(name_);
  if (model_ == nullptr) return unknown(unfit::kUnregistered);
  if (model_->kind != Kind::shared) return unknown(unfit::kOwnedHere);
  if (key_columns_ != model_->key.size()) return unknown(unfit::kOtherKey);
  const FieldMask plain = plain_fields(*model_);
  const FieldMask known = fields_ & model_->all_fields();
  const FieldMask beyond = fields_ & ~known;
  const FieldMask from_zero = beyond == 0 ? 0 : beyond >> model_->fields.size();
  if ((known & ~plain) != 0) return unknown(unfit::kOtherKey);
  if (beyond != 0 && (known != plain || (from_zero & (from_zero + 1)) != 0)) return unknown(unfit::kOtherFields);
  std::optional<Bytes> added = model_->values_added_since(known);
  if (!added) return unknown(unfit::kNoDefault);
  added_ = std::move(*added);
}

Expected<DecodedSnapshotPage> PageReader::page() {
  if (!read_head()) return corrupt("its head is malformed");
  find_model();
  if (!read_origins()) return corrupt("its origins are malformed");
  const std::uint64_t total = r_.varint();
  if (r_.failed() || total > size_) return corrupt("it counts more rows than it can hold");
  rows_.reserve(static_cast<std::size_t>(total));
  while (rows_.size() < total)
    if (!read_run(static_cast<std::size_t>(total))) return corrupt("a run of rows is malformed");
  const bool used = std::all_of(used_.begin(), used_.end(), [](bool one) { return one; });
  if (!r_.done() || !used) return corrupt("its end is malformed");
  if (!keys_ascend()) return corrupt("its keys are not in order");
  const ModelIndex model = model_ != nullptr ? schema_.index_of(*model_) : static_cast<ModelIndex>(schema_.models.size());
  const FieldMask fields = model_ != nullptr ? fields_ | plain_fields(*model_) : fields_;
  return DecodedSnapshotPage{model, {name_, why_}, fields, std::move(range_), std::move(rows_), std::move(arena_), std::move(grown_)};
}

}  // namespace

Expected<SnapshotHead> decode_snapshot_head(BytesView bytes) {
  ByteReader r(bytes);
  SnapshotHead head;
  const bool good = r.u8() == kFormat;
  const std::uint8_t with_seen = r.u8();
  const std::uint64_t count = r.varint();
  if (!good || with_seen > 1 || count > limits::kVectorMax) return corrupt("its head is malformed");
  for (std::uint64_t i = 0; i < count && !r.failed(); ++i) {
    SnapshotHead::Log log;
    log.origin = read_origin(r);
    log.seq = Seq{r.varint()};
    log.hlc = Hlc{r.be64()};
    const BytesView hash = r.raw(16);
    if (with_seen == 1) log.seen = read_vector(r);
    if (r.failed() || log.seq == Seq{} || log.seq.value > limits::kCountMax || log.hlc == Hlc{} ||
        (i > 0 && log.origin <= head.logs.back().origin))
      return corrupt("a log in its head is malformed");
    log.hash = Hash128::from(hash);
    head.logs.push_back(std::move(log));
  }
  if (!r.done()) return corrupt("its head is malformed");
  return head;
}

Expected<DecodedSnapshotPage> decode_snapshot_page(BytesView bytes, const Schema& schema) {
  return PageReader(bytes, schema).page();
}

}  // namespace starling
