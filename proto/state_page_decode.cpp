#include <algorithm>
#include <bit>
#include <optional>

#include "proto/model_table.h"
#include "proto/state_page.h"
#include "proto/state_page_format.h"

namespace starling {
namespace {

using namespace state_page_format;

Error corrupt(const char* what) { return {Errc::corrupt, std::string("not a state page: ") + what, "", ""}; }

std::size_t plain_count(const ModelSchema& m) { return static_cast<std::size_t>(std::popcount(plain_fields(m))); }

// Reads on past what the schema lacks: whether bytes are a page must not depend on who asks.
class PageReader {
 public:
  PageReader(BytesView body, Rev from, Rev to, const Schema& schema)
      : size_(body.size()), r_(body), from_(from), to_(to), schema_(schema) {}

  [[nodiscard]] Expected<DecodedStatePage> page();

 private:
  struct Run {
    std::size_t model = 0;
    std::size_t key_columns = 1;
    std::size_t value_columns = 0;
    std::size_t count = 0;
  };

  bool read_run(std::size_t total);
  bool read_run_head();
  bool read_revs(std::span<StateRow>);
  bool read_deleted(std::span<StateRow>);
  void read_rows(std::span<StateRow>);
  [[nodiscard]] ModelIndex model_of_run(bool all_deleted);
  void name_models(std::span<StateRow>);
  [[nodiscard]] bool order_rows();

