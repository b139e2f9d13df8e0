#include "core/base/assert.h"
#include "core/base/value.h"
#include "proto/state_page.h"

#include <algorithm>
#include <bit>

#include "proto/model_table.h"
#include "proto/state_page_format.h"

namespace starling {

using namespace state_page_format;

BytesView StatePageWriter::name_of(const StateRow& row) const {
  return row.name.empty() ? BytesView(schema_.models[row.model].name) : row.name;
}

std::uint8_t StatePageWriter::columns_of(const StateRow& row) const {
  if (row.columns) return *row.columns;
  return static_cast<std::uint8_t>(std::popcount(plain_fields(schema_.models[row.model])));
}

std::size_t StatePageWriter::table_of(const StateRow& row) const {
  const BytesView name = name_of(row);
  if (!rows_.empty() && tables_[rows_.back().table].name == name) return rows_.back().table;
  return static_cast<std::size_t>(
      std::find_if(tables_.begin(), tables_.end(), [&](const Table& t) { return t.name == name; }) - tables_.begin());
}

bool StatePageWriter::takes(const StateRow& row) const {
  const std::size_t at = table_of(row);
  return at == tables_.size() || row.deleted || !tables_[at].columns || *tables_[at].columns == columns_of(row);
}

void StatePageWriter::add(const StateRow& row) {
  ASSERT(!row.name.empty() || (row.model < schema_.models.size() && schema_.models[row.model].kind == Kind::device_owned));
  ASSERT(row.rev > (rows_.empty() ? Rev{} : rows_.back().rev) && takes(row));
  ASSERT(row.key.size() <= limits::kKeyMax && row.values.size() <= (row.deleted ? 0 : limits::kRowMax));
  const std::size_t at = table_of(row);
  if (at == tables_.size()) {
    std::uint8_t keys = 0;
    for (ByteReader key(row.key); !key.rest().empty() && !key.failed(); ++keys) (void)read_value_bytes(key);
    if (row.name.empty()) keys = static_cast<std::uint8_t>(schema_.models[row.model].key.size());
    tables_.push_back({Bytes(name_of(row)), keys, std::nullopt});
  }
  if (!row.deleted) tables_[at].columns = columns_of(row);
  else if (row.name.empty() && !tables_[at].columns && !row.columns) tables_[at].columns = columns_of(row);
  const std::size_t key = content_.size();
  content_.append(row.key).append(row.values);
  rows_.push_back({at, row.deleted, row.rev, key, key + row.key.size(), content_.size()});
}

std::size_t StatePageWriter::size() const {
  constexpr std::size_t kHead = 64;    // format, names
  constexpr std::size_t kPerRow = 12;  // revision and, at worst, a run of its own
  return rows_.empty() ? 0 : kHead + content_.size() + kPerRow * rows_.size();
}

Bytes StatePageWriter::finish() {
  ByteWriter out;
  out.u8(kFormat);
  out.varint(tables_.size());
  for (const Table& table : tables_) out.blob(table.name);
  out.varint(rows_.size());
  std::vector<Row> rows;  // of one model
  for (std::size_t number = 0; number < tables_.size(); ++number) {
    rows.clear();
    std::copy_if(rows_.begin(), rows_.end(), std::back_inserter(rows), [&](const Row& row) { return row.table == number; });
    for (Run left = rows; !left.empty(); left = left.subspan(std::min(kRunMax, left.size())))
      write_run(out, left.first(std::min(kRunMax, left.size())));
  }
  rows_.clear();
  tables_.clear();
  content_.clear();
  ASSERT(out.size() <= limits::kFrameMax);
  return out.take();
}

void StatePageWriter::write_run(ByteWriter& out, Run run) {
  const Table& table = tables_[run.front().table];
  out.varint(run.front().table);
  out.u8(static_cast<std::uint8_t>(table.keys - 1));
  out.u8(table.columns.value_or(0));
  out.varint(run.size());
  write_revs(out, run);
  write_deleted(out, run);
  write_columns(out, table, run);
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

void StatePageWriter::write_columns(ByteWriter& out, const Table& table, Run run) {
  const BytesView content = content_;
  std::vector<BytesView> keys, values;
  for (const Row& row : run) {
    keys.push_back(content.substr(row.key, row.values - row.key));
    if (!row.deleted) values.push_back(content.substr(row.values, row.end - row.values));
  }
  columns_.write(out, keys, table.keys);
  if (!values.empty()) columns_.write(out, values, *table.columns);
}

}  // namespace starling
