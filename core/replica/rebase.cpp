#include "core/replica/rebase.h"

#include <algorithm>
#include <iterator>
#include <map>

#include "core/base/assert.h"
#include "core/base/planted_bug.h"
#include "core/replica/applier.h"
#include "core/replica/seeds.h"
#include "core/replica/stamper.h"
#include "core/replica/transaction_manager.h"
#include "core/store/capture.h"
#include "core/store/conflict_log.h"
#include "core/store/origin_table.h"
#include "core/store/peer_log.h"
#include "core/store/row_store.h"
#include "core/store/store.h"
#include "core/store/sync_state.h"
#include "proto/entry.h"

namespace starling {
namespace {

constexpr std::size_t kBytesMax = limits::kEntryMax / 2;  // of one entry: what it adds to rows is less than they are
constexpr std::size_t kRowsMax = limits::kChangesPerEntryMax / 2;

using RowKey = std::pair<ModelIndex, Bytes>;

struct Rebased {  // a change, with its bytes
  ModelIndex model = 0;
  Op op = Op::insert;
  FieldMask fields = 0;
  Bytes key, values, row;
  bool grave = false;  // of our own, and we deleted it: a delete must follow
};

// What our log made of a row, as far as that matters.
struct Written {
  bool inserted = false;  // and not deleted again
  Bytes row;              // typed bytes of every field, as we left or last had them
};

void overlay(const ModelSchema& m, const Change& c, Written& written) {
  if (c.op == Op::erase) written.inserted = false;
  if (c.op == Op::insert) written = {true, Bytes(c.values)};
  if (c.op != Op::update || !written.inserted) return;
  written.row = overlay_fields(written.row, m.all_fields() & ~m.key_fields(), c.values, c.fields, c.fields);
}

std::map<RowKey, Written> rows_written(Store& store) {
  std::map<RowKey, Written> rows;
  const Ordinal self = store.self_ordinal();
  const Seq end = store.origins().position(self).seq;
  for (Seq seq{1}; seq <= end; seq = seq.next()) {
    const std::optional<Bytes> bytes = store.log().find(self, seq);  // read() gives none that are kept in parts
    if (!bytes) continue;  // an earlier life had told it, after all
    const Expected<DecodedEntry> entry = decode_entry(*bytes, store.schema());
    ASSERT(entry.has_value());
    for (const Change& c : entry->changes) overlay(store.schema().models[c.model], c, rows[{c.model, Bytes(c.key)}]);
  }
  return rows;
}

// A row that we inserted and that counts as dead, because its stamp was older than a delete, or than what was forgotten:
// it was written later than that, and stands.
// Where SQLite refuses it by now, it stands in sync_conflict.
std::optional<Rebased> inserted_again(Store& store, Applier& applier, const RowKey& name, const Written& written, WallTime wall) {
  const auto& [model, key] = name;
  const ModelSchema& m = store.schema().models[model];
  const FieldMask plain = m.all_fields() & ~m.key_fields();
  ApplyResult result;
  result.event.schema = store.shared_schema();
  if (!applier.try_alone({m.name, key}, wall, result, [&] { store.rows().upsert_row(model, key, written.row); }))
    return Rebased{model, Op::insert, plain, key, written.row, written.row};
  ByteReader values(written.row);
  for (FieldIndex f = 0; f < m.fields.size(); ++f)
    if ((plain >> f & 1) != 0) store.conflicts().add({m.name, key, m.fields[f].name, "refused", {}, {store.clock().last(), store.self()}, read_value_bytes(values)}, wall);
  return std::nullopt;
}

// What of a row is still ours to tell; nullopt: nothing.
std::optional<Rebased> of_row(Store& store, Applier& applier, const RowKey& name, const Written& written, WallTime wall) {
  const auto& [model, key] = name;
  const Origin& self = store.self();
  const std::optional<RowVersion> version = store.rows().version(model, key);
  if (!version) return written.inserted ? inserted_again(store, applier, name, written, wall) : std::nullopt;
  const ModelSchema& m = store.schema().models[model];
  const FieldMask all = m.all_fields() & ~m.key_fields();
  if (version->death) {
    if (written.inserted) return inserted_again(store, applier, name, written, wall);
    if (version->death->origin != self) return std::nullopt;
    if (version->generation.origin == self) return Rebased{model, Op::insert, all, key, written.row, written.row, true};
    store.rows().put(model, key, RowVersion{version->generation, std::nullopt, {}}, std::nullopt);  // the delete is written anew
    return Rebased{model, Op::erase, 0, key, {}, {}};
  }
  FieldMask fields = 0;
  for (const FieldStamp& f : version->fields)
    if (f.stamp.origin == self) fields |= FieldMask{1} << f.field;
  const bool inserted = version->generation.origin == self;
  if (!inserted && fields == 0) return std::nullopt;
  const std::optional<BytesView> row = store.rows().read_row(model, key);
  if (!row) return std::nullopt;
  ByteWriter values;
  pick_fields(*row, all, inserted ? all : fields, values);
  return Rebased{model, inserted ? Op::insert : Op::update, inserted ? all : fields, key, values.take(), Bytes(*row)};
}

// Rows into commits, as few as the size of an entry allows.
class Stamping {
 public:
  Stamping(Store& store, WallTime wall) : store_(store), wall_(wall) {}

