#include "core/replica/quarantine_release.h"

#include <SQLiteCpp/Exception.h>

#include <bit>

#include "core/base/planted_bug.h"
#include "core/replica/conflict_recorder.h"
#include "core/replica/obstacle.h"
#include "core/replica/undo.h"
#include "core/store/held_changes.h"
#include "core/store/origin_table.h"
#include "core/store/quarantine.h"
#include "core/store/row_image.h"
#include "core/store/row_store.h"
#include "core/store/sql_error.h"
#include "core/store/store.h"
#include "core/store/trial_mark.h"
#include "proto/entry.h"
#include "proto/model_table.h"
#include "proto/state_page.h"

namespace starling {
namespace {

const std::vector<UnknownModel> kNone;
constexpr std::size_t kMarkedCost = 9;  // of the budget: two small commits

std::size_t values_in(BytesView typed) {
  std::size_t n = 0;
  for (ByteReader r(typed); !r.rest().empty() && !r.failed(); ++n) (void)read_value_bytes(r);
  return n;
}

// The row with the values of fields that its author did not have yet. nullopt: it cannot be one of this model.
std::optional<Bytes> completed(const ModelSchema& m, FieldMask had, BytesView values) {
  if ((had & ~m.all_fields()) != 0) return (had & m.all_fields()) == plain_fields(m) ? std::optional(Bytes(values)) : std::nullopt;
  const std::optional<Bytes> added = m.values_added_since(had);
  return added ? std::optional(Bytes(values) + *added) : std::nullopt;
}

FieldMask first_fields(FieldMask plain, std::size_t count) {
  while (static_cast<std::size_t>(std::popcount(plain)) > count) plain &= ~std::bit_floor(plain);
  return plain;
}

}  // namespace

bool QuarantineReleaser::go_on(WallTime wall, std::size_t most, Ended ended, ApplyResult& result) {
  ended_ = ended;
  for (budget_ = most; budget_ > 0; --budget_)
    if (!next_row(wall, result)) return false;
  return true;
}

// False: the round is over.
bool QuarantineReleaser::next_row(WallTime wall, ApplyResult& result) {
  const auto& models = store_.schema().models;
  for (; model_ < models.size(); ++model_, stage_ = Stage::kept, key_.reset()) {
    if (stage_ == Stage::kept) {
      key_ = store_.rows().next_kept_due(model_, key_);
      if (key_) {
        take_up(model_, *key_, wall, result);
        return true;
      }
      stage_ = Stage::held;
    }
    const ModelSchema& m = models[model_];
    if (planted(PlantedBug::quarantine_not_released)) continue;
    if (m.kind == Kind::shared) {
      if (store_.held().count() == 0) continue;
      const std::optional<Bytes> key = store_.held().next_key(m.name, key_);
      if (!key) {
        key_.reset();
        continue;
      }
      if (release_shared(model_, *key, wall, result)) key_ = key;  // else it goes on with that row
      return true;
    }
    const std::optional<QuarantinedRow> after = key_ ? std::optional(QuarantinedRow{origin_, {}, false, *key_, {}, {}}) : std::nullopt;
    const std::optional<QuarantinedRow> row = store_.quarantine().next(m.name, after);
    if (!row) continue;
    key_ = row->key;
    origin_ = row->origin;
    if (may_try(row->why)) release_owned(model_, *row, result);
    return true;
  }
  model_ = 0;
  return false;
}

bool QuarantineReleaser::may_try(std::string_view why) const {
  return ended_ == Ended::all || (why != kEndedAlone && (why != kEndedTheProcess || ended_ == Ended::by_itself));
}

// A life that ended over it does not try it again by itself (trial_mark.h).
void QuarantineReleaser::mark(const Trial& trial, bool always) {
  if (!always && !store_.trial().careful()) return;
  budget_ -= std::min<std::size_t>(budget_ - 1, kMarkedCost);
  store_.commit();
  store_.begin(TransactionKind::apply);
  store_.trial().set(trial);
  store_.commit();
  store_.begin(TransactionKind::apply);
  store_.trial().clear();
  if (++marked_ >= limits::kCarefulSteps) store_.trial().relax();
}

// Fields that the model has by now, as they were kept: all at once, or, where that is refused, one by one.
void QuarantineReleaser::take_up(ModelIndex model, BytesView key, WallTime wall, ApplyResult& result) {
  const Trial trial{Tried::kept, {}, model};
  if (store_.trial().ended(trial) > 0 && ended_ != Ended::all) return;  // they wait for a life that ended well, or for somebody's word
  mark(trial, false);
  const FieldMask due = store_.rows().kept(model, key).fields & store_.schema().models[model].all_fields();
  if (take_up(model, key, due, wall, result)) return;
  if (std::popcount(due) > 1)
    for (FieldMask left = due; left != 0; left &= left - 1) (void)take_up(model, key, left & (~left + 1), wall, result);
  store_.rows().note_kept_refused();
}

// False: refused; they stay as they are.
bool QuarantineReleaser::take_up(ModelIndex model, BytesView key, FieldMask due, WallTime wall, ApplyResult& result) {
  RowStore& rows = store_.rows();
  const ModelSchema& m = store_.schema().models[model];
  const KeptFields::Kept kept = rows.kept(model, key);
  ByteWriter fresh;
  pick_fields(kept.values, kept.fields, due, fresh);
  const std::optional<BytesView> row = rows.read_row(model, key);
  const std::optional<RowVersion> version = m.kind == Kind::shared ? rows.version(model, key) : std::nullopt;
  const std::optional<OwnedVersion> owned = m.kind == Kind::device_owned ? rows.owned(model, key) : std::nullopt;
  if (!row || (!version && !owned)) {
    rows.drop_kept(model, key, due);
    return true;
  }
  const Bytes before(*row);
  const Bytes after = overlay_fields(before, plain_fields(m), fresh.bytes(), due, due);
  const bool intact = version ? rows.is_intact(model, key, *version, before) : rows.is_intact(model, key, *owned, before);
  if (!check_values(m, due, fresh.bytes())) return false;
  bool told_later = false;
  const std::optional<std::string> refused = applier_.try_alone({m.name, Bytes(key)}, wall, result, [&] {
    rows.drop_kept(model, key, due);
    rows.update_row(model, key, due, fresh.bytes());
    told_later = rows.pending().find({model, Bytes(key)}) != nullptr;  // with what is shown of it
    if (version) rows.put(model, key, *version, after, intact);
    else rows.put_owned(model, key, *owned, after, intact);
  });
  if (refused) return false;
  ++released_;
  if (!told_later) applier_.note_taken(model, Op::update, due, key, result);
  return true;
}

// What any order of these changes comes to: those of older generations than the latest, and those that died, no longer count.
struct Outcome {
  std::optional<Stamp> opened, died;
  [[nodiscard]] bool supersedes(const HeldChange& c) const {
    return (opened && c.generation < *opened) || (died && c.op != Op::erase && c.generation <= *died);
  }
};

Outcome outcome_of(HeldChanges& held, const std::string& model, const Bytes& key) {
  Outcome outcome;
  for (std::optional<HeldChange> c = held.next_of(model, key, 0); c; c = held.next_of(model, key, c->id)) {
    std::optional<Stamp>& latest = c->op == Op::erase ? outcome.died : outcome.opened;
    if (c->op != Op::update && (!latest || c->generation > *latest)) latest = c->generation;
  }
  return outcome;
}

bool is_seed(const HeldChange& c) { return c.op == Op::insert && c.generation == Stamp{}; }

// False: there is more of it to try. A seed that came too late leaves its mark on the row that stands (RowVersion::seeded), and
// waits until there is one.
bool QuarantineReleaser::release_shared(ModelIndex model, const Bytes& key, WallTime wall, ApplyResult& result) {
  HeldChanges& held = store_.held();
  const std::string name = store_.schema().models[model].name;
  const Outcome outcome = outcome_of(held, name, key);
  const auto stands = [&] { return store_.rows().version(model, key).has_value(); };
  bool passed_over = false;
  for (std::optional<HeldChange> c = held.next_of(name, key, 0); c; c = held.next_of(name, key, c->id)) {
    if (!may_try(c->why)) return true;
    if (outcome.supersedes(*c)) {
      passed_over = passed_over || (is_seed(*c) && !stands());
      if (is_seed(*c) && !stands()) continue;
      note_superseded(model, *c, {}, wall);
    } else {
      mark({Tried::release, {}, static_cast<std::uint64_t>(c->id)}, c->why == kEndedTheProcess);
      if (const std::string why = try_held(model, *c, wall, result); !why.empty()) {
        held.explain(c->id, why);
        return true;
      }
    }
    held.drop(c->id);
    ++released_;
    if (budget_ <= 1) return false;
    --budget_;
  }
  return !passed_over || !stands();
}

void QuarantineReleaser::note_superseded(ModelIndex model, const HeldChange& c, const MergeResult& merged, WallTime wall) {
  const ModelSchema& m = store_.schema().models[model];
  if (is_seed(c)) store_.rows().mark_seed(model, c.key);
  if ((c.fields & ~plain_fields(m)) != 0) return;  // what it says of fields nobody here knows
  const EntryHeader header{c.stamp.origin, c.seq, c.stamp.hlc, {}, {}};
  ConflictRecorder recorder(store_, header, store_.origins().seen(store_.origins().ordinal(c.stamp.origin)), wall);
  const std::optional<RowVersion> mine = store_.rows().version(model, c.key);
  recorder.record({model, c.op, c.generation, c.key, c.fields, c.values}, mine ? &*mine : nullptr, merged);
}

// Empty: it was applied.
std::string QuarantineReleaser::try_held(ModelIndex model, const HeldChange& c, WallTime wall, ApplyResult& result) {
  const ModelSchema& m = store_.schema().models[model];
  if (!check_key(m, c.key) || (c.fields & m.key_fields()) != 0) return unfit::kOtherKey;
  const std::optional<RowVersion> mine = store_.rows().version(model, c.key);
  const MergeResult merged = merge(mine ? &*mine : nullptr, c.op, c.generation, c.fields & m.all_fields(), c.stamp);
  if (merged.verdict == Verdict::superseded && (c.fields & ~m.all_fields()) == 0) {  // whatever it says: it came too late
    note_superseded(model, c, merged, wall);
    return {};
  }
  Change change{model, c.op, c.generation, c.key, c.fields, c.values};
  Bytes whole;
  if (c.op == Op::insert) {
    std::optional<Bytes> row = completed(m, c.fields, c.values);
    if (!row) return unfit::kOtherFields;
    whole = std::move(*row);
    change.values = whole;
    change.fields |= plain_fields(m);
  }
  std::string why = Obstacles(store_, kNone).of_values(model, change.fields, change.values);
  if (!why.empty()) return why;
  const EntryHeader header{c.stamp.origin, c.seq, c.stamp.hlc, {}, {}};
  ConflictRecorder recorder(store_, header, store_.origins().seen(store_.origins().ordinal(c.stamp.origin)), wall);
  return applier_.try_change(change, {c.stamp, c.seq}, recorder, result).value_or("");
}

void QuarantineReleaser::release_owned(ModelIndex model, const QuarantinedRow& row, ApplyResult& result) {
  const ModelSchema& m = store_.schema().models[model];
  mark({Tried::release, store_.origins().origin(row.origin), row.rev.value}, row.why == kEndedTheProcess);
  std::string why;
  StateRow state{model, row.rev, row.deleted, row.key, row.row};
  std::optional<Bytes> whole;
  const std::size_t count = values_in(row.row);
  const auto plain = static_cast<std::size_t>(std::popcount(plain_fields(m)));
  if (!row.deleted && count < plain) {
    whole = completed(m, first_fields(plain_fields(m), count), row.row);
    if (whole) state.values = *whole;
    else why = unfit::kNoDefault;
  }
  if (!row.deleted && count > plain) state.columns = static_cast<std::uint8_t>(count);
  if (!check_key(m, row.key)) why = unfit::kOtherKey;
  if (why.empty()) why = Obstacles(store_, kNone).of(state);
  if (why.empty()) {
    applier_.take(Care::one_by_one);
    why = applier_.try_owned(state, row.origin, result).value_or("");
    applier_.take(Care::none);
  }
  if (why.empty()) ++released_;
  else if (why != row.why) store_.quarantine().put(m.name, row.key, row.origin, row.rev, why, row.deleted, row.row);
}

namespace {

// What the life before was releasing when it ended stays, and says so.
void explain_end(Store& store) {
  const std::optional<Trial> trial = store.trial().ended_release();
  if (!trial) return;
  store.begin(TransactionKind::apply);
  const Undo undo(store);
  if (trial->origin == Origin{}) store.held().explain(static_cast<std::int64_t>(trial->at), kEndedAlone);
  else if (const auto owner = store.origins().find(trial->origin)) store.quarantine().explain(*owner, Rev{trial->at}, kEndedAlone);
  store.commit();
}

}  // namespace

Released release_quarantine(Store& store, WallTime wall, Ended ended) {
  if (store.quarantined() == 0 && !store.rows().keeps_anything()) return {};
  if (ended == Ended::wait) explain_end(store);
  Applier applier(store);
  QuarantineReleaser releaser(store, applier);
  ApplyResult result;
  result.event.schema = store.shared_schema();
  for (bool more = true; more;) {
    store.begin(TransactionKind::apply);
    const Undo undo(store);
    const std::size_t rolled_back = applier.rolled_back();
    try {
      more = releaser.go_on(wall, limits::kReleaseRows, ended, result);
      store.commit();
    } catch (const SQLite::Exception& e) {  // it has rolled everything back over a row, which is left out the next time
      if (!is_user_error(e) || applier.rolled_back() == rolled_back) throw;
      store.rollback();
    }
  }
  return {releaser.released(), store.quarantined(), std::move(result.event)};
}

}  // namespace starling
