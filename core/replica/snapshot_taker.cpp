#include "core/replica/snapshot_taker.h"

#include <algorithm>

#include "core/base/assert.h"
#include "core/base/limits.h"
#include "core/base/planted_bug.h"
#include "core/base/sha256.h"
#include "core/replica/conflict_recorder.h"
#include "core/replica/obstacle.h"
#include "core/store/held_changes.h"
#include "core/store/origin_table.h"
#include "core/store/peer_log.h"
#include "core/store/row_image.h"
#include "core/store/row_store.h"
#include "core/store/snapshot_stage.h"
#include "core/store/store.h"
#include "proto/model_table.h"
#include "proto/snapshot_page.h"

namespace starling {
namespace {

constexpr int kIdleMax = 2;  // heartbeats
constexpr std::size_t kRowsPerSlice = 2000;

Error bad(const char* what) { return {Errc::corrupt, what, "snapshot", ""}; }

}  // namespace

bool SnapshotTaker::merging() const { return store_.snapshot().merging().has_value(); }

bool SnapshotTaker::ended(SessionId session) {
  declined_.erase(session);
  if (wanted_ == session) wanted_ = 0;
  if (session_ != session) return false;
  session_ = 0;
  return true;
}

// A slow line is slow, not dead: only a source that has nothing to say any more is given up.
bool SnapshotTaker::idle(SessionId session) {
  declined_.erase(session);  // it may have one by now
  return session_ == session && ++idle_ >= kIdleMax && ended(session);
}

std::optional<std::pair<SessionId, SnapshotRequest>> SnapshotTaker::plan() {
  if (merging()) wanted_ = 0;
  if (wanted_ == 0) return std::nullopt;
  session_ = std::exchange(wanted_, 0);
  used_ = 0;
  idle_ = 0;
  return std::pair(session_, SnapshotRequest{static_cast<std::uint32_t>(limits::kPullCredit), true, store_.snapshot().kept()});
}

Expected<std::optional<SnapshotRequest>> SnapshotTaker::take(SessionId session, const SnapshotPage& page, WallTime wall) {
  if (session != session_ || merging()) return std::optional<SnapshotRequest>();  // no longer asked for
  idle_ = 0;
  if (page.snapshot.is_zero()) {
    session_ = 0;
    declined_.insert(session);
    return std::optional<SnapshotRequest>();
  }
  if (page.index == 0) {  // a new one, whatever came before
    store_.snapshot().begin();
    snapshot_ = page.snapshot;
    model_.reset();
    through_.clear();
    done_.clear();
  }
  // Pages may have been dropped on their way, where an outbox was full, or taken back with a step that was undone: what has
  // come stays, and the rest is asked for again.
  const bool follows = page.snapshot == snapshot_ && page.index == store_.snapshot().listed();
  if (!follows || (page.body.empty() && !store_.snapshot().has(page.hash))) {
    session_ = 0;
    return std::optional<SnapshotRequest>();
  }
  if (const Expected<void> good = check(page, wall); !good) {
    session_ = 0;
    if (good.error().code != Errc::clock) return good.error();
    return std::optional<SnapshotRequest>();  // it waits as a whole: asked for again
  }
  if (page.last) {
    session_ = 0;
    if (!all_models()) return bad("it ends before its last model");
    add_empty_models();
    store_.snapshot().complete();
    swept_ = 0;
    store_.set_merging(vector_);
    store_.clock().observe(vector_.greatest_hlc());
    return std::optional<SnapshotRequest>();
  }
  used_ += page.body.size() + sizeof page;
  if (used_ < limits::kPullCredit / 4) return std::optional<SnapshotRequest>();
  return std::optional(SnapshotRequest{static_cast<std::uint32_t>(std::exchange(used_, 0)), false, {}});
}

// Whether it is what it says, and goes on with the snapshot; then it is staged.
Expected<void> SnapshotTaker::check(const SnapshotPage& page, WallTime wall) {
  SnapshotStage& stage = store_.snapshot();
  if (!page.body.empty() && hash128(page.body) != page.hash) return bad("a page that is not what its hash says");
  if (page.index == 0 && page.hash != page.snapshot) return bad("a first page of another snapshot");
  if (!page.body.empty() && stage.has(page.hash)) ++duplicates_;
  ASSERT(stage.put(page.hash, page.body));
  const Bytes body = page.body.empty() ? *stage.page(page.index) : page.body;
  if (page.index != 0) return check_range(body);
  const Expected<SnapshotHead> head = decode_snapshot_head(body);
  if (!head) return head.error();
  vector_ = head->vector();
  const Position own = vector_.at(store_.self());
  if (own.seq > store_.origins().position(store_.self_ordinal()).seq) return bad("it knows more of this device than this device");
  if (!HlcClock::acceptable(vector_.greatest_hlc(), wall))
    return Error{Errc::clock, "its clock is ahead of ours", "snapshot", ""};
  return {};
}

// Pages of a model follow each other without a gap, to its end; what rows hold is what their declarations allow. Rows are
// as of the vector, so all that is said of them lies within it: neither a stamp of the future nor an origin that nobody
// has heard of comes in by a page.
Expected<void> SnapshotTaker::check_range(BytesView body) {
  const Expected<DecodedSnapshotPage> page = decode_snapshot_page(body, store_.schema());
  if (!page) return page.error();
  const auto& models = store_.schema().models;
  const ModelSchema* m = page->model < models.size() ? &models[page->model] : nullptr;
  const std::string name = m != nullptr ? m->name : std::string(page->unknown.name);
  if (model_ ? *model_ != name : done_.contains(name)) return bad("its models are not in order");
  if (!page->range.to_end && page->range.through <= through_) return bad("its keys are not in order");
  if (!page->rows.empty() && page->rows.front().key <= through_) return bad("its keys are not in order");
  for (const SnapshotRow& row : page->rows) {
    if (!covers(vector_, row.version)) return bad("a row with a change beyond its vector");
    if (m == nullptr) continue;
    Expected<void> good = check_key(*m, row.key);
    if (good && m->built_in && !row.version.death) good = check_values(*m, plain_fields(*m), row.values);
    if (!good) return good;
  }
  through_ = page->range.through;
  model_ = page->range.to_end ? std::nullopt : std::optional(name);
  if (page->range.to_end) done_.insert(name);
  return {};
}

// A model that the source does not have has no rows there, nor anything that waits (snapshot_source.h).
bool SnapshotTaker::all_models() const {
  const auto& models = store_.schema().models;
  return !model_ && std::all_of(models.begin(), models.end(), [this](const ModelSchema& m) {
    return m.kind != Kind::shared || done_.contains(m.name) || !models_of_source_.contains(m.name);
  });
}

// What we have of those the snapshot has seen die.
void SnapshotTaker::add_empty_models() {
  const Schema& schema = store_.schema();
  for (const ModelSchema& m : schema.models) {
    if (m.kind != Kind::shared || done_.contains(m.name)) continue;
    const Bytes page = encode_snapshot_page(schema, schema.index_of(m), {}, {{}, true});
    ASSERT(store_.snapshot().put(hash128(page), page));
  }
}

std::uint64_t SnapshotTaker::page() const { return store_.snapshot().merging()->page; }

std::optional<ChangeSet> SnapshotTaker::merge_more(WallTime wall) {
  ApplyResult result;
  result.event.schema = store_.shared_schema();
  const SnapshotStage::Cursor cursor = *store_.snapshot().merging();
  const std::optional<Bytes> body = store_.snapshot().page(cursor.page);
  if (!body) {
    finish();
    return std::move(result.event);
  }
  const Expected<DecodedSnapshotPage> page = decode_snapshot_page(*body, store_.schema());
  if (!page) throw std::runtime_error("sync_snapshot_page does not decode: the database is damaged");
  ConflictRecorder recorder(store_, store_.merging(), wall);

  // The slice ends with the page, or with so many rows of ours.
  const bool known = page->model < store_.schema().models.size();
  const std::vector<UnknownModel> unknown{page->unknown};
  const Obstacles obstacles(store_, unknown);
  std::vector<LocalRow> mine;
  const auto take = [&](BytesView key, const RowVersion& version) {
    const bool in_range = page->range.to_end || key <= page->range.through;
    if (!in_range || mine.size() == kRowsPerSlice) return false;
    mine.push_back({Bytes(key), version});
    return true;
  };
  if (known) store_.rows().read_shared(page->model, cursor.key, take);
  const bool whole = mine.size() < kRowsPerSlice;
  std::span<const SnapshotRow> theirs(page->rows);
  const auto up_to = [&](BytesView key) { return std::ranges::upper_bound(theirs, key, {}, &SnapshotRow::key) - theirs.begin(); };
  if (!whole) theirs = theirs.first(up_to(mine.back().key));
  theirs = theirs.subspan(up_to(cursor.key));
  const Slice slice{page->model, obstacles, page->fields, theirs, mine, recorder, result};
  const std::optional<Bytes> end = !whole ? std::optional(mine.back().key) : page->range.to_end ? std::nullopt : std::optional(page->range.through);
  const bool all_may_wait = !known || applier_.care() != Care::none;
  if (all_may_wait && !applier_.has_room(theirs.size() + mine.size())) return std::nullopt;
  sweep_held(slice, cursor.key, end);
  merge_range(slice);
  applier_.settle(wall, result);
  if (!whole) store_.snapshot().advance({cursor.page, mine.back().key});
  else store_.snapshot().advance({cursor.page + 1, page->range.to_end ? Bytes() : page->range.through});
  return std::move(result.event);
}

// What waits of rows that the range does not list: where the snapshot knows the generation, the row has died.
void SnapshotTaker::sweep_held(const Slice& slice, BytesView after, const std::optional<Bytes>& through) {
  HeldChanges& held = store_.held();
  if (held.count() == 0) return;
  const std::string name = slice.obstacles.name_of(slice.model);
  for (std::optional<Bytes> key = held.next_key(name, Bytes(after)); key && (!through || *key <= *through); key = held.next_key(name, key)) {
    const auto listed = std::ranges::lower_bound(slice.theirs, BytesView(*key), {}, &SnapshotRow::key);
    if (listed != slice.theirs.end() && listed->key == *key) continue;
    for (std::optional<HeldChange> c = held.next_of(name, *key, 0); c; c = held.next_of(name, *key, c->id))
      if (c->generation.hlc != Hlc{} && store_.merging().covers(c->generation)) held.drop(c->id);
  }
}

// Many at a time: a row as it was inserted, with nothing in its way.
bool SnapshotTaker::can_be_put(const Slice& slice, const SnapshotRow& row) const {
  if (row.version.death || row.version.seeded || !row.version.fields.empty() || applier_.care() != Care::none) return false;
  if (slice.model >= store_.schema().models.size() || slice.fields != plain_fields(store_.schema().models[slice.model])) return false;
  return slice.obstacles.of(Change{slice.model, Op::insert, row.version.generation, row.key, slice.fields, row.values}).empty();
}

void SnapshotTaker::sweep_row(const Slice& slice, const LocalRow& mine) {
  const Stamp& generation = mine.version.generation;
  if (mine.version.death || generation.hlc == Hlc{} || !store_.merging().covers(generation)) return;
  if (planted(PlantedBug::snapshot_without_sweep)) return;
  if (applier_.sweep(slice.model, mine.key, mine.version, slice.recorder, slice.result)) ++swept_;
}

void SnapshotTaker::merge_range(const Slice& slice) {
  auto listed = slice.theirs.begin();
  auto local = slice.mine.begin();
  std::vector<NewRow> fresh;  // rows of nobody's before
  const auto put_fresh = [&] {
    applier_.new_rows_of_snapshot(slice.model, fresh, slice.result);
    fresh.clear();
  };
  const std::string name = slice.obstacles.name_of(slice.model);
  while (listed != slice.theirs.end() || local != slice.mine.end()) {
    if (local == slice.mine.end() || (listed != slice.theirs.end() && listed->key < local->key)) {
      const Stamp& generation = listed->version.generation;
      const bool seen = generation.hlc != Hlc{} && store_.origins().vector().covers(generation);
      const bool waits = store_.held().holds(name, listed->key);
      const bool seen_to_die = seen && !waits;
      if (waits && covers(store_.origins().vector(), listed->version)) {}  // all that is said of it waits already
      else if (!seen_to_die && can_be_put(slice, *listed)) fresh.push_back({listed->key, listed->values, {}, &generation});
      else if (!seen_to_die) merge_row(slice, *listed);
      if (fresh.size() == RowStore::kMany) put_fresh();
      ++listed;
    } else if (listed == slice.theirs.end() || local->key < listed->key) {
      sweep_row(slice, *local);
      ++local;
    } else {
      const bool waits = store_.held().holds(name, listed->key);
      if (!waits || !covers(store_.origins().vector(), listed->version)) merge_row(slice, *listed);
      ++listed;
      ++local;
    }
  }
  put_fresh();
}

// As the changes that make it (core/causal/merge.h).
void SnapshotTaker::merge_row(const Slice& slice, const SnapshotRow& row) {
  const RowVersion& v = row.version;
  const std::string name = slice.obstacles.name_of(slice.model);
  const auto apply = [&](const Change& c, const Applier::Place& place) {
    slice.recorder.set_stamp(place.stamp);
    applier_.change_or_hold(c, place, slice.obstacles.of(c), name, slice.recorder, slice.result);
  };
  if (v.death) apply({slice.model, Op::erase, v.generation, row.key, 0, {}}, {{Hlc{}, v.death->origin}, v.death->seq});
  else apply({slice.model, Op::insert, v.generation, row.key, slice.fields, row.values}, {v.generation, Seq{}});
  if (v.seeded && slice.model < store_.schema().models.size()) store_.rows().mark_seed(slice.model, row.key);
  for (const FieldStamp& f : v.fields) {
    const FieldMask bit = FieldMask{1} << f.field;
    ByteWriter value;
    pick_fields(row.values, slice.fields, bit, value);
    apply({slice.model, Op::update, v.generation, row.key, bit, value.bytes()}, {f.stamp, Seq{}});
  }
}

// All is merged: what the snapshot says of the logs is true of us.
void SnapshotTaker::finish() {
  const Expected<SnapshotHead> head = decode_snapshot_head(*store_.snapshot().page(0));
  OriginTable& origins = store_.origins();
  for (const SnapshotHead::Log& log : head->logs) {
    const Ordinal ordinal = origins.ordinal(log.origin);
    if (log.seq <= origins.position(ordinal).seq) continue;
    while (store_.log().drop(ordinal, log.seq, limits::kPruneRows) > 0) {}
    origins.raise_horizon(ordinal, {Rev{}, log.seq, log.hlc});
    origins.advance_seq(ordinal, log.seq, log.hlc, log.hash, log.seen.empty() ? head->vector() : log.seen);
  }
  store_.snapshot().clear();
  store_.set_merging({});
}

}  // namespace starling