  void add(Rebased row) {
    const std::size_t size = row.key.size() + row.values.size();
    if (bytes_ + size > kBytesMax || rows_.size() >= kRowsMax) flush();
    bytes_ += size;
    rows_.push_back(std::move(row));
  }

  void flush() {
    if (rows_.empty()) return;
    std::vector<NetChange> changes;
    for (const Rebased& r : rows_) changes.push_back({r.model, r.op, r.key, r.fields, r.values, r.row, r.row});  // the rows are as they will be
    Expected<LocalCommit> commit = stamp_changes(store_, changes, WriteScope::any, wall_);
    ASSERT(commit.has_value());
    commits_.push_back(std::move(*commit));
    rows_.clear();
    bytes_ = 0;
  }

  [[nodiscard]] std::vector<LocalCommit> take() { return std::move(commits_); }

 private:
  Store& store_;
  WallTime wall_;
  std::vector<Rebased> rows_;
  std::size_t bytes_ = 0;
  std::vector<LocalCommit> commits_;
};

}  // namespace

Retold rebase(Store& store, Applier& applier, WallTime wall) {
  ASSERT(store.in_transaction() && store.state().provisional());
  const Ordinal self = store.self_ordinal();
  const std::map<RowKey, Written> written = rows_written(store);
  while (store.log().drop(self, store.origins().position(self).seq, limits::kPruneRows) > 0) {}
  store.origins().put_back(self, {store.origins().position(self).rev, Seq{}, Hlc{}}, {});
  store.reset_clock();  // drafts may have been written with the clock ahead
  store.state().set_provisional(false);

  std::vector<LocalCommit> seeds = tell_seeds(store, wall);  // drafts may be changes of them
  Stamping stamping(store, wall);
  Retold retold;
  std::vector<Rebased> graves;
  for (const auto& [name, what] : written) {
    std::optional<Rebased> row = of_row(store, applier, name, what, wall);
    ++(row ? retold.rows : retold.superseded);
    if (row && row->grave) graves.push_back({name.first, Op::erase, 0, name.second, {}, {}});
    if (row && !planted(PlantedBug::drafts_dropped)) stamping.add(std::move(*row));
  }
  stamping.flush();
  for (Rebased& grave : graves) stamping.add(std::move(grave));
  stamping.flush();
  retold.commits = stamping.take();
  retold.commits.insert(retold.commits.begin(), std::move_iterator(seeds.begin()), std::move_iterator(seeds.end()));
  return retold;
}

}  // namespace starling
