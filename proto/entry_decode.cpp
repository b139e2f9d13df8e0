#include <algorithm>
#include <bit>
#include <optional>

#include "proto/entry.h"
#include "proto/entry_format.h"
#include "proto/model_table.h"
#include "proto/stamp_columns.h"

namespace starling {
namespace {

using namespace entry_format;

Error corrupt(const char* what) { return {Errc::corrupt, std::string("not a log entry: ") + what, "", ""}; }

// Whether the mask, which is not empty, is bits first, first+1, … without a gap.
bool is_unbroken(FieldMask mask, std::size_t first) {
  const FieldMask from_zero = mask >> first;
  return (from_zero & (from_zero + 1)) == 0;
}

// Reads on past what the schema lacks: whether bytes are an entry must not depend on who asks.
class EntryReader {
 public:
  EntryReader(BytesView bytes, const Schema& schema) : size_(bytes.size()), r_(bytes), schema_(schema) {}

  [[nodiscard]] Expected<EntryHeader> header();
  [[nodiscard]] Expected<DecodedEntry> entry();

 private:
  bool read_header();
  bool read_dependencies();
  bool read_other_origins();
  bool read_run(std::size_t total);
  bool read_run_head();
  bool read_generations(std::span<Change>);
  void read_rows(std::span<Change>);
  bool read_end();
  [[nodiscard]] ModelIndex model_of_run();

