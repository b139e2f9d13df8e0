#include "core/replica/stamper.h"

#include <algorithm>
#include <bit>
#include <tuple>

#include "core/base/planted_bug.h"
#include "core/base/sha256.h"
#include "core/replica/transaction_manager.h"
#include "core/store/capture.h"
#include "core/store/origin_table.h"
#include "core/store/peer_log.h"
#include "core/store/row_store.h"
#include "core/store/store.h"
#include "core/store/sync_state.h"
#include "core/store/visibility.h"
#include "proto/entry.h"
#include "proto/model_table.h"
#include "proto/state_page.h"

namespace starling {
namespace {

std::string row_name(const Store& store, ModelIndex model, BytesView key) {
  return store.schema().models[model].name + " (" + describe_values(key) + ")";
}

// Our state stream: each changed row gets the next revision.
class StateStamper {
 public:
  explicit StateStamper(Store& store)
      : store_(store), page_(store.schema()), before_(store.origins().position(store.self_ordinal()).rev), rev_(before_) {}

  Expected<void> add(const NetChange& c) {
    const bool fits = c.op == Op::insert && (new_rows_.empty() || new_model_ == c.model);
    if (!fits) {
      if (const Expected<void> put = put_new_rows(); !put) return put;
    }
    rev_ = rev_.next();
    list(c);
    if (c.op != Op::insert) return put_over(c.model, c.key, {store_.self_ordinal(), rev_, c.op == Op::erase}, c.row, c.op == Op::update ? std::optional(c.before) : std::nullopt);
    new_model_ = c.model;
    new_rows_.push_back({c.key, c.row, rev_});
    return {};
  }

  Expected<void> finish(LocalCommit& commit) {
    if (const Expected<void> put = put_new_rows(); !put) return put;
    commit.rev_before = before_;
    commit.rev_after = rev_;
    commit.opening = store_.state().last_opening();
    if (rev_ == before_) return {};
    store_.origins().advance_rev(store_.self_ordinal(), rev_);
    if (pushes_ && page_.size() <= limits::kPushMax) commit.state_body = page_.finish();
    return {};
  }

 private:
  // For the peers that are connected, if it is little enough; else they are told from the store. An earlier life of this device
  // may have known more fields of a row than we do (kept_fields.h).
  void list(const NetChange& c) {
    const KeptFields::Kept kept = c.op == Op::update ? store_.rows().kept_beyond(c.model, c.key) : KeptFields::Kept{};
    const Bytes whole = kept.fields != 0 ? Bytes(c.row) + kept.values : Bytes();
    StateRow row{c.model, rev_, c.op == Op::erase, c.key, kept.fields != 0 ? BytesView(whole) : c.row};
    if (kept.fields != 0) {
      const FieldMask plain = plain_fields(store_.schema().models[c.model]);
      row.columns = static_cast<std::uint8_t>(std::popcount(plain) + std::popcount(kept.fields));
    }
    pushes_ = pushes_ && page_.size() <= limits::kPushMax && page_.takes(row);
    if (pushes_) page_.add(row);
  }
  [[nodiscard]] bool ours(Ordinal owner) const {  // this device's, in this or an earlier life
    return owner == store_.self_ordinal() || store_.origins().origin(owner).device == store_.self().device;
  }
  // Inserted rows are versioned together; one whose key was there before (deleted) takes its turn alone.
  Expected<void> put_new_rows() {
    std::span<const NewRow> rows = new_rows_;
    while (!rows.empty()) {
      rows = rows.subspan(store_.rows().put_new_owned(new_model_, rows, store_.self_ordinal()));
      if (rows.empty()) break;
      const OwnedVersion fresh{store_.self_ordinal(), rows.front().rev, false};
      if (const Expected<void> put = put_over(new_model_, rows.front().key, fresh, rows.front().values, std::nullopt); !put) return put;
      rows = rows.subspan(1);
    }
    new_rows_.clear();
    return {};
  }
  // `before`: the values of a row that is updated.
  Expected<void> put_over(ModelIndex model, BytesView key, const OwnedVersion& fresh, BytesView row,
                          std::optional<BytesView> before) {
    const std::optional<OwnedVersion> known = store_.rows().owned(model, key);
    if (known && !ours(known->owner)) return not_owner(model, key, known->owner);
    const bool intact = !known || known->deleted || !before || store_.rows().is_intact(model, key, *known, *before);
    store_.rows().put_owned(model, key, fresh, row, intact);
    store_.rows().drop_kept(model, key, store_.schema().models[model].all_fields());  // what waited of fields that are here is older
    return {};
  }
  [[nodiscard]] Error not_owner(ModelIndex model, BytesView key, Ordinal owner) const {
    return {Errc::not_owner, "the row belongs to device " + to_string(store_.origins().origin(owner).device),
            row_name(store_, model, key), "only its owner may change it; write a row of your own"};
  }

