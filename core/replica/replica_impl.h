// The state machine behind replica.h: its state and handlers, shared by the files that make it up.
//
//   replica.cpp           the step: from events to effects, and what is owed at its end
//   replica_sessions.cpp  sessions: Hello, members, refusals, acknowledgements
//   replica_changes.cpp   changes: pages, entries, snapshots, and requests for them
//   replica_careful.cpp   changes that SQLite refuses, that end the process, that wait in quarantine
// Handlers run inside one step; what they decide goes into `effects` and is given out after the commit.
#pragma once

#include <SQLiteCpp/Exception.h>

#include "core/replica/applier.h"
#include "core/replica/page_source.h"
#include "core/replica/part_taker.h"
#include "core/replica/pruner.h"
#include "core/replica/puller.h"
#include "core/replica/pusher.h"
#include "core/replica/quarantine_release.h"
#include "core/replica/repairer.h"
#include "core/replica/replica.h"
#include "core/replica/snapshot_source.h"
#include "core/replica/snapshot_taker.h"
#include "core/replica/waiting_entries.h"
#include "core/store/origin_table.h"
#include "core/store/sql_error.h"
#include "core/store/store.h"

namespace starling {

struct Renewal;

struct Replica::Impl {
  Impl(Store& s, Duration scrub_pass)
      : store(s), applier(s), source(s), snapshots(s), taker(s, applier), pruner(s), repairer(s, scrub_pass),
        announced(s.origins().vector().at(s.self())) {}

  Store& store;
  Applier applier;
  PageSource source;
  SnapshotSource snapshots;
  SnapshotTaker taker;
  Pruner pruner;
  Repairer repairer;
  Puller puller;
  PartTaker parts{store, applier, puller};
  Pusher pusher;
  WaitingEntries waiting;
  Position announced;  // of our own streams: commits beyond it are on disk, but their event is still to come
  std::map<SessionId, PeerSession> sessions;
  // Somebody has accepted our Hello in this life: what he forgets from now on this life has acknowledged.
  bool known_as_this = false;
  std::optional<VersionVector> join_target;  // what our first peer showed in its Hello, until we cover it
  SessionId join_source = 0;                 // that peer; once it is gone, another takes its place
  std::vector<Effect> effects;
  Now now;
  std::optional<DeviceId> snapshot_source;  // who was asked last, in this life
  std::optional<MonoTime> prune_at;  // something may go then
  bool own_back_noted = false;
  bool doubled_noted = false;
  bool renewed_as_told = false;  // by a peer, since we were opened: no peer makes us do it again and again
  std::optional<StreamKey> in_hand;  // the stream whose changes are being applied
  struct Counters {
    std::uint64_t rows_applied = 0, entries_applied = 0, duplicate_rows = 0;
    std::uint64_t entries_dropped = 0, tombstones_dropped = 0, snapshots_taken = 0;
  };
  Counters counters;
  Counters counters_before;  // as they stood when the transaction began
  std::size_t effects_before = 0;  // likewise
  std::uint64_t at_hand = 0;       // where what is in hand ends
  std::map<StreamKey, std::uint64_t> touchy;      // something of these was refused: their changes are applied one by one
  std::size_t rolled_back = 0;     // of the applier, as we know
  bool marked = false;             // what is in hand is marked on disk
  std::size_t careful_steps = 0;
  QuarantineReleaser releaser{store, applier};
  std::optional<MonoTime> retry_at;
  Duration retry_pause = limits::kRetryRefusedFirst;
  std::uint64_t released_in_round = 0;

  const VersionVector& ours() { return store.origins().vector(); }
  [[nodiscard]] VersionVector shown();
  void ensure_transaction() {
    if (store.in_transaction()) return;
    store.begin(TransactionKind::apply);
    counters_before = counters;
    effects_before = effects.size();
  }
  void send(PeerSession& s, Message message) {
    s.last_sent = now.mono;
    effects.push_back(Send{{s.id}, std::make_shared<const Message>(std::move(message))});
  }
  void note(LogLevel level, std::string text) { effects.push_back(Note{level, std::move(text), {}, {}}); }
  void note(LogLevel level, NodeEvent::Kind event, const DeviceId& peer, std::string text) {
    effects.push_back(Note{level, std::move(text), event, peer});
  }

