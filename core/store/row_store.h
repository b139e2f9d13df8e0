// Rows and their versions: the application's tables on one side, sync_row on the other.
//
// Reads and writes versions by (model, canonical key), and the application's rows by the same key. It decides nothing:
// the merge rule and the rule of ownership stand with their callers. Origins appear as stamps outside and as ordinals
// inside. Every write happens in the caller's transaction.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "core/causal/merge.h"
#include "core/store/origin_table.h"
#include "core/store/statement.h"

namespace starling {

struct OwnedVersion {  // of a device-owned row
  Ordinal owner = 0;
  Rev rev;
  bool deleted = false;
};

struct NewRow {  // of a model: what put_new and insert_rows take
  BytesView key;
  BytesView values;  // typed bytes of every non-key field
  Rev rev;           // of a device-owned row
  const Stamp* generation = nullptr;  // of a shared row, where they differ
};

struct OwnedRow {  // as read for a state page; bytes are valid inside the callback
  ModelIndex model = 0;
  Rev rev;
  bool deleted = false;
  BytesView key;
  BytesView values;
  bool missing = false;
};

class RowStore {
 public:
  static constexpr std::size_t kMany = 32;  // rows in one INSERT; more gain nothing (ADR 3)

  RowStore(sqlite3*, const Schema&, OriginTable&);

  // Shared rows.
  [[nodiscard]] std::optional<RowVersion> version(ModelIndex, BytesView key);
  void put(ModelIndex, BytesView key, const RowVersion&);
  // Puts the versions of rows that have none yet, many at a time (ADR 3). Gives how many, from the first on: the one
  // after these has a version already. Here and below, a failure must roll the transaction back.
  [[nodiscard]] std::size_t put_new(ModelIndex, std::span<const NewRow>, const Stamp& generation);

  // Shared rows of a model with keys behind `after`, in key order, until the callback returns false. It must not write.
  void read_shared(ModelIndex, BytesView after, const std::function<bool(BytesView key, const RowVersion&)>&);
  // Drops up to `most` tombstones of deletes that `origin` wrote up to `through`; seeds' stay. Gives how many.
  std::size_t drop_tombstones(Ordinal origin, Seq through, std::size_t most);
  // Stamps of shared rows that name the one origin name the other from now on.
  void reassign(Ordinal from, Ordinal to);
  // A row and all that is known of it.
  void forget(ModelIndex, BytesView key);
  // Whether a row of a built-in model was written since the last call.
  [[nodiscard]] bool take_built_in_changed() { return std::exchange(built_in_changed_, false); }

  // Device-owned rows.
  [[nodiscard]] std::optional<OwnedVersion> owned(ModelIndex, BytesView key);
  void put_owned(ModelIndex, BytesView key, const OwnedVersion&);
  [[nodiscard]] std::size_t put_new_owned(ModelIndex, std::span<const NewRow>, Ordinal owner);
  // Drops up to `most` tombstones of `owner` up to revision `through`; gives the greatest dropped, and how many.
  std::pair<Rev, std::size_t> drop_owned_tombstones(Ordinal owner, Rev through, std::size_t most);
  // Rows of `owner` with a revision above `from`, in order, until the callback returns false. One that is gone without
  // a trace (a trigger of the application's deleted it while a peer's change was applied) is given as `missing`. Those that wait in
  // quarantine are among them: whoever pulls from us must learn of them, and decides for itself.
  void read_owned(Ordinal owner, Rev from, const std::function<bool(const OwnedRow&)>&);

  // The application's rows. `values`: typed bytes of the non-key fields named, ascending.
  void insert_row(ModelIndex, BytesView key, BytesView values);          // of every non-key field
  void insert_rows(ModelIndex, std::span<const NewRow>);                 // likewise, many at a time
  void upsert_row(ModelIndex, BytesView key, BytesView values);          // likewise, over whatever is there
  void update_row(ModelIndex, BytesView key, FieldMask, BytesView values);
  void erase_row(ModelIndex, BytesView key);
  // Typed bytes of every non-key field; nullopt: no such row. Valid until the next call.
  [[nodiscard]] std::optional<BytesView> read_row(ModelIndex, BytesView key);

 private:
  struct Sql {  // the statements of one model
    std::int64_t number = 0;  // of sync_model
    Statement insert, insert_many, upsert, erase, select;
    std::map<FieldMask, Statement> updates;
  };
  Sql& sql(ModelIndex);
  Statement& update_statement(ModelIndex, FieldMask);
  [[nodiscard]] RowVersion read_version(const Statement& row, int first) const;
  template <class Bind>
  std::size_t put_all_new(std::span<const NewRow>, Statement& one, Statement& many, const Bind&);

  sqlite3* db_;
  const Schema& schema_;
  OriginTable& origins_;
  std::vector<Sql> models_;
  Statement select_, put_, put_new_, put_new_many_, put_owned_, put_new_owned_, put_new_owned_many_, read_owned_;
  Statement read_shared_, drop_, find_gone_, drop_gone_, forget_;
  bool built_in_changed_ = false;
  std::map<std::int64_t, ModelIndex> by_number_;
  ByteWriter row_;
};

// The subset `mask` of a row's typed bytes; `row` holds every field of `all`, ascending. Appends to `out`.
void pick_fields(BytesView row, FieldMask all, FieldMask mask, ByteWriter& out);

}  // namespace starling