  Store& store_;
  StatePageWriter page_;
  bool pushes_ = true;
  Rev before_;
  Rev rev_;
  ModelIndex new_model_ = 0;
  std::vector<NewRow> new_rows_;  // inserted, not versioned yet
};

// Our log stream: one entry for the transaction.
class LogStamper {
 public:
  LogStamper(Store& store, bool seeds, WallTime wall) : store_(store), seeds_(seeds), wall_(wall) {}

  void add(const NetChange& c) {
    const bool fresh = c.op == Op::insert;
    if (!fresh || (!new_rows_.empty() && new_model_ != c.model)) put_new_rows();
    const std::optional<RowVersion> version = fresh ? std::nullopt : store_.rows().version(c.model, c.key);
    if (fresh || (version && !version->death)) {
      add(c, version ? &*version : nullptr);
    } else if (c.op == Op::update) {
      // A trigger of the application made this row while a peer's change was applied. It was nobody's; now it is told.
      const ModelSchema& model = store_.schema().models[c.model];
      add({c.model, Op::insert, c.key, model.all_fields() & ~model.key_fields(), c.row, c.row}, nullptr);
    }
  }

  Expected<void> finish(LocalCommit& commit) {
    if (changes_.empty()) return {};
    put_new_rows();
    // Neighbours of one shape share a head in the entry, and neighbouring keys share bytes (ADR 4).
    std::sort(changes_.begin(), changes_.end(), [](const Change& a, const Change& b) {
      return std::tie(a.model, a.op, a.fields, a.key) < std::tie(b.model, b.op, b.fields, b.key);
    });
    OriginTable& origins = store_.origins();
    const Ordinal self = store_.self_ordinal();
    EntryHeader header{store_.self(), next_seq(), stamp_.hlc, origins.last_hash(self), {}};
    for (const auto& [origin, position] : store_.known().changed_since(origins.seen(self)))
      if (origin != store_.self() && position.seq > origins.seen(self).at(origin).seq)
        header.dependencies.advance_seq(origin, position.seq, position.hlc);

    Expected<Bytes> entry = encode_entry(header, changes_, store_.schema());
    if (!entry) return entry.error();
    store_.log().append(self, header.seq, *entry);
    origins.advance_seq(self, header.seq, header.hlc, hash128(*entry), header.dependencies);
    commit.seq = header.seq;
    commit.hlc = header.hlc;
    if (entry->size() <= limits::kPushMax) commit.entry = std::move(*entry);
    return {};
  }

 private:
  [[nodiscard]] Seq next_seq() const { return store_.origins().position(store_.self_ordinal()).seq.next(); }

  // `version`: of the row that is changed; nullptr: it is inserted.
  void add(const NetChange& c, const RowVersion* version) {
    if (changes_.empty()) stamp_ = {store_.clock().tick(wall_), store_.self()};
    Change change{c.model, c.op, seeds_ && !planted(PlantedBug::seeds_as_inserts) ? Stamp{} : stamp_, c.key, c.changed, c.values};
    if (seeds_) return changes_.push_back(change);  // they stand as they are to be told
    if (version != nullptr) {
      change.generation = version->generation;
      apply(c, *version);
    } else {
      new_model_ = c.model;
      new_rows_.push_back({c.key, c.values, {}});
      if (has_to_settle(c)) (void)note(c);
    }
    changes_.push_back(change);
  }

