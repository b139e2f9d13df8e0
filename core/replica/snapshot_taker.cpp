#include "core/replica/snapshot_taker.h"

#include <algorithm>

#include "core/base/assert.h"
#include "core/base/limits.h"
#include "core/base/planted_bug.h"
#include "core/base/sha256.h"
#include "core/replica/conflict_recorder.h"
#include "core/store/origin_table.h"
#include "core/store/peer_log.h"
#include "core/store/row_image.h"
#include "core/store/row_store.h"
#include "core/store/snapshot_stage.h"
#include "core/store/store.h"
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
  const ModelSchema& m = store_.schema().models[page->model];
  if (model_ ? *model_ != page->model : done_.contains(page->model)) return bad("its models are not in order");
  if (!page->range.to_end && page->range.through <= through_) return bad("its keys are not in order");
  if (!page->rows.empty() && page->rows.front().key <= through_) return bad("its keys are not in order");
  for (const SnapshotRow& row : page->rows) {
    if (!covers(vector_, row.version)) return bad("a row with a change beyond its vector");
    Expected<void> good = check_key(m, row.key);
    if (good && !row.version.death) good = check_values(m, m.all_fields() & ~m.key_fields(), row.values);
    if (!good) return good;
  }
  through_ = page->range.through;
  model_ = page->range.to_end ? std::nullopt : std::optional(page->model);
  if (page->range.to_end) done_.insert(page->model);
  return {};
}

bool SnapshotTaker::all_models() const {
  const auto& models = store_.schema().models;
  const auto shared = std::count_if(models.begin(), models.end(), [](const ModelSchema& m) { return m.kind == Kind::shared; });
  return !model_ && done_.size() == static_cast<std::size_t>(shared);
}

ChangeSet SnapshotTaker::merge_more(WallTime wall) {
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
  std::vector<LocalRow> mine;
  store_.rows().read_shared(page->model, cursor.key, [&](BytesView key, const RowVersion& version) {
    const bool in_range = page->range.to_end || key <= page->range.through;
    if (!in_range || mine.size() == kRowsPerSlice) return false;
    mine.push_back({Bytes(key), version});
    return true;
  });
  const bool whole = mine.size() < kRowsPerSlice;
  std::span<const SnapshotRow> theirs(page->rows);
  const auto up_to = [&](BytesView key) { return std::ranges::upper_bound(theirs, key, {}, &SnapshotRow::key) - theirs.begin(); };
  if (!whole) theirs = theirs.first(up_to(mine.back().key));
  theirs = theirs.subspan(up_to(cursor.key));
  merge_range(page->model, theirs, mine, recorder, result);
  applier_.settle(wall, result);
  if (!whole) store_.snapshot().advance({cursor.page, mine.back().key});
  else store_.snapshot().advance({cursor.page + 1, page->range.to_end ? Bytes() : page->range.through});
  return std::move(result.event);
}

// Keys behind `after`, up to `through` or, where that is empty, to the end of the page's range.
void SnapshotTaker::merge_range(ModelIndex model, std::span<const SnapshotRow> theirs, std::span<const LocalRow> mine,
                                ConflictRecorder& recorder, ApplyResult& result) {
  const VersionVector& seen = store_.merging();
  auto listed = theirs.begin();
  auto local = mine.begin();
  std::vector<NewRow> fresh;  // rows of nobody's before
  const auto put_fresh = [&] {
    applier_.new_rows_of_snapshot(model, fresh, result);
    fresh.clear();
  };
  while (listed != theirs.end() || local != mine.end()) {
    if (local == mine.end() || (listed != theirs.end() && listed->key < local->key)) {
      const Stamp& generation = listed->version.generation;
      const bool seen_to_die = generation.hlc != Hlc{} && store_.origins().vector().covers(generation);
      const bool plain = !listed->version.death && listed->version.fields.empty();
      if (!seen_to_die && plain) fresh.push_back({listed->key, listed->values, {}, &generation});
      else if (!seen_to_die) merge_row(model, *listed, recorder, result);
      if (fresh.size() == RowStore::kMany) put_fresh();
      ++listed;
    } else if (listed == theirs.end() || local->key < listed->key) {
      const Stamp& generation = local->version.generation;
      if (!local->version.death && generation.hlc != Hlc{} && seen.covers(generation) && !planted(PlantedBug::snapshot_without_sweep)) {
        applier_.sweep(model, local->key, local->version, recorder, result);
        ++swept_;
      }
      ++local;
    } else {
      merge_row(model, *listed, recorder, result);
      ++listed;
      ++local;
    }
  }
  put_fresh();
}

// As the changes that make it (core/causal/merge.h).
void SnapshotTaker::merge_row(ModelIndex model, const SnapshotRow& row, ConflictRecorder& recorder, ApplyResult& result) {
  const RowVersion& v = row.version;
  const ModelSchema& m = store_.schema().models[model];
  const FieldMask all = m.all_fields() & ~m.key_fields();
  if (v.death) {
    recorder.set_stamp({Hlc{}, v.death->origin});
    return applier_.change({model, Op::erase, v.generation, row.key, 0, {}}, {{Hlc{}, v.death->origin}, v.death->seq}, recorder, result);
  }
  recorder.set_stamp(v.generation);
  applier_.change({model, Op::insert, v.generation, row.key, all, row.values}, {v.generation, Seq{}}, recorder, result);
  for (const FieldStamp& f : v.fields) {
    const FieldMask bit = FieldMask{1} << f.field;
    ByteWriter value;
    pick_fields(row.values, all, bit, value);
    recorder.set_stamp(f.stamp);
    applier_.change({model, Op::update, v.generation, row.key, bit, value.bytes()}, {f.stamp, Seq{}}, recorder, result);
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
    origins.raise_horizon(ordinal, {Rev{}, log.seq});
    origins.advance_seq(ordinal, log.seq, log.hlc, log.hash, log.seen.empty() ? head->vector() : log.seen);
  }
  store_.snapshot().clear();
  store_.set_merging({});
}

}  // namespace starling
