#include "core/replica/stamper.h"

#include <bit>

#include "core/base/sha256.h"
#include "core/replica/transaction_manager.h"
#include "core/store/capture.h"
#include "core/store/origin_table.h"
#include "core/store/peer_log.h"
#include "core/store/row_store.h"
#include "core/store/store.h"
#include "proto/entry.h"
#include "proto/state_page.h"

namespace starling {
namespace {

std::string row_name(const Store& store, const NetChange& c) {
  return store.schema().models[c.model].name + " (" + describe_values(c.key) + ")";
}

// Our state stream: each changed row gets the next revision.
class StateStamper {
 public:
  explicit StateStamper(Store& store)
      : store_(store), page_(store.schema()), before_(store.origins().position(store.self_ordinal()).rev), rev_(before_) {}

  Expected<void> add(const NetChange& c) {
    const OwnedVersion fresh{store_.self_ordinal(), rev_.next(), c.op == Op::erase};
    if (c.op != Op::insert || !store_.rows().put_new_owned(c.model, c.key, fresh)) {
      const std::optional<OwnedVersion> known = store_.rows().owned(c.model, c.key);
      if (known && !ours(known->owner)) return not_owner(c, known->owner);
      store_.rows().put_owned(c.model, c.key, fresh);
    }
    rev_ = fresh.rev;
    if (page_.size() <= limits::kPushMax) page_.add({c.model, rev_, fresh.deleted, c.key, c.row});
    return {};
  }

  void finish(LocalCommit& commit) {
    commit.rev_before = before_;
    commit.rev_after = rev_;
    if (rev_ == before_) return;
    store_.origins().advance_rev(store_.self_ordinal(), rev_);
    if (page_.size() <= limits::kPushMax) commit.state_body = page_.finish();
  }

 private:
  [[nodiscard]] bool ours(Ordinal owner) const {  // this device's, in this or an earlier life
    return owner == store_.self_ordinal() || store_.origins().origin(owner).device == store_.self().device;
  }
  Error not_owner(const NetChange& c, Ordinal owner) const {
    return {Errc::not_owner, "the row belongs to device " + to_string(store_.origins().origin(owner).device),
            row_name(store_, c), "only its owner may change it; write a row of your own"};
  }

  Store& store_;
  StatePageWriter page_;
  Rev before_;
  Rev rev_;
};

// Our log stream: one entry for the transaction.
class LogStamper {
 public:
  LogStamper(Store& store, WallTime wall) : store_(store), wall_(wall) {}

  void add(const NetChange& c) {
    if (changes_.empty()) stamp_ = {store_.clock().tick(wall_), store_.self()};
    Change change{c.model, c.op, stamp_, c.key, c.changed, c.values};
    if (c.op != Op::insert) {
      std::optional<RowVersion> version = store_.rows().version(c.model, c.key);
      ASSERT(version && !version->death);  // the row was visible, so it has a version
      change.generation = version->generation;
      apply(c, *version);
    } else if (!store_.rows().put_new(c.model, c.key, stamp_)) {
      store_.rows().put(c.model, c.key, RowVersion{stamp_, std::nullopt, {}});
    }
    changes_.push_back(change);
  }

  Expected<void> finish(LocalCommit& commit) {
    if (changes_.empty()) return {};
    OriginTable& origins = store_.origins();
    const Ordinal self = store_.self_ordinal();
    EntryHeader header{store_.self(), next_seq(), stamp_.hlc, origins.last_hash(self), {}};
    for (const auto& [origin, position] : origins.vector().changed_since(origins.seen(self)))
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

  void apply(const NetChange& c, RowVersion& version) {
    if (c.op == Op::erase) {
      version = RowVersion{version.generation, Death{store_.self(), next_seq()}, {}};
    } else {
      for (FieldMask left = c.changed; left != 0; left &= left - 1)
        version.set(static_cast<FieldIndex>(std::countr_zero(left)), stamp_);
    }
    store_.rows().put(c.model, c.key, version);
  }

  Store& store_;
  WallTime wall_;
  Stamp stamp_;
  std::vector<Change> changes_;
};

Error wrong_class(const Store& store, const NetChange& c, WriteScope scope) {
  const bool shared = scope == WriteScope::device_owned;  // the change is of the other class
  return {Errc::wrong_class,
          std::string("a change of a ") + (shared ? "shared" : "device-owned") + " model in " +
              (shared ? "commit_device_owned" : "commit_shared"),
          row_name(store, c), "use write(), or the call for that class"};
}

void list_rows(std::span<const NetChange> changes, ChangeEvent& event) {
  event.overflow = changes.size() > limits::kChangeEventRowsMax;
  if (event.overflow) return;
  event.rows.reserve(changes.size());
  for (const NetChange& c : changes) event.rows.push_back({c.model, c.op, c.changed, Bytes(c.key)});
}

}  // namespace

Expected<LocalCommit> stamp_changes(Store& store, std::span<const NetChange> changes, WriteScope scope, WallTime wall) {
  LocalCommit commit;
  commit.origin = store.self();
  commit.rows = changes.size();
  StateStamper state(store);
  LogStamper log(store, wall);
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
  state.finish(commit);
  const Expected<void> logged = log.finish(commit);
  if (!logged) return logged.error();
  commit.changes.local = true;
  commit.changes.origin = commit.origin;
  list_rows(changes, commit.changes);
  return commit;
}

}  // namespace starling