  // What an application wrote meets nothing where no row is hidden: SQLite has enforced what it shows.
  [[nodiscard]] bool has_to_settle(const NetChange& c) const {
    return store_.rows().has_rules(c.model) && (store_.applying() || !store_.rows().hidden().empty());
  }
  RowStore::Written note(const NetChange& c) {
    return store_.rows().note_written(c.model, c.op, c.key, c.changed, c.values, c.before);
  }

  void put_new_rows() {  // as the StateStamper's; here nobody else can own the row
    std::span<const NewRow> rows = new_rows_;
    while (!rows.empty()) {
      rows = rows.subspan(store_.rows().put_new(new_model_, rows, stamp_));
      if (rows.empty()) break;
      store_.rows().put(new_model_, rows.front().key, RowVersion{stamp_, std::nullopt, {}}, rows.front().values);
      store_.rows().drop_kept(new_model_, rows.front().key);  // of a row of that key that was hidden
      rows = rows.subspan(1);
    }
    new_rows_.clear();
  }

  void apply(const NetChange& c, RowVersion version) {
    RowStore::Written merged;
    const bool settles = has_to_settle(c);
    if (settles) merged = note(c);
    const BytesView before = settles ? BytesView(merged.before) : c.before;
    const bool intact = c.op == Op::erase || store_.rows().is_intact(c.model, c.key, version, before);
    if (c.op == Op::erase) {
      version = RowVersion{version.generation, Death{store_.self(), next_seq()}, {}};
    } else {
      for (FieldMask left = c.changed; left != 0; left &= left - 1)
        version.set(static_cast<FieldIndex>(std::countr_zero(left)), stamp_);
    }
    store_.rows().put(c.model, c.key, version, settles ? BytesView(merged.after) : c.row, intact);
    store_.rows().drop_kept(c.model, c.key, c.changed);  // what waited of these fields is older
  }

  Store& store_;
  bool seeds_;
  WallTime wall_;
  Stamp stamp_;
  std::vector<Change> changes_;
  ModelIndex new_model_ = 0;
  std::vector<NewRow> new_rows_;  // inserted, not versioned yet
};

Error wrong_class(const Store& store, const NetChange& c, WriteScope scope) {
  const bool shared = scope == WriteScope::device_owned;  // the change is of the other class
  return {Errc::wrong_class,
          std::string("a change of a ") + (shared ? "shared" : "device-owned") + " model in " +
              (shared ? "commit_device_owned" : "commit_shared"),
          row_name(store, c.model, c.key), "use write(), or the call for that class"};
}

void list_rows(std::span<const NetChange> changes, ChangeSet& event) {
  event.overflow = changes.size() > limits::kChangeEventRowsMax;
  if (event.overflow) return;
  event.rows.reserve(changes.size());
  for (const NetChange& c : changes)
    if (!event.schema->models[c.model].built_in) event.rows.push_back({c.model, c.op, c.changed, Bytes(c.key)});
}

}  // namespace

Expected<LocalCommit> stamp_changes(Store& store, std::span<const NetChange> changes, WriteScope scope, WallTime wall) {
  LocalCommit commit;
  commit.origin = store.self();
  commit.draft = store.state().provisional();
  commit.rows = changes.size();
  StateStamper state(store);
  LogStamper log(store, scope == WriteScope::seeds, wall);
  for (const NetChange& c : changes) {
    const bool shared = store.schema().models[c.model].kind == Kind::shared;
    if (shared ? scope == WriteScope::device_owned : scope == WriteScope::shared) return wrong_class(store, c, scope);
    if (shared) {
      log.add(c);
    } else {
      const Expected<void> added = state.add(c);
      if (!added) return added.error();
    }
  }
  if (const Expected<void> done = state.finish(commit); !done) return done.error();
  if (const Expected<void> done = log.finish(commit); !done) return done.error();
  commit.changes.schema = store.shared_schema();
  commit.changes.local = true;
  commit.changes.origin = commit.origin;
  list_rows(changes, commit.changes);
  for (ShownChange& shown : store.settle(wall))
    if (!commit.changes.overflow) commit.changes.rows.push_back({shown.model, shown.op, shown.fields, std::move(shown.key)});
  return commit;
}

}  // namespace starling