  std::size_t size_;
  ByteReader r_;
  Rev from_, to_;
  const Schema& schema_;
  std::vector<NamedModel> models_;
  Run run_;
  std::size_t models_used_ = 0;
  Rev model_began_;  // the first revision of the model that is being read
  std::vector<StateRow> rows_;
  Arena arena_{limits::kFrameMax};
  std::vector<BytesView> columns_;
  std::vector<std::uint64_t> steps_;
  Arena grown_{kGrownMax};             // those rows, with them
  Bytes added_;                        // values of fields that the rows of this run were written without
  std::vector<UnknownModel> unknown_;
};

// Models follow each other in order of appearance, each in full runs and a last one.
bool PageReader::read_run_head() {
  const Run before = run_;
  const std::uint64_t model = r_.varint();
  run_.key_columns = r_.u8() + std::size_t{1};
  run_.value_columns = r_.u8();
  const std::uint64_t count = r_.varint();
  if (r_.failed() || count == 0 || count > kRunMax) return false;
  if (run_.key_columns + run_.value_columns > limits::kFieldsMax) return false;
  run_.count = static_cast<std::size_t>(count);
  run_.model = static_cast<std::size_t>(std::min<std::uint64_t>(model, models_.size()));
  if (run_.model == models_used_ && model < models_.size()) {
    ++models_used_;
    return true;
  }
  return models_used_ > 0 && run_.model == before.model && before.count == kRunMax &&
         run_.key_columns == before.key_columns && run_.value_columns == before.value_columns;
}

bool PageReader::read_run(std::size_t total) {
  const std::size_t first = rows_.size();
  const std::size_t models_before = models_used_;
  if (!read_run_head() || run_.count > total - first) return false;
  rows_.resize(first + run_.count);
  const auto run = std::span(rows_).subspan(first);
  if (!read_revs(run) || !read_deleted(run)) return false;
  name_models(run);
  const bool new_model = models_used_ != models_before;
  if (first > 0 && run.front().rev <= (new_model ? model_began_ : rows_[first - 1].rev)) return false;
  if (new_model) model_began_ = run.front().rev;
  read_rows(run);
  return !r_.failed() && std::all_of(run.begin(), run.end(), [](const StateRow& row) {
    return row.key.size() <= limits::kKeyMax && row.values.size() <= limits::kRowMax;
  });
}

bool PageReader::read_revs(std::span<StateRow> run) {
  Rev rev{r_.varint()};
  steps_.resize(run.size() - 1);
  read_numbers(r_, steps_);
  if (r_.failed() || rev <= from_ || rev > to_) return false;
  run.front().rev = rev;
  for (std::size_t i = 1; i < run.size(); ++i) {
    if (steps_[i - 1] >= to_.value - rev.value) return false;
    rev.value += steps_[i - 1] + 1;
    run[i].rev = rev;
  }
  return true;
}

bool PageReader::read_deleted(std::span<StateRow> run) {
  const std::uint8_t deleted = r_.u8();
  if (deleted > static_cast<std::uint8_t>(Deleted::some)) return false;
  if (deleted != static_cast<std::uint8_t>(Deleted::some)) {
    for (StateRow& row : run) row.deleted = deleted == static_cast<std::uint8_t>(Deleted::all);
    return !r_.failed();
  }
  const BytesView bits = r_.raw((run.size() + 7) / 8);
  if (r_.failed()) return false;
  std::size_t count = 0;
  for (std::size_t i = 0; i < run.size(); ++i) {
    run[i].deleted = (static_cast<std::uint8_t>(bits[i / 8]) >> i % 8 & 1) != 0;
    count += run[i].deleted ? 1 : 0;
  }
  const bool clean = run.size() % 8 == 0 || static_cast<std::uint8_t>(bits.back()) >> run.size() % 8 == 0;
  return clean && count > 0 && count < run.size();
}

void PageReader::read_rows(std::span<StateRow> run) {
  columns_.resize(run.size());
  read_columns(r_, run_.key_columns, arena_, columns_);
  for (std::size_t i = 0; i < run.size(); ++i) run[i].key = columns_[i];
  columns_.resize(
      static_cast<std::size_t>(std::count_if(run.begin(), run.end(), [](const StateRow& r) { return !r.deleted; })));
  if (columns_.empty()) return;
  read_columns(r_, run_.value_columns, arena_, columns_);
  if (!added_.empty() && !r_.failed() && !append_to_each(columns_, added_, grown_)) return r_.set_failed();
  auto values = columns_.begin();
  for (StateRow& row : run) {
    if (!row.deleted) row.values = *values++;
  }
}

void PageReader::name_models(std::span<StateRow> run) {
  const ModelIndex model = model_of_run(std::all_of(run.begin(), run.end(), [](const StateRow& r) { return r.deleted; }));
  const bool as_here = model < schema_.models.size() && run_.value_columns <= plain_count(schema_.models[model]);
  for (StateRow& row : run) {
    row.model = model;
    if (!as_here) row.columns = static_cast<std::uint8_t>(run_.value_columns);
  }
}

// Also finds what its rows were written without.
ModelIndex PageReader::model_of_run(bool all_deleted) {
  added_.clear();
  const NamedModel& named = models_[run_.model];
  const auto unknown = [&](const char* why) { return unknown_model(unknown_, schema_, named.name, why); };
  if (named.schema == nullptr) return unknown(unfit::kUnregistered);
  const ModelSchema& model = *named.schema;
  if (model.kind != Kind::device_owned) return unknown(unfit::kSharedHere);
  if (run_.key_columns != model.key.size()) return unknown(unfit::kOtherKey);
  if (all_deleted || run_.value_columns >= plain_count(model)) return schema_.index_of(model);
  FieldMask fields = plain_fields(model);
  while (static_cast<std::size_t>(std::popcount(fields)) > run_.value_columns) fields &= ~std::bit_floor(fields);
  std::optional<Bytes> added = model.values_added_since(fields);  // the owner did not have these yet
  if (!added) return unknown(unfit::kNoDefault);
  added_ = std::move(*added);
  return schema_.index_of(model);
}

// Models came one after the other; their revisions interleave. False: one occurs twice.
bool PageReader::order_rows() {
  const auto by_rev = [](const StateRow& a, const StateRow& b) { return a.rev < b.rev; };
  if (models_.size() > 1) std::sort(rows_.begin(), rows_.end(), by_rev);
  return std::adjacent_find(rows_.begin(), rows_.end(), [](const auto& a, const auto& b) { return a.rev >= b.rev; }) ==
         rows_.end();
}

Expected<DecodedStatePage> PageReader::page() {
  if (size_ > limits::kFrameMax || r_.u8() != kFormat) return corrupt("its head is malformed");
  models_ = read_model_table(r_, schema_);
  const std::uint64_t total = r_.varint();
  if (r_.failed()) return corrupt("its models are malformed");
  if (total > size_) return corrupt("it counts more rows than it can hold");  // keys are distinct: at least a byte each
  rows_.reserve(static_cast<std::size_t>(total));
  while (rows_.size() < total) {
    if (!read_run(static_cast<std::size_t>(total))) return corrupt("a run of rows is malformed");
  }
  if (!r_.done() || models_used_ != models_.size()) return corrupt("its end is malformed");
  if (!order_rows()) return corrupt("two rows have one revision");
  return DecodedStatePage{std::move(rows_), std::move(unknown_), std::move(arena_), std::move(grown_)};
}

}  // namespace

Expected<DecodedStatePage> decode_state_page(BytesView body, Rev from, Rev to, const Schema& schema) {
  return PageReader(body, from, to, schema).page();
}

}  // namespace starling
