#include "core/base/assert.h"
#include "proto/state_page.h"

#include <algorithm>
#include <bit>

#include "proto/model_table.h"
#include "proto/state_page_format.h"

namespace starling {

using namespace state_page_format;

void StatePageWriter::add(const StateRow& row) {
  ASSERT(row.model < schema_.models.size() && schema_.models[row.model].kind == Kind::device_owned);
  ASSERT(row.rev > (rows_.empty() ? Rev{} : rows_.back().rev));
  ASSERT(row.key.size() <= limits::kKeyMax && row.values.size() <= (row.deleted ? 0 : limits::kRowMax));
  const std::size_t key = content_.size();
  content_.append(row.key).append(row.values);
  rows_.push_back({row.model, row.deleted, row.rev, key, key + row.key.size(), content_.size()});
}

std::size_t StatePageWriter::size() const {
  constexpr std::size_t kHead = 64;    // format, names
  constexpr std::size_t kPerRow = 12;  // revision and, at worst, a run of its own
  return rows_.empty() ? 0 : kHead + content_.size() + kPerRow * rows_.size();
}

Bytes StatePageWriter::finish() {
  ByteWriter out;
  out.u8(kFormat);
  const std::vector<ModelIndex> tables = models();
  write_model_table(out, schema_, tables);
  out.varint(rows_.size());
  std::vector<Row> rows;  // of one model
  for (std::size_t number = 0; number < tables.size(); ++number) {
    rows.clear();
    std::copy_if(rows_.begin(), rows_.end(), std::back_inserter(rows),
                 [&](const Row& row) { return row.model == tables[number]; });
    for (Run left = rows; !left.empty(); left = left.subspan(std::min(kRunMax, left.size()))) {
      write_run(out, number, left.first(std::min(kRunMax, left.size())));
    }
  }
  rows_.clear();
  content_.clear();
  ASSERT(out.size() <= limits::kFrameMax);
  return out.take();
}

std::vector<ModelIndex> StatePageWriter::models() const {
  std::vector<ModelIndex> models;
  for (const Row& row : rows_) {
    if (std::find(models.begin(), models.end(), row.model) == models.end()) models.push_back(row.model);
  }
  return models;
}

void StatePageWriter::write_run(ByteWriter& out, std::size_t model_number, Run run) {
  const ModelSchema& model = schema_.models[run.front().model];
  out.varint(model_number);
  out.u8(static_cast<std::uint8_t>(model.key.size() - 1));
  out.u8(static_cast<std::uint8_t>(std::popcount(plain_fields(model))));
  out.varint(run.size());
  write_revs(out, run);
  write_deleted(out, run);
  write_columns(out, model, run);
}

// Each next revision less the least that it can be, so that rows of one commit differ by zero.
void StatePageWriter::write_revs(ByteWriter& out, Run run) {
  out.varint(run.front().rev.value);
  std::vector<std::uint64_t> steps;
  for (std::size_t i = 1; i < run.size(); ++i) steps.push_back(run[i].rev.value - run[i - 1].rev.value - 1);
  write_numbers(out, steps);
}

void StatePageWriter::write_deleted(ByteWriter& out, Run run) {
  const auto count =
      static_cast<std::size_t>(std::count_if(run.begin(), run.end(), [](const Row& r) { return r.deleted; }));
  const Deleted deleted = count == 0 ? Deleted::none : count == run.size() ? Deleted::all : Deleted::some;
  out.u8(static_cast<std::uint8_t>(deleted));
  if (deleted != Deleted::some) return;
  Bytes bits((run.size() + 7) / 8, '\0');
  for (std::size_t i = 0; i < run.size(); ++i) {
    if (run[i].deleted) bits[i / 8] = static_cast<char>(bits[i / 8] | (1 << i % 8));
  }
  out.raw(bits);
}

void StatePageWriter::write_columns(ByteWriter& out, const ModelSchema& model, Run run) {
  const BytesView content = content_;
  std::vector<BytesView> keys, values;
  for (const Row& row : run) {
    keys.push_back(content.substr(row.key, row.values - row.key));
    if (!row.deleted) values.push_back(content.substr(row.values, row.end - row.values));
  }
  columns_.write(out, keys, model.key.size());
  if (!values.empty()) columns_.write(out, values, static_cast<std::size_t>(std::popcount(plain_fields(model))));
}

}  // namespace starling
