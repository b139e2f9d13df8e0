#include "core/replica/replica.h"

#include <algorithm>

#include "core/base/planted_bug.h"
#include "core/replica/hello.h"
#include "core/replica/rebase.h"
#include "core/replica/replica_impl.h"
#include "core/store/ack_store.h"
#include "core/store/conflict_log.h"
#include "core/store/member_table.h"
#include "core/store/quarantine.h"
#include "core/store/row_store.h"
#include "core/store/sync_state.h"

namespace starling {

Readiness Replica::Impl::readiness() {
  if (!store.state().initial_sync_completed()) return join_target ? Readiness::backfilling : Readiness::uninitialized;
  for (const auto& [id, s] : sessions)
    if (s.accepted && !ours().covers(s.vector)) return Readiness::catching_up;
  return Readiness::ready;
}

// We have caught up with a member, and are one: what we wrote until now is told, as of now.
void Replica::Impl::complete_join() {
  if (!join_target || !ours().covers(*join_target) || !known_as_this) return;
  const bool alone = store.members().all().empty() && store.state().initial_sync_completed();  // restored, from before the first came
  if (!alone && !store.members().is_member(store.self().device)) return;
  ensure_transaction();
  const bool first = !store.state().initial_sync_completed();
  if (first) store.state().set_initial_sync_completed(now.wall);
  join_target.reset();
  Retold retold = rebase(store, applier, now.wall);
  announced.seq = {};
  announced.hlc = {};
  for (LocalCommit& commit : retold.commits) commit_of_ours(std::move(commit));
  if (retold.rows > 0) note(LogLevel::info, std::to_string(retold.rows) + " rows that were written before are told now");
  if (retold.superseded > 0) note(LogLevel::info, std::to_string(retold.superseded) + " rows that were written before had been superseded meanwhile");
  if (first) note(LogLevel::info, NodeEvent::Kind::initial_sync_complete, {}, "Initial sync completed");
}

// What nobody needs any more, now and then.
void Replica::Impl::forget() {
  if (store.state().provisional() || taker.merging()) return prune_at.reset();
  if (!prune_at && pruner.due(now.wall)) prune_at = now.mono + limits::kPruneEvery;
  if (!prune_at || now.mono < *prune_at) return;
  prune_at.reset();
  ensure_transaction();
  const Pruner::Dropped dropped = pruner.prune(now.wall);
  counters.entries_dropped += dropped.entries;
  counters.tombstones_dropped += dropped.tombstones;
  if (dropped.more) prune_at = now.mono;
}

void Replica::Impl::plan_pulls() {
  if (taker.wants_transaction()) ensure_transaction();
  if (auto request = taker.plan()) {
    PeerSession& source_of = sessions.at(request->first);
    const bool other = snapshot_source && *snapshot_source != source_of.device;
    snapshot_source = source_of.device;
    if (!request->second.kept.empty())
      note(LogLevel::info, std::string("a snapshot goes on with what has come, ") + (other ? "from another source" : "from the same source"));
    send(source_of, std::move(request->second));
  }
  parts.hold(sessions, now.wall);
  for (Puller::Start& start : puller.plan(sessions, store.origins().pulled(), store.self(), !taker.merging(), now.mono)) {
    parts.complete(start.request);
    if (auto* state = std::get_if<StateRequest>(&start.request)) {
      const std::optional<Ordinal> ordinal = store.origins().find(state->origin);
      if (ordinal) state->horizon = store.origins().horizon(*ordinal).rev;
    }
    send(sessions.at(start.session), std::move(start.request));
  }
}

// What a session is owed: pages it has credit for, our vector when it changed, a sign of life. Whatever shows what we
// hold is made here, at the end of the step, where nothing can be rolled back any more.
void Replica::Impl::talk(PeerSession& s, const VersionVector& vector) {
  if (std::exchange(s.vector_due, false)) send(s, Heartbeat{vector.hash(), vector, now.wall, repairer.digest(vector)});
  for (Message& page : source.serve(s)) send(s, std::move(page));
  for (Message& page : snapshots.serve(s, now.mono)) send(s, std::move(page));
  AckSharedChanges ack;
  if ((s.told != vector || s.dropped || s.sign_due) && now.mono >= s.next_ack) {
    s.sign_due = false;
    AckSharedChanges::One one{{store.self().device, store.self().incarnation, ack_version(vector),
                               s.dropped ? vector : vector.changed_since(s.told)}, !s.dropped};
    s.dropped = false;
    ack.acks.push_back(std::move(one));
    s.told = vector;
    s.next_ack = now.mono + limits::kAckEvery;
  }
  if (now.mono >= s.next_relay && has_to_relay(s)) relay_acknowledgements(s, ack);
  if (!ack.acks.empty()) send(s, std::move(ack));
  if (now.mono - s.last_sent >= limits::kHeartbeatEvery) send(s, Heartbeat{vector.hash(), std::nullopt, now.wall, repairer.digest(vector)});
}

void Replica::Impl::finish() {
  for (bool progress = true; progress;) {
    for (const DeviceId& device : puller.release(ours(), now))
      note(LogLevel::info, "our clock has come to theirs: changes of " + short_string(device) + " go on");
    progress = take_staged();
    progress = take_waiting() || progress;
  }
  puller.expire(sessions, store.origins().pulled(), now.mono);
  merge_snapshot();
  complete_join();
  admit_newcomers();
  heed_identity();
  heed_members();
  retry_quarantine();
  forget();
  for (auto& [id, s] : sessions)
    if (std::exchange(s.hello_due, false)) send_hello(s);  // before anything else
  for (Send& push : pusher.push(sessions)) {
    for (const SessionId id : push.sessions) sessions.at(id).last_sent = now.mono;
    effects.push_back(std::move(push));
  }
  std::vector<SessionId> silent;
  const VersionVector vector = shown();
  Repairer::Step step = repair_step(vector);
  repairer.run(step);
  for (auto& [id, s] : sessions) {
    if (s.accepted) talk(s, vector);
    else if (now.mono - s.since >= limits::kHandshakeDeadline) silent.push_back(id);
  }
  for (const SessionId id : silent)
    refuse(sessions.at(id), {Errc::unreachable, "no Hello within 5 s", "device " + to_string(sessions.at(id).device), ""});
  plan_pulls();
}

std::optional<MonoTime> Replica::Impl::next_deadline() {
  std::optional<MonoTime> next = puller.next_deadline(now);
  const auto sooner = [&next](MonoTime t) { next = next ? std::min(*next, t) : t; };
  if (const std::optional<MonoTime> repair = repairer.next_deadline()) sooner(*repair);
  const VersionVector vector = shown();
  for (const auto& [id, s] : sessions) {
    if (!s.accepted) {
      sooner(s.since + limits::kHandshakeDeadline);
      continue;
    }
    if (s.told != vector || s.dropped || s.sign_due) sooner(s.next_ack);
    if (has_to_relay(s)) sooner(s.next_relay);
    sooner(s.last_sent + limits::kHeartbeatEvery);
    if (s.serve_on) sooner(now.mono);
  }
  if (taker.merging() && !puller.held({Origin{}, Stream::log})) sooner(now.mono);
  if (const auto t = snapshots.next_deadline(sessions, now.mono)) sooner(*t);
  if (prune_at) sooner(*prune_at);
  if (retry_at && !taker.merging()) sooner(*retry_at);
  return next;
}

Replica::Replica(Store& store, Duration scrub_pass) : impl_(std::make_unique<Impl>(store, scrub_pass)) {}
Replica::~Replica() = default;

std::vector<Effect> Replica::step(std::span<const Event> events, Now now) {
  impl_->now = now;
  impl_->effects.clear();
  impl_->store.finish_rollback();  // of a write
  if (planted(PlantedBug::acknowledge_before_commit) && impl_->store.in_transaction()) impl_->store.commit();
  try {
    if (!impl_->store.in_transaction()) impl_->snapshots.work(impl_->sessions, now.mono);
    for (const Event& event : events) impl_->handle(event);
    impl_->finish();
    if (impl_->store.in_transaction() && !planted(PlantedBug::acknowledge_before_commit)) impl_->store.commit();
  } catch (...) {
    impl_->store.doubt();
    impl_->store.rollback();
    throw;
  }
  return std::move(impl_->effects);
}

std::optional<MonoTime> Replica::next_deadline() const { return impl_->next_deadline(); }

Status Replica::status() const {
  Status status;
  status.rows_applied = impl_->counters.rows_applied;
  status.entries_applied = impl_->counters.entries_applied;
  status.duplicate_rows = impl_->counters.duplicate_rows + impl_->taker.duplicates();
  status.entries_dropped = impl_->counters.entries_dropped;
  status.tombstones_dropped = impl_->counters.tombstones_dropped;
  status.snapshots_taken = impl_->counters.snapshots_taken;
  status.merging = impl_->taker.merging();
  Store& store = impl_->store;
  for (const auto& [device, member] : store.members().all()) status.members += member.removed ? 0 : 1;
  status.workspace_name = store.state().workspace_name();
  status.workspace = store.state().workspace();
  status.self = store.self();
  status.readiness = impl_->readiness();
  status.initial_sync_completed = store.state().initial_sync_completed();
  status.vector = impl_->ours();
  for (const auto& [origin, position] : status.vector)
    status.log_entries += position.seq.value - store.origins().horizon(*store.origins().find(origin)).seq.value;
  status.doubled = store.state().is_doubled();
  status.conflicts = store.conflicts().total();
  status.damaged = impl_->repairer.damaged();
  status.repaired = impl_->repairer.repaired();
  status.quarantined = store.quarantined();
  status.hidden = store.rows().hidden().count();
  status.nulled = store.rows().hidden().nulled();
  VersionVector known;
  for (const auto& [id, s] : impl_->sessions) {
    PeerStatus peer;
    peer.device = s.device;
    peer.vector = s.vector;
    peer.we_lack = distance(s.vector, impl_->ours());
    peer.it_lacks = distance(impl_->ours(), s.vector);
    peer.state = !s.accepted ? PeerState::handshaking : peer.we_lack + peer.it_lacks > 0 ? PeerState::behind : PeerState::live;
    known.join(s.vector);
    status.peers.push_back(std::move(peer));
  }
  status.lacking = distance(known, impl_->ours());
  for (const auto& [key, hold] : impl_->puller.holds()) status.waiting.push_back({key.first, hold.why, hold.until});
  return status;
}

}  // namespace starling
