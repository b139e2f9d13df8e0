// Keeps rows as they were written: compares digests with peers, scrubs, and repairs from whoever has the row.
//
// Heartbeats carry a digest of all visible rows. Where vectors are equal and digests are not, one side compares groups,
// then ranges, then rows, and takes what it lacks (row_repair.h): the lesser device id first; if digests still differ
// afterwards, the other takes its turn, and so on with growing pauses. The scrub (scrubber.h) finds rows that are not as
// they were written; they are fetched from any peer whose vector is ours. One repair runs at a time, one question at a
// time; an answer of another moment (its vector is not ours) is dropped and the repair begins again later. Nothing here
// moves a position. Damage stays in `damaged` until it is healed; nobody to ask is no error.
#pragma once

#include <functional>
#include <map>
#include <set>

#include "core/replica/peer_session.h"
#include "core/replica/scrubber.h"
#include "proto/digest_page.h"

namespace starling {

class Repairer {
 public:
  // What it sees of a step, and may do in it.
  struct Step {
    std::map<SessionId, PeerSession>& sessions;
    const VersionVector& vector;  // as it is told to peers
    Now now;
    std::function<void(SessionId, Message)> send;
    std::function<void(SessionId, Error)> refuse;
    std::vector<Effect>& effects;
  };

  Repairer(Store& store, Duration scrub_pass) : store_(store), scrubber_(store, scrub_pass) {}

  // What a heartbeat tells: zero where rows are not to be compared, for there is something in quarantine or fields are kept
  // that this device does not know, or a commit is not told yet.
  [[nodiscard]] Hash128 digest(const VersionVector& shown);
  void heard(const PeerSession&, const Heartbeat&, Step&);
  // Kept until run(): one of each for a session, for a peer waits for its answer before it asks on.
  void keep(SessionId session, const DigestRequest& m) { questions_[session] = m; }
  void keep(SessionId session, const DigestResponse& m) { answers_[session] = m; }
  // At the end of a step. Commits what the step has written before, and what it repairs.
  void run(Step&);

  [[nodiscard]] std::optional<MonoTime> next_deadline() const;
  [[nodiscard]] std::uint64_t damaged() const { return damaged_.size(); }
  [[nodiscard]] std::uint64_t repaired() const { return repaired_; }

 private:
  struct Job {  // a group to be compared
    ModelIndex model = 0;
    Origin owner;
    std::optional<RangeMask> ranges;  // nullopt: to be asked
  };
  struct Repair {  // under way with a peer
    SessionId session = 0;
    DeviceId peer;
    DigestRequest asked;
    MonoTime until;
    std::vector<Job> jobs;  // the last is at work
    std::set<std::pair<ModelIndex, Origin>> differed;  // groups with other ranges
    std::uint64_t taken = 0;
    bool by_digest = false;  // else of what the scrub found
  };
  struct Mismatch {
    std::uint64_t heard = 0;  // in how many heartbeats
    bool due = false;         // it is our turn
    MonoTime not_before;
    Duration pause = limits::kRepairBackoffFirst;
  };

  void answer_questions(Step&);
  void scrub(Step&);
  void begin(Step&);
  void take(const DigestResponse&, Step&);
  void ask_next(Step&);
  void ask(DigestRequest, Step&);
  void take_groups(const std::vector<DigestGroup>&);
  void take_ranges(const RangeSums&, Step&);
  // nullopt: a row was refused by SQLite, or by us; nothing of the page stands.
  std::optional<ChangeSet> take_rows(const DigestRequest&, const std::vector<RepairRow>&, Step&);
  void finish(Step&);
  void recount(const Repair&, Step&);
  void give_up(Step&, Duration pause);
  void forget_healed(Step&);
  [[nodiscard]] std::vector<Job> damaged_jobs() const;
  [[nodiscard]] std::string name(ModelIndex, BytesView key) const;
  void note(Step&, LogLevel, NodeEvent::Kind, const DeviceId&, std::string) const;

  Store& store_;
  Scrubber scrubber_;
  std::shared_ptr<const Schema> schema_;  // that `damaged_` and `repair_` speak of
  std::map<SessionId, DigestRequest> questions_;
  std::map<SessionId, DigestResponse> answers_;
  std::map<DeviceId, Mismatch> mismatches_;
  std::optional<Repair> repair_;
  std::map<std::pair<ModelIndex, Bytes>, Damage> damaged_;
  MonoTime damage_not_before_;
  bool helper_ = false;  // somebody is connected
  Duration damage_pause_ = limits::kRepairBackoffFirst;
  std::optional<MonoTime> next_slice_;
  MonoTime next_save_;
  std::uint64_t repaired_ = 0;
};

}  // namespace starling
