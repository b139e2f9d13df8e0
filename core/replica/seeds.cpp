#include "core/replica/seeds.h"

#include <stdexcept>

#include "core/base/sha256.h"
#include "core/replica/stamper.h"
#include "core/replica/transaction_manager.h"
#include "core/replica/undo.h"
#include "core/store/capture.h"
#include "core/store/row_image.h"
#include "core/store/row_store.h"
#include "core/store/seed_reader.h"
#include "core/store/statement.h"
#include "core/store/sync_state.h"
#include "proto/model_table.h"

namespace starling {
namespace {

Hash128 declared(const ModelSchema& m) {
  ByteWriter all;
  for (const std::string& seed : m.seeds) all.blob(seed);
  return hash128(all.bytes());
}

// The fields of `all` in which two rows differ.
FieldMask difference(FieldMask all, BytesView before, BytesView after) {
  FieldMask fields = 0;
  ByteReader ours(before);
  ByteReader theirs(after);
  for (FieldMask left = all; left != 0; left &= left - 1)
    if (read_value_bytes(ours) != read_value_bytes(theirs)) fields |= left & (~left + 1);
  return fields;
}

struct Progress {
  bool created = false;
  bool told = false;
};

Progress progress_of(Store& store, const ModelSchema& m) {
  if (m.seeds.empty()) return {true, true};
  Statement select(store.handle(), "SELECT seeds, seeds_told FROM sync_model WHERE name=?");
  if (!select.text(m.name).step() || select.column_bytes(0) != declared(m).view()) return {};
  return {true, select.column_integer(1) != 0};
}

void note_progress(Store& store, const ModelSchema& m, bool told) {
  Statement(store.handle(), "UPDATE sync_model SET seeds=?, seeds_told=? WHERE name=?")
      .blob(declared(m).view()).integer(told ? 1 : 0).text(m.name).run();
}

Expected<LocalCommit> tell(Store& store, const ModelSchema& m, const std::vector<SeedRow>& rows, WallTime wall) {
  std::vector<NetChange> changes;
  for (const SeedRow& row : rows) changes.push_back({store.schema().index_of(m), Op::insert, row.key, plain_fields(m), row.values, row.values, {}});
  return stamp_changes(store, changes, WriteScope::seeds, wall);
}

struct Edited {  // a row that stood in the table, with other values than its seed's
  const SeedRow* seed;
  FieldMask fields;
  Bytes values, row;
};

std::optional<Edited> create(Store& store, ModelIndex m, const SeedRow& seed) {
  RowStore& rows = store.rows();
  if (rows.version(m, seed.key)) return std::nullopt;
  const std::optional<BytesView> found = rows.read_row(m, seed.key);
  const std::optional<Bytes> row = found ? std::optional(Bytes(*found)) : std::nullopt;
  rows.put(m, seed.key, RowVersion{}, seed.values);
  if (!row) rows.insert_row(m, seed.key, seed.values);
  if (!row || *row == seed.values) return std::nullopt;
  const FieldMask plain = plain_fields(store.schema().models[m]);
  const FieldMask fields = difference(plain, seed.values, *row);
  ByteWriter values;
  pick_fields(*row, plain, fields, values);
  return Edited{&seed, fields, values.take(), *row};
}

Expected<void> create_seeds_of(Store& store, const ModelSchema& m, WallTime wall) {
  if (const Expected<void> begun = store.try_begin(TransactionKind::apply); !begun) return begun.error();
  const Undo undo(store);
  const Expected<std::vector<SeedRow>> rows = read_seeds(store.database(), m);
  if (!rows) return rows.error();
  const ModelIndex index = store.schema().index_of(m);
  std::vector<Edited> edited;
  for (const SeedRow& row : *rows)
    if (std::optional<Edited> one = create(store, index, row)) edited.push_back(std::move(*one));
  const bool told = !store.state().provisional();
  if (told) {
    if (const Expected<LocalCommit> commit = tell(store, m, *rows, wall); !commit) return commit.error();
  }
  std::vector<NetChange> changes;
  for (const Edited& e : edited) changes.push_back({index, Op::update, e.seed->key, e.fields, e.values, e.row, e.seed->values});
  if (const Expected<LocalCommit> commit = stamp_changes(store, changes, WriteScope::shared, wall); !commit) return commit.error();
  note_progress(store, m, told);
  store.commit();
  return {};
}

}  // namespace

Expected<void> create_seeds(Store& store, WallTime wall) {
  if (store.state().is_doubled()) return {};  // nothing is written under this name
  for (const ModelSchema& m : store.schema().models) {
    if (progress_of(store, m).created) continue;
    if (const Expected<void> created = create_seeds_of(store, m, wall); !created) return created;
  }
  return {};
}

std::vector<LocalCommit> tell_seeds(Store& store, WallTime wall) {
  std::vector<LocalCommit> commits;
  for (const ModelSchema& m : store.schema().models) {
    const Progress progress = progress_of(store, m);
    if (!progress.created || progress.told) continue;
    const Expected<std::vector<SeedRow>> rows = read_seeds(store.database(), m);
    if (!rows) throw std::runtime_error(rows.error().text());  // they were rows when they were created
    Expected<LocalCommit> commit = tell(store, m, *rows, wall);
    if (!commit) throw std::runtime_error(commit.error().text());
    commits.push_back(std::move(*commit));
    note_progress(store, m, true);
  }
  return commits;
}

}  // namespace starling
