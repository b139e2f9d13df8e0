// Rows and their versions: the application's tables on one side, sync_row on the other.
//
// Reads and writes versions by (model, canonical key), and the application's rows by the same key. It decides nothing:
// the merge rule and the rule of ownership stand with their callers. Origins appear as stamps outside and as ordinals
// inside. Every write happens in the caller's transaction. With a version goes the sum of the row (row_sum.h), and the
// digests (digest_table.h) follow: whoever puts a version gives the values that the row has with it.
//
// A row's values are its merged ones, wherever they stand: in the table, in sync_hidden, or pending. What a model with
// rules (UNIQUE, references) shows of them depends on other rows; what is written to one waits until Store::settle().
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "core/causal/merge.h"
#include "core/store/digest_table.h"
#include "core/store/hidden_rows.h"
#include "core/store/kept_fields.h"
#include "core/store/origin_table.h"
#include "core/store/pending_rows.h"
#include "core/store/shown_rows.h"
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
  BytesView name = {};                  // of a model that is not here, or otherwise: then `model` means nothing
  std::optional<std::uint8_t> columns;  // how many values it has, where that is not what the model says
  Rev rev;
  bool deleted = false;
  BytesView key;
  BytesView values;
  bool missing = false;
  bool damaged = false;  // it is not as it was written
  Bytes whole = {};      // what `values` looks at, where it was put together
};

struct ScannedRow {  // a version and its row, in the order of keys; bytes are valid inside the callback
  BytesView key;
  bool deleted = false;
  bool good = true;                 // the row is there if and only if it should be, and as it was written
  Origin owner;                     // of a device-owned row
  Rev rev;
  RowVersion version;               // of a shared row
  std::optional<BytesView> values;  // nullopt: no row
};

[[nodiscard]] const char* damage_of(const ScannedRow&);  // of one that is not good, for people
// What it adds to the digests: of its values as they stand, or of none.
[[nodiscard]] RowSum sum_of(const ModelSchema&, const ScannedRow&);

class RowStore {
 public:
  static constexpr std::size_t kMany = ShownRows::kMany;

  RowStore(sqlite3*, const Schema&, OriginTable&, DigestTable&);

  // Shared rows.
  [[nodiscard]] std::optional<RowVersion> version(ModelIndex, BytesView key);
  // `values`: typed bytes of every non-key field as the row has them with this version; nullopt: it is dead, or nobody
  // knows. `intact`: false keeps the row marked as damaged, which it was before this change.
  void put(ModelIndex, BytesView key, const RowVersion&, std::optional<BytesView> values, bool intact = true);
  // Whether these values are what the version was put with. Of the row that version() or owned() was asked for last.
  [[nodiscard]] bool is_intact(ModelIndex, BytesView key, const RowVersion&, BytesView values);
  // Puts the versions of rows that have none yet, many at a time (ADR 3). Gives how many, from the first on: the one
  // after these has a version already. Here and below, a failure must roll the transaction back.
  [[nodiscard]] std::size_t put_new(ModelIndex, std::span<const NewRow>, const Stamp& generation);