  std::size_t size_;
  ByteReader r_;
  const Schema& schema_;
  EntryHeader header_;
  std::vector<Origin> origins_;  // the author, the dependencies, the others
  std::size_t others_ = 0;       // where the others begin
  std::vector<bool> used_;       // origins that a generation refers to
  std::vector<NamedModel> models_;
  std::size_t models_used_ = 0;
  Run run_;
  std::vector<Change> changes_;
  Arena arena_{limits::kEntryMax};
  std::vector<BytesView> rows_;
  StampColumns stamps_;
  Arena grown_{kGrownEntryMax};        // those rows, with them
  Bytes added_;                        // values of fields that the inserts of this run were written without
  std::vector<UnknownModel> unknown_;
};

bool EntryReader::read_header() {
  if (size_ > limits::kEntryMax || r_.u8() != kFormat) return false;
  header_.origin = read_origin(r_);
  header_.seq = Seq{r_.varint()};
  header_.hlc = Hlc{r_.be64()};
  const BytesView previous = r_.raw(16);
  if (r_.failed() || header_.seq == Seq{} || header_.hlc == Hlc{}) return false;
  header_.previous = Hash128::from(previous);
  if (header_.seq == Seq{1} && !header_.previous.is_zero()) return false;
  origins_.push_back(header_.origin);
  return read_dependencies();
}

bool EntryReader::read_dependencies() {
  const std::uint64_t count = r_.varint();
  if (count > limits::kVectorMax) return false;
  for (std::uint64_t i = 0; i < count; ++i) {
    const Origin origin = read_origin(r_);
    const Seq seq{r_.varint()};
    const Position position{Rev{}, seq, Hlc{r_.be64()}};
    if (r_.failed() || seq == Seq{} || !position.is_valid() || origin == header_.origin) return false;
    if (i > 0 && origin <= origins_.back()) return false;
    header_.dependencies.join(origin, position);
    origins_.push_back(origin);
  }
  others_ = origins_.size();
  return !r_.failed();
}

bool EntryReader::read_other_origins() {
  const std::uint64_t count = r_.varint();
  if (count > limits::kVectorMax) return false;
  for (std::uint64_t i = 0; i < count; ++i) {
    const Origin origin = read_origin(r_);
    const auto dependencies = std::span(origins_).subspan(1, others_ - 1);
    if (r_.failed() || origin == header_.origin || (i > 0 && origin <= origins_.back()) ||
        std::binary_search(dependencies.begin(), dependencies.end(), origin)) {
      return false;
    }
    origins_.push_back(origin);
  }
  used_.assign(origins_.size(), false);
  return !r_.failed();
}

bool EntryReader::read_run_head() {
  const Run before = run_;
  const std::uint64_t model_and_op = r_.varint();
  run_.model = model_and_op >> 2;
  run_.seeds = (model_and_op & 3) == kSeedOp;
  run_.op = run_.seeds ? Op::insert : static_cast<Op>(model_and_op & 3);
  run_.key_columns = r_.u8() + std::size_t{1};
  run_.fields = run_.op == Op::erase ? 0 : r_.varint();
  const std::uint64_t count = r_.varint();
  if (r_.failed()) return false;
  if (run_.key_columns > limits::kFieldsMax || count == 0 || count > kRunMax) return false;
  run_.count = static_cast<std::size_t>(count);
  if (run_.op == Op::update && run_.fields == 0) return false;
  if (run_.model > models_used_ || run_.model >= models_.size()) return false;  // models stand in order of appearance
  models_used_ = std::max(models_used_, static_cast<std::size_t>(run_.model) + 1);
  return !run_.continues(before) || before.count % kRunMax == 0;  // else it would have been the same run
}

bool EntryReader::read_run(std::size_t total) {
  if (!read_run_head() || run_.count > total - changes_.size()) return false;
  const std::size_t first = changes_.size();
  changes_.resize(first + run_.count, {model_of_run(), run_.op, run_.seeds ? Stamp{} : header_.stamp(), {}, run_.fields, {}});
  const auto run = std::span(changes_).subspan(first);
  if (run_.op != Op::insert && !read_generations(run)) return false;
  read_rows(run);
  return !r_.failed() && std::all_of(run.begin(), run.end(), [](const Change& c) {
    return c.key.size() <= limits::kKeyMax && c.values.size() <= limits::kRowMax;
  });
}

bool EntryReader::read_generations(std::span<Change> run) {
  if (!stamps_.read(r_, run.size(), header_.hlc.ms())) return false;
  for (std::size_t i = 0; i < run.size(); ++i) {
    if (stamps_.origin(i) >= origins_.size()) return false;
    const auto number = static_cast<std::size_t>(stamps_.origin(i));
    used_[number] = true;
    run[i].generation = {stamps_.hlc(i), origins_[number]};
  }
  return true;
}

void EntryReader::read_rows(std::span<Change> run) {
  rows_.resize(run.size());
  read_columns(r_, run_.key_columns, arena_, rows_);
  for (std::size_t i = 0; i < run.size(); ++i) run[i].key = rows_[i];
  read_columns(r_, static_cast<std::size_t>(std::popcount(run_.fields)), arena_, rows_);
  const bool grows = run_.op == Op::insert && !added_.empty() && !r_.failed();
  if (grows && !append_to_each(rows_, added_, grown_)) return r_.set_failed();
  for (std::size_t i = 0; i < run.size(); ++i) run[i].values = rows_[i];
  if (!grows) return;
  for (Change& c : run) c.fields = plain_fields(schema_.models[c.model]);
}

bool EntryReader::read_end() {
  if (r_.blob().size() > kSignatureMax) return false;
  const auto others = used_.begin() + static_cast<std::ptrdiff_t>(others_);
  return r_.done() && models_used_ == models_.size() &&
         std::all_of(others, used_.end(), [](bool used) { return used; });
}

// Also finds what its inserts were written without.
ModelIndex EntryReader::model_of_run() {
  added_.clear();
  const NamedModel& named = models_[run_.model];
  const auto unknown = [&](const char* why) { return unknown_model(unknown_, schema_, named.name, why); };
  if (named.schema == nullptr) return unknown(unfit::kUnregistered);
  const ModelSchema& model = *named.schema;
  if (model.kind != Kind::shared) return unknown(unfit::kOwnedHere);
  if (run_.key_columns != model.key.size()) return unknown(unfit::kOtherKey);
  const FieldMask plain = plain_fields(model);
  const FieldMask known = run_.fields & model.all_fields();
  if ((known & ~plain) != 0) return unknown(unfit::kOtherKey);
  if (run_.op != Op::insert) return schema_.index_of(model);
  const FieldMask beyond = run_.fields & ~known;  // of an author who has more fields, and then all of ours
  if (beyond != 0 && (known != plain || !is_unbroken(beyond, model.fields.size()))) return unknown(unfit::kOtherFields);
  std::optional<Bytes> added = model.values_added_since(known);  // the author did not have these yet
  if (!added) return unknown(unfit::kNoDefault);
  added_ = std::move(*added);
  return schema_.index_of(model);
}

Expected<EntryHeader> EntryReader::header() {
  if (!read_header()) return corrupt("its head is malformed");
  return std::move(header_);
}

Expected<DecodedEntry> EntryReader::entry() {
  if (!read_header()) return corrupt("its head is malformed");
  if (!read_other_origins()) return corrupt("its origins are malformed");
  models_ = read_model_table(r_, schema_);
  const std::uint64_t total = r_.varint();
  if (r_.failed()) return corrupt("its models are malformed");
  // Keys are distinct, so a change takes at least a byte.
  if (total > std::min(limits::kChangesPerEntryMax, size_)) return corrupt("it counts more changes than it can hold");
  changes_.reserve(static_cast<std::size_t>(total));
  while (changes_.size() < total) {
    if (!read_run(static_cast<std::size_t>(total))) return corrupt("a run of changes is malformed");
  }
  if (!read_end()) return corrupt("its end is malformed");
  return DecodedEntry{std::move(header_), std::move(changes_), std::move(unknown_), std::move(arena_), std::move(grown_)};
}

}  // namespace

Expected<EntryHeader> decode_entry_header(BytesView bytes) { return EntryReader(bytes, Schema()).header(); }

Expected<DecodedEntry> decode_entry(BytesView bytes, const Schema& schema) {
  return EntryReader(bytes, schema).entry();
}

}  // namespace starling