  void refuse(PeerSession&, Error);
  void refuse_all(const Error&);
  void drop(SessionId);

  // What SQLite refuses of the changes in hand undoes the step, and is tried otherwise; all else goes on to the host.
  template <class F>
  bool guarded(const F& apply) {
    try {
      apply();
      return true;
    } catch (const SQLite::Exception& e) {
      if (!in_hand || !is_user_error(e)) throw;
      abandon(e);
      return false;
    }
  }
  void handle(const Event& event) {
    (void)guarded([&] { std::visit([this](const auto& e) { on(e); }, event); });
  }
  void on(const PeerUp&);
  void send_hello(PeerSession&);
  void on(const PeerDown& e) { drop(e.session); }
  void on(const Received&);
  void on(const OutboxFull&);
  void on(const Committed&);
  void on(const ModelsReplaced&);

  void receive(PeerSession&, const Hello&);
  void begin_anew(const Renewal&);
  void receive(PeerSession& s, const StateChange& m) { take_page(s, m.page, std::nullopt); }
  void receive(PeerSession&, const StateBatch&);
  void receive(PeerSession& s, const StateResponse& m) { take_page(s, m.page, m.last); }
  void receive(PeerSession&, const StateRequest&);
  void receive(PeerSession& s, const SharedChange& m) {
    take_entries(s, m.origin, {s.id, m.seq, {m.entry}, m.entry.size(), std::nullopt});
  }
  void receive(PeerSession& s, const SharedChangeBatch& m) { receive(s, m, std::nullopt); }
  void receive(PeerSession&, const SharedChangeResponse&);
  void receive(PeerSession&, const EntryPart&);
  void receive(PeerSession&, const SnapshotRequest&);
  void receive(PeerSession&, const SnapshotPage&);
  void receive(PeerSession&, const SharedChangeBatch&, std::optional<bool> last);
  void receive(PeerSession&, const SharedChangeRequest&);
  void receive(PeerSession&, const AckSharedChanges&);
  void receive(PeerSession&, const Heartbeat&);
  void receive(PeerSession&, const ErrorMessage&);
  void receive(PeerSession& s, const DigestRequest& m) { repairer.keep(s.id, m); }
  void receive(PeerSession& s, const DigestResponse& m) { repairer.keep(s.id, m); }
  Repairer::Step repair_step(const VersionVector& vector);

  // `last`: of a pull's response; nullopt: pushed.
  void take_page(PeerSession&, const StatePage&, std::optional<bool> last);
  void take_entries(PeerSession&, const Origin&, EntryRun);
  bool take_waiting();
  bool take_staged();
  bool take_entry(PeerSession&, const StreamKey&, Seq, const Bytes&);
  bool taken(PeerSession&, const StreamKey&, const Expected<ApplyResult>&);

  void begin_trial(const Trial&, const StreamKey&);
  void end_trial();
  void begin_try(const StreamKey&, std::uint64_t at);
  void end_try(const Expected<ApplyResult>&);
  void retry_quarantine();

  void finish();
  void complete_join();
  void admit_newcomers();
  void heed_identity();
  void heed_members();
  void merge_snapshot();
  void forget();
  void plan_pulls();
  void relay_acknowledgements(PeerSession&, AckSharedChanges&);
  [[nodiscard]] bool has_to_relay(const PeerSession&);
  void commit_of_ours(LocalCommit);
  void talk(PeerSession&, const VersionVector&);
  void abandon(const SQLite::Exception&);
  [[nodiscard]] Readiness readiness();
  [[nodiscard]] std::optional<MonoTime> next_deadline();
};

}  // namespace starling