  // Shared rows of a model with keys behind `after`, in key order, until the callback returns false. It must not write.
  void read_shared(ModelIndex, BytesView after, const std::function<bool(BytesView key, const RowVersion&)>&);
  void mark_seed(ModelIndex, BytesView key);  // RowVersion::seeded; read_shared() alone tells of it
  // Drops up to `most` tombstones of deletes that `origin` wrote up to `through`; seeds' stay. Gives how many.
  std::size_t drop_tombstones(Ordinal origin, Seq through, std::size_t most);
  // A row under other stamps: its values stay, and whether it is damaged.
  void restamp(ModelIndex, BytesView key, const RowVersion&);
  // Stamps of shared rows that name the one origin name the other from now on: those of what `from` wrote behind a position.
  void rename(Ordinal from, Ordinal to, const Position& behind);
  // A row and all that is known of it.
  void forget(ModelIndex, BytesView key);
  // Fields that the model does not have here yet (kept_fields.h). They go with a row that is deleted or forgotten.
  void keep(ModelIndex m, BytesView key, FieldMask fields, BytesView values) { kept_.put(number(m), key, fields, values); }
  void drop_kept(ModelIndex m, BytesView key) { kept_.drop(number(m), key); }
  void drop_kept(ModelIndex m, BytesView key, FieldMask fields) { kept_.drop(number(m), key, fields); }
  [[nodiscard]] KeptFields::Kept kept(ModelIndex m, BytesView key) { return kept_.of(number(m), key); }
  [[nodiscard]] KeptFields::Kept kept_beyond(ModelIndex, BytesView key);  // of fields that the model does not have
  [[nodiscard]] std::optional<Bytes> next_kept_due(ModelIndex, const std::optional<Bytes>& after);  // a field that is here by now
  [[nodiscard]] bool keeps_anything() { return kept_.any(); }
  [[nodiscard]] std::uint64_t kept_values() { return kept_.count(); }
  void note_kept_refused() { kept_refused_ = true; }  // of a field that is here by now: SQLite refuses it
  [[nodiscard]] bool kept_refused() const { return kept_refused_; }

  // Whether a row of a built-in model was written since the last call.
  [[nodiscard]] bool take_built_in_changed() { return std::exchange(built_in_changed_, false); }

  // Device-owned rows.
  [[nodiscard]] std::optional<OwnedVersion> owned(ModelIndex, BytesView key);
  void put_owned(ModelIndex, BytesView key, const OwnedVersion&, std::optional<BytesView> values, bool intact = true);
  [[nodiscard]] bool is_intact(ModelIndex, BytesView key, const OwnedVersion&, BytesView values);
  [[nodiscard]] std::size_t put_new_owned(ModelIndex, std::span<const NewRow>, Ordinal owner);
  // Rows that `from` owns behind a revision are `to`'s from now on, in the same order. Gives the last revision.
  Rev move_owned(Ordinal from, Rev behind, Ordinal to);
  // Drops up to `most` tombstones of `owner` up to revision `through`; gives the greatest dropped, and how many.
  std::pair<Rev, std::size_t> drop_owned_tombstones(Ordinal owner, Rev through, std::size_t most);
  // Rows of `owner` with a revision above `from`, in order, until the callback returns false. One that is gone without
  // a trace (a trigger of the application's deleted it while a peer's change was applied) is given as `missing`. Those that wait in
  // quarantine are among them: whoever pulls from us must learn of them, and decides for itself.
  void read_owned(Ordinal owner, Rev from, const std::function<bool(const OwnedRow&)>&);

  // Versions of a model with their rows, from after a key (empty: from the first), until a callback ends it. `look` is
  // asked first, by key and owner: the rows that it does not want are not read.
  enum class Look : std::uint8_t { read, skip, end };
  void scan(ModelIndex, BytesView after, const std::function<Look(BytesView key, Ordinal)>& look,
            const std::function<bool(const ScannedRow&)>&);
  void scan(ModelIndex, BytesView after, const std::function<bool(const ScannedRow&)>&);  // all of them
  [[nodiscard]] bool is_known(ModelIndex, BytesView key);  // somebody has told us of it
  [[nodiscard]] bool is_good(ModelIndex, BytesView key);  // as of ScannedRow; also: neither version nor row
  bool recount(ModelIndex, const Origin& owner);  // the digest, from the sums as they stand; true: it was wrong
  [[nodiscard]] DigestTable::Key group_of(ModelIndex, const Origin& owner) const;

  // Rows. `values`: typed bytes of the non-key fields named, ascending.
  void insert_row(ModelIndex, BytesView key, BytesView values);          // of every non-key field
  void insert_rows(ModelIndex, std::span<const NewRow>);                 // likewise, many at a time
  void upsert_row(ModelIndex, BytesView key, BytesView values);          // likewise, over whatever is there
  void update_row(ModelIndex, BytesView key, FieldMask, BytesView values);
  void erase_row(ModelIndex, BytesView key);
  // Typed bytes of every non-key field; nullopt: no such row. Valid until the next call.
  [[nodiscard]] std::optional<BytesView> read_row(ModelIndex, BytesView key);

