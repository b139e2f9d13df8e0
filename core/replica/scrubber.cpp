#include "core/replica/scrubber.h"

#include <algorithm>

#include "core/store/digest_table.h"
#include "core/store/row_store.h"

namespace starling {
namespace {

constexpr Duration kSoonest = std::chrono::milliseconds(20);

std::string keys_sql(const ModelSchema& m, bool from_the_first) {
  std::string keys, marks;
  for (const FieldIndex i : m.key) {
    keys += (keys.empty() ? "" : ",") + quote_identifier(m.fields[i].name);
    marks += marks.empty() ? "?" : ",?";
  }
  return "SELECT " + keys + " FROM main." + quote_identifier(m.name) +
         (from_the_first ? "" : " WHERE (" + keys + ") > (" + marks + ")") + " ORDER BY " + keys;
}

}  // namespace

Duration Scrubber::between_slices() const {
  const std::uint64_t expected = 2 * (store_.digests().rows() / limits::kScrubRows + store_.schema().models.size());
  return std::max(kSoonest, pass_ / static_cast<std::int64_t>(std::max({expected, slices_before_, std::uint64_t{1}})));
}

void Scrubber::resume() {
  model_ = 0;
  rows_ = false;
  after_.clear();
  Statement select(store_.handle(), "SELECT value FROM sync_meta WHERE name='scrub'");
  if (!select.step()) return;
  ByteReader saved(select.column_bytes(0));
  const ModelSchema* model = schema_->find(saved.blob());
  const bool rows = saved.u8() != 0;
  if (model == nullptr || saved.failed()) return;
  model_ = schema_->index_of(*model);
  rows_ = rows;
  after_ = saved.rest();
}

void Scrubber::save() {
  if (!schema_ || schema_->models.empty()) return;
  ByteWriter w;
  w.blob(schema_->models[model_].name);
  w.u8(rows_ ? 1 : 0);
  w.raw(after_);
  Statement(store_.handle(), "INSERT OR REPLACE INTO sync_meta(name, value) VALUES('scrub', ?)").blob(w.bytes()).run();
}

std::vector<Damage> Scrubber::slice() {
  std::vector<Damage> found;
  if (schema_ != store_.shared_schema()) {  // a migration: places in the schema mean something else
    schema_ = store_.shared_schema();
    resume();
  }
  if (schema_->models.empty()) return found;
  ++slices_;
  if (!(rows_ ? read_rows(found) : read_versions(found))) return found;
  after_.clear();
  if (rows_ && ++model_ == schema_->models.size()) {
    model_ = 0;
    slices_before_ = std::exchange(slices_, 0);
  }
  rows_ = !rows_;
  return found;
}

bool Scrubber::read_versions(std::vector<Damage>& found) {
  std::size_t rows = 0;
  std::size_t bytes = 0;
  bool ended = true;
  store_.rows().scan(model_, Bytes(after_), [&](const ScannedRow& row) {
    if (rows == limits::kScrubRows || bytes >= limits::kScrubBytes) {
      ended = false;
      return false;
    }
    ++rows;
    bytes += row.values ? row.values->size() : 0;
    after_.assign(row.key);
    if (!row.good) found.push_back({model_, Bytes(row.key), row.owner, row.deleted, damage_of(row)});
    return true;
  });
  return ended;
}

bool Scrubber::read_rows(std::vector<Damage>& found) {
  const ModelSchema& m = schema_->models[model_];
  Statement keys(store_.handle(), keys_sql(m, after_.empty()));
  const Bytes after = after_;
  if (!after.empty()) keys.values(after);
  for (std::size_t rows = 0; keys.step(); ++rows) {
    if (rows == limits::kScrubRows) return false;
    ByteWriter key;
    for (int i = 0; i < keys.columns(); ++i) write_value(key, keys.column_value(i));
    after_ = key.take();
    if (!store_.rows().is_known(model_, after_)) found.push_back({model_, after_, {}, true, "was written behind the engine's back"});
  }
  return true;
}

}  // namespace starling
