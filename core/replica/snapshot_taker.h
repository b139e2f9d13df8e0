// The taker of snapshots: for a device whom no log reaches any more, or a newcomer.
//
// It asks one peer at a time, stages the pages as they come (core/store/snapshot_stage.h), and merges once all are
// here, in bounded slices, one for each step:
//   - a row of a page by the merge rule, as the changes that make it;
//   - a row of ours that its range does not list, whose generation the snapshot's vector covers, has died: removed;
//   - a row of a page that we do not have, whose generation our vector covers, has died here: passed over.
// With the last slice our vector becomes the greater of both. From the first one on our own entries declare the
// snapshot's vector as seen (Store::known), no log is taken in, and nobody gets a snapshot of us.
// A peer that is gone is replaced by any other; pages that are equal there are not sent again. So is one that has none to give
// for a while (snapshot_source.h).
// Rows in quarantine take part: what a page says of a row that waits joins its queue, and what waits of a row that the range
// does not list is dropped where the snapshot's vector covers its generation. Pages of models that are not here are held whole.
#pragma once

#include "core/causal/merge.h"
#include "core/replica/applier.h"
#include "core/replica/peer_session.h"

namespace starling {

class ConflictRecorder;
class Obstacles;
struct SnapshotRow;

class SnapshotTaker {
 public:
  SnapshotTaker(Store& store, Applier& applier) : store_(store), applier_(applier) {}

  // What we lack is gone from this peer's log.
  void need(const PeerSession& s) {
    if (session_ != 0 || declined(s.id)) return;
    wanted_ = s.id;
    models_of_source_ = s.models;
  }
  [[nodiscard]] bool declined(SessionId session) const { return declined_.contains(session); }
  void forget_declined() { declined_.clear(); }
  // True: it was asked, and what it has not sent must be asked of another.
  bool ended(SessionId);
  // The request to send, if one is due; in a transaction where there is one.
  [[nodiscard]] std::optional<std::pair<SessionId, SnapshotRequest>> plan();
  [[nodiscard]] bool wants_transaction() const { return wanted_ != 0 && !merging(); }

  // In a transaction. Errors, the peer's fault: a page that does not follow, or is none. Gives the top-up to send.
  [[nodiscard]] Expected<std::optional<SnapshotRequest>> take(SessionId, const SnapshotPage&, WallTime);

  [[nodiscard]] bool merging() const;
  [[nodiscard]] std::uint64_t duplicates() const { return duplicates_; }  // pages that came although we had them
  [[nodiscard]] std::size_t swept() const { return swept_; }  // rows of ours that had died, in the last snapshot
  [[nodiscard]] std::uint64_t page() const;  // that is being merged
  [[nodiscard]] std::optional<ChangeSet> merge_more(WallTime);  // one slice, in a transaction; nullopt: quarantine is full
  bool idle(SessionId);  // it says that nothing is under way. True: as ended()

 private:
  [[nodiscard]] Expected<void> check(const SnapshotPage&, WallTime);
  [[nodiscard]] Expected<void> check_range(BytesView body);
  [[nodiscard]] bool all_models() const;
  struct LocalRow {
    Bytes key;
    RowVersion version;
  };
  struct Slice {  // of a page
    ModelIndex model = 0;  // maybe none of ours
    const Obstacles& obstacles;
    FieldMask fields = 0;
    std::span<const SnapshotRow> theirs;
    std::span<const LocalRow> mine;
    ConflictRecorder& recorder;
    ApplyResult& result;
  };
  void merge_range(const Slice&);
  void merge_row(const Slice&, const SnapshotRow&);
  void sweep_row(const Slice&, const LocalRow&);
  void sweep_held(const Slice&, BytesView after, const std::optional<Bytes>& through);
  [[nodiscard]] bool can_be_put(const Slice&, const SnapshotRow&) const;
  void add_empty_models();
  void finish();

  Store& store_;
  Applier& applier_;
  SessionId wanted_ = 0;
  SessionId session_ = 0;  // asked
  Hash128 snapshot_;
  VersionVector vector_;   // of its head
  std::size_t used_ = 0;   // bytes taken since the last request
  std::size_t swept_ = 0;
  int idle_ = 0;           // heartbeats since the last page: nothing else was said
  std::uint64_t duplicates_ = 0;
  std::optional<std::string> model_;  // whose pages come
  Bytes through_;                     // so far
  std::set<std::string> done_;
  std::set<std::string> models_of_source_;
  std::set<SessionId> declined_;      // they had none to give
};

}  // namespace starling