  // What an application wrote to a row of a model with rules: it stands in the table, its merged values may be others.
  // `row`, `before`: as in NetChange. Gives the merged values before and after.
  struct Written {
    Bytes before, after;
  };
  [[nodiscard]] Written note_written(ModelIndex, Op, BytesView key, FieldMask changed, BytesView values, BytesView before);
  void note_anew(const RowName&);  // to be settled although nothing was written: the rules are others
  [[nodiscard]] bool has_rules(ModelIndex m) const { return rules_.has_rules(m); }

  // The parts, for visibility.h and for those who look at what is shown.
  [[nodiscard]] const RowRules& rules() const { return rules_; }
  [[nodiscard]] ShownRows& shown() { return shown_; }
  [[nodiscard]] HiddenRows& hidden() { return hidden_; }
  [[nodiscard]] PendingRows& pending() { return pending_; }
  void reload();  // after a rollback: what was known of rows in memory
  [[nodiscard]] std::optional<HiddenRow> find_hidden(const RowName&);  // with the fields by which its model has grown

 private:
  struct Held {  // what sync_row says of one key: the one that was asked for last
    bool valid = false;
    ModelIndex model = 0;
    Bytes key;
    std::optional<RowSum> sum;  // nullopt: no visible row
    Ordinal origin = 0;
  };
  [[nodiscard]] std::int64_t number(ModelIndex) const;  // of sync_model
  PendingRow& note(const RowName&);
  void note(const RowName&, std::optional<BytesView> values);
  void release(const RowName&, BytesView values);
  bool look_up(ModelIndex, BytesView key);  // select_ stands at the row of that key; false: there is none
  const Held& held(ModelIndex, BytesView key);
  void replace_sum(ModelIndex, BytesView key, Ordinal owner, std::optional<RowSum>);
  [[nodiscard]] DigestTable::Key group(ModelIndex, Ordinal owner) const;
  void read_visible_owned(OwnedRow&, Ordinal owner);
  void read_quarantined_owned(OwnedRow&) const;
  [[nodiscard]] RowVersion read_version(const Statement&) const;
  [[nodiscard]] ScannedRow read_scanned(ModelIndex, BytesView key, const Statement&);
  template <class Sum, class Bind>
  std::size_t put_all_new(ModelIndex, std::span<const NewRow>, Ordinal owner, Statement& one, Statement& many, const Sum&,
                          const Bind&);

  sqlite3* db_;
  static const char kReadOwned[];

  const Schema& schema_;
  OriginTable& origins_;
  DigestTable& digests_;
  const RowRules rules_;
  ShownRows shown_;
  HiddenRows hidden_;
  PendingRows pending_;
  KeptFields kept_;
  std::vector<std::int64_t> numbers_;  // of models, in sync_model
  Statement select_, put_, put_new_, put_new_many_, put_owned_, put_new_owned_, put_new_owned_many_, read_owned_, scan_;
  Statement read_shared_, drop_, find_gone_, drop_gone_, forget_;
  Held held_;
  bool built_in_changed_ = false;
  bool kept_refused_ = false;
  std::map<std::int64_t, ModelIndex> by_number_;
  Bytes row_;
};

// What was put away when the model had fewer fields, with the defaults of those by which it has grown since. nullopt: it is no
// row of this model as it is.
[[nodiscard]] std::optional<Bytes> completed(const ModelSchema&, BytesView values);

// The subset `mask` of a row's typed bytes; `row` holds every field of `all`, ascending. Appends to `out`.
void pick_fields(BytesView row, FieldMask all, FieldMask mask, ByteWriter& out);

// `row` with the fields of `mask` as `values` has them: typed bytes of `fields`, among them all of `mask`. Both ascending.
[[nodiscard]] Bytes overlay_fields(BytesView row, FieldMask all, BytesView values, FieldMask fields, FieldMask mask);

}  // namespace starling
