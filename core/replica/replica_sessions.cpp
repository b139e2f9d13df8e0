#include <algorithm>
#include <tuple>

#include "core/base/planted_bug.h"
#include "core/replica/hello.h"
#include "core/replica/membership.h"
#include "core/replica/replica_impl.h"
#include "core/store/ack_store.h"
#include "core/store/member_table.h"
#include "core/store/sync_state.h"

namespace starling {
namespace {

constexpr Duration kDrain = std::chrono::seconds(1);  // time for a full outbox to empty before we speak again

Expected<void> check_membership(Store& store, const DeviceId& device, const Incarnation& incarnation) {
  const Member* member = store.members().find(device);
  if (member == nullptr) return {};
  if (member->removed)
    return Error{Errc::not_member, "this device was removed from the workspace", "device " + to_string(device),
                 "admit it again on a device that is a member"};
  if (incarnation.birth <= member->barred)
    return Error{Errc::identity_conflict, "this device was removed and admitted again, and goes by the name of before",
                 "device " + to_string(device), "it goes on under a new incarnation"};
  return {};
}

// What was said on a session, kept up as it is said: what a delta is added to. Messages may have crossed.
void remember(Acknowledgement& held, const Acknowledgement& said, bool delta) {
  if (std::tie(said.incarnation, said.version) < std::tie(held.incarnation, held.version)) return;
  VersionVector vector = delta && held.incarnation == said.incarnation ? std::move(held.vector) : VersionVector();
  vector.join(said.vector);
  held = {said.member, said.incarnation, said.version, std::move(vector)};
}

// Whether the peer knows it: from us, or before us.
bool knows(const PeerSession& s, const Acknowledgement& ack) {
  for (const auto* known : {&s.relayed, &s.heard}) {
    const auto at = known->find(ack.member);
    if (at != known->end() && std::tie(at->second.incarnation, at->second.version) >= std::tie(ack.incarnation, ack.version)) return true;
  }
  return ack.member == s.device || ack.version == 0;
}

}  // namespace

void Replica::Impl::on(const PeerUp& e) {
  PeerSession& s = sessions[e.session];
  s.id = e.session;
  s.device = e.device;
  s.since = now.mono;
}

void Replica::Impl::send_hello(PeerSession& s) {
  Hello hello = make_hello(store, shown(), s.device, now.wall);
  s.told = hello.vector;
  send(s, std::move(hello));
}

void Replica::Impl::drop(SessionId id) {
  const auto at = sessions.find(id);
  if (at == sessions.end()) return;
  const DeviceId device = at->second.device;
  if (at->second.accepted)
    note(LogLevel::debug, NodeEvent::Kind::peer_disconnected, device, "no longer connected with " + short_string(device));
  sessions.erase(at);
  puller.ended(id);
  puller.release_unshown(sessions, ours());
  if (taker.ended(id)) puller.ask_all_again();
  if (!join_target || id != join_source) return;
  join_target.reset();  // what only that peer had may be lost
  for (const auto& [other, s] : sessions) {
    if (!s.accepted) continue;
    join_target = s.vector;
    join_source = other;
    return;
  }
}

void Replica::Impl::refuse(PeerSession& s, Error why) {
  const SessionId id = s.id;
  note(LogLevel::warning, NodeEvent::Kind::peer_refused, s.device,
       "session with " + short_string(s.device) + " closed: " + why.text());
  send(s, ErrorMessage{why.code, why.text(), 0});
  effects.push_back(Close{id, std::move(why)});
  drop(id);
}

void Replica::Impl::on(const Received& e) {
  const auto at = sessions.find(e.session);
  if (at == sessions.end()) return;  // closed in the meantime
  PeerSession& s = at->second;
  if (s.accepted == std::holds_alternative<Hello>(e.message) && !std::holds_alternative<ErrorMessage>(e.message))
    return refuse(s, {Errc::corrupt, std::string("unexpected ") + name_of(e.message), "device " + to_string(s.device), ""});
  known_as_this = known_as_this || (s.accepted && !std::holds_alternative<ErrorMessage>(e.message));
  std::visit([&](const auto& message) { receive(s, message); }, e.message);
  const auto after = sessions.find(e.session);
  if (after == sessions.end() || after->second.vector.size() <= limits::kVectorMax) return;
  refuse(after->second, {Errc::too_large, "more origins than a workspace may have", "device " + to_string(after->second.device), ""});
}

void Replica::Impl::on(const OutboxFull& e) {
  if (planted(PlantedBug::outbox_drops_silently)) return;
  const auto at = sessions.find(e.session);
  if (at == sessions.end()) return;
  PeerSession& s = at->second;  // we cannot know what was dropped: tell our vector anew, the peer pulls what it lacks
  s.pushed_rev.reset();
  s.pushed_seq.reset();
  s.serving.clear();
  s.snapshot.reset();
  s.relayed.clear();
  s.told = {};
  s.dropped = true;
  s.next_ack = now.mono + kDrain;
}

void Replica::Impl::on(const Committed& e) {
  if (e.commit->origin != store.self()) return;  // of the life before: it went into this one
  announced.rev = std::max(announced.rev, e.commit->rev_after);
  if (e.commit->seq > announced.seq && !e.commit->draft) announced = {announced.rev, e.commit->seq, e.commit->hlc};
  if (!e.commit->draft || e.commit->seq == Seq{}) return pusher.add(e.commit);
  auto without_log = std::make_shared<LocalCommit>(*e.commit);
  without_log->seq = {};
  without_log->entry.clear();
  pusher.add(std::move(without_log));
}

// Rows that stood in the tables were adopted: no Committed tells of those, and the next Hello does.
void Replica::Impl::on(const ModelsReplaced&) {
  announced = ours().at(store.self());
  snapshots.forget(sessions);
  refuse_all({Errc::not_ready, "this device has changed its models", "", ""});
}

// What we tell peers that we hold. A commit of ours shows with its push, never before: who hears of it pulls it.
VersionVector Replica::Impl::shown() {
  VersionVector vector;
  for (const auto& [origin, position] : ours()) vector.join(origin, origin == store.self() ? announced : position);
  return store.state().provisional() ? without_own_log(std::move(vector), store.self()) : vector;
}

void Replica::Impl::receive(PeerSession& s, const Hello& hello) {
  Expected<void> good = check_hello(store, hello, s.device, now.wall);
  if (good) good = check_membership(store, s.device, hello.incarnation);
  if (!good) return refuse(s, good.error());
  if (const auto renewed = renewal(store, s.device, hello, shown())) return begin_anew(*renewed);
  if (const auto renewed = renewal_of_clock(store, hello.clock, now.wall)) return begin_anew(*renewed);
  if (store.state().workspace().is_zero()) {
    ensure_transaction();
    store.state().set_workspace(hello.workspace);
    store.commit();  // on its own: whatever else this step does, we have joined
  }
  s.accepted = true;
  s.same_models = same_models(store.schema(), hello);
  for (const ModelDigest& model : hello.models) s.models.insert(model.name);
  if (!s.same_models) note(LogLevel::info, short_string(s.device) + " has another version of the models: what either does not know it keeps");
  s.vector = hello.vector;
  s.incarnation = hello.incarnation;
  s.ours = hello.heard;
  s.stopped = hello.stopped;
  s.pushed_rev = hello.vector.at(store.self()).rev;
  s.pushed_seq = hello.vector.at(store.self()).seq;
  s.acknowledged = {s.device, s.incarnation, hello.ack_version, s.vector};
  const Acknowledgement* before = store.acks().table().find(s.device);
  s.sign_due = before == nullptr || before->incarnation != s.incarnation;
  store.acks().take(s.acknowledged, false);
  if (store.state().provisional() && !join_target) {
    if (!store.state().initial_sync_completed()) note(LogLevel::info, "Running initial full sync");
    join_target = hello.vector;
    join_source = s.id;
  }
  note(LogLevel::info, NodeEvent::Kind::peer_connected, s.device, "connected with " + short_string(s.device));
  effects.push_back(Accepted{s.id});
}

// Everybody was told our former name: all sessions end, and the next Hello tells the new one. A later life that comes after
// we have already gone beyond one is no older self of ours: another machine lives under our identity, and does the same.
void Replica::Impl::begin_anew(const Renewal& renewal) {
  ensure_transaction();
  if (renewal.lived && store.state().outlived()) store.state().set_doubled(SyncState::Doubled::untold);
  else if (renewal.lived) store.state().set_outlived();
  store.begin_new_life(renewal.incarnation, renewal.kept);
  store.commit();
  announced = ours().at(store.self());
  join_target.reset();
  known_as_this = own_back_noted = false;
  snapshots.forget(sessions);  // a spool tells of entries that are drafts now
  puller.stop_all();
  note(LogLevel::warning, NodeEvent::Kind::restored, {}, std::string(renewal.why) + ": it goes on under a new incarnation");
  refuse_all({Errc::not_ready, "this device begins a new life, later than the one that peers know", "", ""});
}

void Replica::Impl::refuse_all(const Error& why) {
  while (!sessions.empty()) refuse(sessions.begin()->second, why);
}

void Replica::Impl::receive(PeerSession& s, const ErrorMessage& error) {
  const SessionId id = s.id;
  if (error.code == Errc::identity_conflict && s.accepted && !std::exchange(renewed_as_told, true))
    return begin_anew(renewal_as_told(store, s.vector, s.ours));
  note(LogLevel::warning, NodeEvent::Kind::peer_refused, s.device, short_string(s.device) + " refused us: " + error.text);
  effects.push_back(Close{id, Error{error.code, error.text, "device " + to_string(s.device), ""}});
  drop(id);
}

// Of the peer itself, and of members that it has heard of: whoever is away is counted all the same.
void Replica::Impl::receive(PeerSession& s, const AckSharedChanges& m) {
  for (const AckSharedChanges::One& one : m.acks) {
    const Acknowledgement& ack = one.ack;
    if (const auto renewed = renewal_of_life(store, ack.vector)) return begin_anew(*renewed);
    if (!ours().at(store.self()).covers(ack.vector.at(store.self()))) {
      return refuse(s, {Errc::corrupt, "an acknowledgement beyond what this device wrote",
                        "device " + to_string(s.device), ""});
    }
    if (ack.member == store.self().device) continue;
    if (ack.member != s.device) {
      remember(s.heard[ack.member], ack, one.delta);
      store.acks().take(s.heard[ack.member], false);
      continue;
    }
    if (ack.incarnation != s.incarnation) continue;  // of a life before: whoever begins one ends its sessions
    s.vector.join(ack.vector);
    if (!one.delta) puller.stop(s.id);  // told in full: what we had asked for may have been dropped
    const Acknowledgement own{s.device, s.incarnation, ack.version, ack.vector};
    remember(s.acknowledged, own, one.delta);
    store.acks().take(s.acknowledged, false);
  }
}

void Replica::Impl::receive(PeerSession& s, const Heartbeat& m) {
  // Either kind comes behind all that was sent before it: where vectors differ, one side's are all answers to the other's.
  puller.idle(s.id);
  if (taker.idle(s.id)) puller.ask_all_again();
  if (m.vector) {
    s.vector.join(*m.vector);
  } else {
    s.vector_due = m.vector_hash != shown().hash();
  }
  if (const auto renewed = renewal_of_clock(store, m.clock, now.wall)) return begin_anew(*renewed);
  const VersionVector vector = shown();
  Repairer::Step step = repair_step(vector);
  repairer.heard(s, m, step);
}

Repairer::Step Replica::Impl::repair_step(const VersionVector& vector) {
  const auto send_to = [this](SessionId id, Message m) { send(sessions.at(id), std::move(m)); };
  const auto refuse_it = [this](SessionId id, Error why) { refuse(sessions.at(id), std::move(why)); };
  return {sessions, vector, now, send_to, refuse_it, effects};
}

// A commit that the replica made by itself, told like any other.
void Replica::Impl::commit_of_ours(LocalCommit commit) {
  if (!commit.changes.empty()) effects.push_back(Changed{commit.changes});
  on(Committed{std::make_shared<const LocalCommit>(std::move(commit))});
}

// Whoever said Hello to us and is no member yet becomes one.
void Replica::Impl::admit_newcomers() {
  if (!store.state().initial_sync_completed() || store.state().provisional() || taker.merging()) return;
  if (!store.members().all().empty() && !store.members().is_member(store.self().device)) return;
  std::set<DeviceId> newcomers;
  for (const auto& [id, s] : sessions)
    if (s.accepted && store.members().find(s.device) == nullptr) newcomers.insert(s.device);
  if (newcomers.empty()) return;
  ensure_transaction();
  Expected<std::optional<LocalCommit>> commit = admit(store, newcomers, now.wall);
  if (!commit) return note(LogLevel::error, "a newcomer was not admitted: " + commit.error().text());
  if (!*commit) return;
  for (const DeviceId& device : newcomers) note(LogLevel::info, "admitted device " + short_string(device));
  commit_of_ours(std::move(**commit));
}

// Somebody else may have found out, in the log; or we have, and say so once we have caught up.
void Replica::Impl::heed_identity() {
  const Member* member = store.members().find(store.self().device);
  if (member == nullptr || member->removed) return;
  if (member->doubled && store.state().doubled() != SyncState::Doubled::told) {
    ensure_transaction();
    store.state().set_doubled(SyncState::Doubled::told);
  }
  if (!store.state().is_doubled()) return;
  if (!std::exchange(doubled_noted, true)) note(LogLevel::error, NodeEvent::Kind::identity_doubled, {}, doubled_identity(store).text());
  if (store.state().doubled() == SyncState::Doubled::told || store.state().provisional() || taker.merging()) return;
  ensure_transaction();
  if (std::optional<LocalCommit> commit = tell_doubled(store, now.wall)) commit_of_ours(std::move(*commit));
}

// Sessions of devices that are no members any more end; what a new member said before it was one counts now.
void Replica::Impl::heed_members() {
  std::vector<SessionId> removed, outlived;
  for (auto& [id, s] : sessions) {
    if (!s.accepted) continue;
    const Member* member = store.members().find(s.device);
    if (member != nullptr && member->removed) {
      removed.push_back(id);
      continue;
    }
    const Acknowledgement* held = store.acks().table().find(s.device);
    if (held != nullptr && held->incarnation < s.incarnation) store.acks().take(s.acknowledged, false);
    // A later life has acknowledged what this one may not have seen: it is told in our next Hello, before it tells us more.
    if (held != nullptr && s.incarnation < held->incarnation && !s.stopped) outlived.push_back(id);
  }
  for (const SessionId id : outlived) refuse(sessions.at(id), {Errc::not_ready, "this device has begun a later life", "", ""});
  for (const SessionId id : removed) {
    const DeviceId device = sessions.at(id).device;
    refuse(sessions.at(id), {Errc::not_member, "this device was removed from the workspace", "device " + to_string(device), ""});
  }
}

bool Replica::Impl::has_to_relay(const PeerSession& s) {
  const auto& all = store.acks().table().all();
  return std::any_of(all.begin(), all.end(), [&](const auto& one) { return !knows(s, one.second); });
}

// What we know of other members and the peer may not know: each change once, in one direction of a link.
void Replica::Impl::relay_acknowledgements(PeerSession& s, AckSharedChanges& message) {
  std::size_t positions = 0;
  for (const auto& [member, ack] : store.acks().table().all()) {
    if (knows(s, ack) || positions > limits::kRelayedMax) continue;
    const auto told = s.relayed.find(member);
    const bool delta = told != s.relayed.end() && told->second.incarnation == ack.incarnation;
    AckSharedChanges::One one{ack, delta};
    if (delta) one.ack.vector = ack.vector.changed_since(told->second.vector);
    positions += one.ack.vector.size();
    message.acks.push_back(std::move(one));
    s.relayed[member] = ack;
  }
  s.next_relay = now.mono + limits::kRelayEvery;
}

}  // namespace starling
