#include "core/replica/replica.h"

#include <SQLiteCpp/Exception.h>

#include <algorithm>

#include "core/base/planted_bug.h"
#include "core/replica/applier.h"
#include "core/replica/hello.h"
#include "core/replica/page_source.h"
#include "core/replica/puller.h"
#include "core/replica/pusher.h"
#include "core/replica/repairer.h"
#include "core/replica/waiting_entries.h"
#include "core/store/ack_store.h"
#include "core/store/conflict_log.h"
#include "core/store/origin_table.h"
#include "core/store/quarantine.h"
#include "core/store/sql_error.h"
#include "core/store/store.h"
#include "core/store/sync_state.h"

namespace starling {
namespace {

constexpr Duration kAckEvery = limits::kAckEvery;
constexpr Duration kHelloDeadline = limits::kHandshakeDeadline;
constexpr Duration kHeartbeatEvery = limits::kHeartbeatEvery;
constexpr Duration kRetryRefusedRow = std::chrono::minutes(1);
constexpr Duration kDrain = std::chrono::seconds(1);  // time for a full outbox to empty before we speak again

std::uint64_t lag(const VersionVector& ahead, const VersionVector& behind) {
  std::uint64_t changes = 0;
  for (const auto& [origin, position] : ahead) {
    const Position held = behind.at(origin);
    if (position.rev > held.rev) changes += position.rev.value - held.rev.value;
    if (position.seq > held.seq) changes += position.seq.value - held.seq.value;
  }
  return changes;
}

}  // namespace

// The state machine. Handlers run inside one step; what they decide goes into effects_ and is given out after commit.
struct Replica::Impl {
  Impl(Store& s, Duration scrub_pass)
      : store(s), applier(s), source(s), repairer(s, scrub_pass), announced(s.origins().vector().at(s.self())) {}

  Store& store;
  Applier applier;
  PageSource source;
  Puller puller;
  Pusher pusher;
  WaitingEntries waiting;
  Repairer repairer;
  Position announced;  // of our own streams: commits beyond it are on disk, but their event is still to come
  std::map<SessionId, PeerSession> sessions;
  std::optional<VersionVector> join_target;  // what our first peer showed in its Hello, until we cover it
  SessionId join_source = 0;                 // that peer; once it is gone, another takes its place
  std::vector<Effect> effects;
  Now now;
  std::optional<StreamKey> in_hand;  // the stream whose changes are being applied
  struct Counters {
    std::uint64_t rows_applied = 0, entries_applied = 0, duplicate_rows = 0;
  };
  Counters counters;
  Counters counters_before;  // as they stood when the transaction began

  const VersionVector& ours() { return store.origins().vector(); }
  [[nodiscard]] VersionVector shown();
  void ensure_transaction() {
    if (store.in_transaction()) return;
    store.begin(TransactionKind::apply);
    counters_before = counters;
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

  template <class F>
  void guarded(const F&);
  void handle(const Event& event) {
    guarded([&] { std::visit([this](const auto& e) { on(e); }, event); });
  }
  void on(const PeerUp&);
  void send_hello(PeerSession&);
  void on(const PeerDown& e) { drop(e.session); }
  void on(const Received&);
  void on(const OutboxFull&);
  void on(const Committed&);
  void on(const ModelsReplaced&);

  void receive(PeerSession&, const Hello&);
  void begin_anew(const Incarnation& later);
  void receive(PeerSession& s, const StateChange& m) { take_page(s, m.page, std::nullopt); }
  void receive(PeerSession&, const StateBatch&);
  void receive(PeerSession& s, const StateResponse& m) { take_page(s, m.page, m.last); }
  void receive(PeerSession&, const StateRequest&);
  void receive(PeerSession& s, const SharedChange& m) {
    take_entries(s, m.origin, {s.id, m.seq, {m.entry}, m.entry.size(), std::nullopt});
  }
  void receive(PeerSession& s, const SharedChangeBatch& m) { receive(s, m, std::nullopt); }
  void receive(PeerSession& s, const SharedChangeResponse& m) { receive(s, m.batch, m.last); }
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
  bool take_entry(PeerSession&, const StreamKey&, Seq, const Bytes&);
  bool taken(PeerSession&, const StreamKey&, const Expected<ApplyResult>&);

  void finish();
  void complete_join();
  void talk(PeerSession&, const VersionVector&);
  void abandon(const SQLite::Exception&);
  [[nodiscard]] Readiness readiness();
  [[nodiscard]] std::optional<MonoTime> next_deadline();
};

// --- sessions

void Replica::Impl::on(const PeerUp& e) {
  PeerSession& s = sessions[e.session];
  s.id = e.session;
  s.device = e.device;
  s.since = now.mono;
}

void Replica::Impl::send_hello(PeerSession& s) {
  Hello hello = make_hello(store, s.device, now.wall);
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
  s.told = {};
  s.dropped = true;
  s.next_ack = now.mono + kDrain;
}

void Replica::Impl::on(const Committed& e) {
  announced.rev = std::max(announced.rev, e.commit->rev_after);
  if (e.commit->seq > announced.seq) announced = {announced.rev, e.commit->seq, e.commit->hlc};
  pusher.add(e.commit);
}

// Rows that stood in the tables were adopted: no Committed tells of those, and the next Hello does.
void Replica::Impl::on(const ModelsReplaced&) {
  announced = ours().at(store.self());
  refuse_all({Errc::not_ready, "this device has changed its models", "", ""});
}

// What we tell peers that we hold. A commit of ours shows with its push, never before: who hears of it pulls it.
VersionVector Replica::Impl::shown() {
  VersionVector vector;
  for (const auto& [origin, position] : ours()) vector.join(origin, origin == store.self() ? announced : position);
  return vector;
}

void Replica::Impl::receive(PeerSession& s, const Hello& hello) {
  const Expected<void> good = check_hello(store, hello, s.device, now.wall);
  if (!good) return refuse(s, good.error());
  if (const auto later = later_life(store, hello.vector)) return begin_anew(*later);
  if (store.state().workspace().is_zero()) {
    ensure_transaction();
    store.state().set_workspace(hello.workspace);
    store.commit();  // on its own: whatever else this step does, we have joined
  }
  s.accepted = true;
  s.vector = hello.vector;
  s.incarnation = hello.incarnation;
  s.pushed_rev = hello.vector.at(store.self()).rev;
  s.pushed_seq = hello.vector.at(store.self()).seq;
  store.acks().add_member(s.device);
  store.acks().take({s.device, s.incarnation, hello.ack_version, s.vector}, false);
  if (!store.state().initial_sync_completed() && !join_target) {
    note(LogLevel::info, "Running initial full sync");
    join_target = hello.vector;
    join_source = s.id;
  }
  note(LogLevel::info, NodeEvent::Kind::peer_connected, s.device, "connected with " + short_string(s.device));
  effects.push_back(Accepted{s.id});
}

// Everybody was told our former name: all sessions end, and the next Hello tells the new one.
void Replica::Impl::begin_anew(const Incarnation& later) {
  ensure_transaction();
  store.begin_new_life({Hlc{later.birth.packed + 1}, store.self().incarnation.random});
  store.commit();
  announced = {};
  refuse_all({Errc::not_ready, "this device begins a new life, later than the one that peers know", "", ""});
}

void Replica::Impl::refuse_all(const Error& why) {
  while (!sessions.empty()) refuse(sessions.begin()->second, why);
}

void Replica::Impl::receive(PeerSession& s, const ErrorMessage& error) {
  const SessionId id = s.id;
  note(LogLevel::warning, NodeEvent::Kind::peer_refused, s.device, short_string(s.device) + " refused us: " + error.text);
  effects.push_back(Close{id, Error{error.code, error.text, "device " + to_string(s.device), ""}});
  drop(id);
}

// --- changes

void Replica::Impl::receive(PeerSession& s, const StateBatch& batch) {
  const SessionId id = s.id;
  for (const StatePage& page : batch.pages) {
    take_page(s, page, std::nullopt);
    if (!sessions.contains(id)) return;  // refused
  }
}

// What every page and entry has in common. False: the stream does not go on with what follows.
bool Replica::Impl::taken(PeerSession& s, const StreamKey& key, const Expected<ApplyResult>& result) {
  if (!result) {
    refuse(s, result.error());
    return false;
  }
  switch (result->outcome) {
    case Applied::done:
      counters.rows_applied += result->rows;
      if (!result->event.empty()) effects.push_back(Changed{result->event});
      return true;
    case Applied::duplicate: ++counters.duplicate_rows; return true;
    case Applied::gap: puller.stop(key); return false;
    case Applied::wait_clock:
      puller.hold(key, {"its clock is ahead of ours: the log of device " + to_string(key.first.device) + " waits",
                        result->until, {}, {}, 0});
      note(LogLevel::warning, NodeEvent::Kind::stream_waits, key.first.device,
           "changes of " + short_string(key.first.device) + " wait: their clock is ahead of ours");
      return false;
    case Applied::wait_deps:
      s.vector.join(result->dependencies);  // whoever sends an entry holds what it depends on
      puller.hold(key, {"waits for changes that its author had seen", {}, result->dependencies, {}, s.id});
      return false;
  }
  return false;
}

void Replica::Impl::take_page(PeerSession& s, const StatePage& page, std::optional<bool> last) {
  const StreamKey key{page.origin, Stream::state};
  s.vector.join(page.origin, {page.to, Seq{}, Hlc{}});
  if (puller.held(key)) return;
  ensure_transaction();
  in_hand = key;
  const bool goes_on = taken(s, key, applier.page(page));
  in_hand.reset();
  if (!goes_on || !last) return;
  const std::uint64_t to = ours().at(page.origin).rev.value;
  if (auto more = puller.taken(s.id, key, to, page.body.size(), *last, now.mono)) send(s, std::move(*more));
}

void Replica::Impl::receive(PeerSession& s, const SharedChangeBatch& m, std::optional<bool> last) {
  EntryRun run{s.id, m.from, m.entries, 0, last};
  for (const Bytes& entry : m.entries) run.page_bytes += entry.size();
  take_entries(s, m.origin, std::move(run));
}

void Replica::Impl::take_entries(PeerSession& s, const Origin& origin, EntryRun run) {
  const StreamKey key{origin, Stream::log};
  std::size_t done = 0;
  if (!puller.held(key)) {
    while (done < run.entries.size() && take_entry(s, key, Seq{run.from.value + done}, run.entries[done])) ++done;
  }
  if (done < run.entries.size()) {
    if (!puller.waits_for_entries(key)) return;
    run.from.value += done;
    run.entries.erase(run.entries.begin(), run.entries.begin() + static_cast<std::ptrdiff_t>(done));
    if (!waiting.keep(origin, std::move(run))) puller.stop(key);  // no room: pulled again when its turn comes
    return;
  }
  if (!run.last || puller.held(key)) return;
  const std::uint64_t to = ours().at(origin).seq.value;
  if (auto more = puller.taken(run.session, key, to, run.page_bytes, *run.last, now.mono)) send(s, std::move(*more));
}

// What has waited long enough. False: nothing had.
bool Replica::Impl::take_waiting() {
  bool progress = false;
  for (const Origin& origin : waiting.origins()) {
    if (puller.held({origin, Stream::log})) continue;
    for (EntryRun& run : waiting.take(origin)) {
      const auto session = sessions.find(run.session);
      if (session == sessions.end()) continue;  // its pull ended with it: whoever has these entries is asked again
      progress = true;
      guarded([&] { take_entries(session->second, origin, std::move(run)); });
    }
  }
  return progress;
}

bool Replica::Impl::take_entry(PeerSession& s, const StreamKey& key, Seq seq, const Bytes& entry) {
  s.vector.join(key.first, {Rev{}, seq, Hlc{}});
  ensure_transaction();
  in_hand = key;
  const Expected<ApplyResult> result = applier.entry(key.first, seq, entry, now.wall);
  in_hand.reset();
  if (result && result->outcome == Applied::done) ++counters.entries_applied;
  return taken(s, key, result);
}

// SQLite refused a row (a constraint of the application's): nothing of this step stands, that stream is held, and the
// positions that the database still has decide what is asked for again.
void Replica::Impl::abandon(const SQLite::Exception& e) {
  const StreamKey key = *in_hand;
  in_hand.reset();
  store.rollback();
  counters = counters_before;
  std::erase_if(effects, [](const Effect& effect) { return std::holds_alternative<Changed>(effect); });
  puller.stop_all();
  const std::string why = std::string("a row was refused by SQLite: ") + e.what();
  puller.hold(key, {why, {}, {}, now.mono + kRetryRefusedRow, 0});
  note(LogLevel::error, NodeEvent::Kind::stream_waits, key.first.device,
       "changes of " + short_string(key.first.device) + " are held: " + why);
}

// --- requests and acknowledgements

void Replica::Impl::receive(PeerSession& s, const StateRequest& m) {
  source.request(s, {m.origin, Stream::state}, m.from.value, m.credit, m.open);
}

void Replica::Impl::receive(PeerSession& s, const SharedChangeRequest& m) {
  source.request(s, {m.origin, Stream::log}, m.from.value, m.credit, m.open);
}

void Replica::Impl::receive(PeerSession& s, const AckSharedChanges& m) {
  for (const AckSharedChanges::One& one : m.acks) {
    const Position ours_in_it = one.ack.vector.at(store.self());
    if (one.ack.member != s.device)
      return refuse(s, {Errc::not_member, "an acknowledgement for somebody else", "device " + to_string(s.device), ""});
    if (later_life(store, one.ack.vector)) return refuse(s, {Errc::not_ready, "news of a later life of this device", "", ""});
    if (!ours().at(store.self()).covers(ours_in_it)) {
      return refuse(s, {Errc::identity_conflict, "an acknowledgement beyond what this device wrote",
                        "device " + to_string(s.device), ""});
    }
    s.vector.join(one.ack.vector);
    if (!one.delta) puller.stop(s.id);  // told in full: what we had asked for may have been dropped
    store.acks().take({s.device, s.incarnation, one.ack.version, one.ack.vector}, one.delta);
  }
}

void Replica::Impl::receive(PeerSession& s, const Heartbeat& m) {
  if (m.vector) {
    s.vector.join(*m.vector);
  } else {
    s.vector_due = m.vector_hash != shown().hash();
  }
  const VersionVector vector = shown();
  Repairer::Step step = repair_step(vector);
  repairer.heard(s, m, step);
}

Repairer::Step Replica::Impl::repair_step(const VersionVector& vector) {
  const auto send_to = [this](SessionId id, Message m) { send(sessions.at(id), std::move(m)); };
  const auto refuse_it = [this](SessionId id, Error why) { refuse(sessions.at(id), std::move(why)); };
  return {sessions, vector, now, send_to, refuse_it, effects};
}

// --- the end of a step

Readiness Replica::Impl::readiness() {
  if (!store.state().initial_sync_completed()) return join_target ? Readiness::backfilling : Readiness::uninitialized;
  for (const auto& [id, s] : sessions)
    if (s.accepted && !ours().covers(s.vector)) return Readiness::catching_up;
  return Readiness::ready;
}

void Replica::Impl::complete_join() {
  if (!join_target || !ours().covers(*join_target)) return;
  ensure_transaction();
  store.state().set_initial_sync_completed(now.wall);
  join_target.reset();
  note(LogLevel::info, NodeEvent::Kind::initial_sync_complete, {}, "Initial sync completed");
}

// What a session is owed: pages it has credit for, our vector when it changed, a sign of life. Whatever shows what we
// hold is made here, at the end of the step, where nothing can be rolled back any more.
void Replica::Impl::talk(PeerSession& s, const VersionVector& vector) {
  if (std::exchange(s.vector_due, false)) send(s, Heartbeat{vector.hash(), vector, now.wall, repairer.digest(vector)});
  for (Message& page : source.serve(s)) send(s, std::move(page));
  if ((s.told != vector || s.dropped) && now.mono >= s.next_ack) {
    AckSharedChanges::One one{{store.self().device, store.self().incarnation, ack_version(vector),
                               s.dropped ? vector : vector.changed_since(s.told)}, !s.dropped};
    s.dropped = false;
    AckSharedChanges ack;
    ack.acks.push_back(std::move(one));
    send(s, std::move(ack));
    s.told = vector;
    s.next_ack = now.mono + kAckEvery;
  }
  if (now.mono - s.last_sent >= kHeartbeatEvery) send(s, Heartbeat{vector.hash(), std::nullopt, now.wall, repairer.digest(vector)});
}

void Replica::Impl::finish() {
  do puller.release(ours(), now);
  while (take_waiting());
  puller.expire(now.mono);
  complete_join();
  for (Send& push : pusher.push(sessions)) {
    for (const SessionId id : push.sessions) sessions.at(id).last_sent = now.mono;
    effects.push_back(std::move(push));
  }
  std::vector<SessionId> silent;
  const VersionVector vector = shown();
  Repairer::Step step = repair_step(vector);
  repairer.run(step);
  for (auto& [id, s] : sessions) {
    if (std::exchange(s.hello_due, false)) send_hello(s);
    if (s.accepted) talk(s, vector);
    else if (now.mono - s.since >= kHelloDeadline) silent.push_back(id);
  }
  for (const SessionId id : silent)
    refuse(sessions.at(id), {Errc::unreachable, "no Hello within 5 s", "device " + to_string(sessions.at(id).device), ""});
  for (Puller::Start& start : puller.plan(sessions, ours(), store.self(), now.mono))
    send(sessions.at(start.session), std::move(start.request));
}

std::optional<MonoTime> Replica::Impl::next_deadline() {
  std::optional<MonoTime> next = puller.next_deadline(now);
  const auto sooner = [&next](MonoTime t) { next = next ? std::min(*next, t) : t; };
  if (const std::optional<MonoTime> repair = repairer.next_deadline()) sooner(*repair);
  const VersionVector vector = shown();
  for (const auto& [id, s] : sessions) {
    if (!s.accepted) {
      sooner(s.since + kHelloDeadline);
      continue;
    }
    if (s.told != vector || s.dropped) sooner(s.next_ack);
    sooner(s.last_sent + kHeartbeatEvery);
    if (s.serve_on) sooner(now.mono);
  }
  return next;
}

// --- the face

Replica::Replica(Store& store, Duration scrub_pass) : impl_(std::make_unique<Impl>(store, scrub_pass)) {}
Replica::~Replica() = default;

template <class F>
void Replica::Impl::guarded(const F& apply) {
  try {
    apply();
  } catch (const SQLite::Exception& e) {
    if (!in_hand || !is_user_error(e)) throw;
    abandon(e);
  }
}

std::vector<Effect> Replica::step(std::span<const Event> events, Now now) {
  impl_->now = now;
  impl_->effects.clear();
  impl_->store.finish_rollback();  // of a write
  if (planted(PlantedBug::acknowledge_before_commit) && impl_->store.in_transaction()) impl_->store.commit();
  try {
    for (const Event& event : events) impl_->handle(event);
    impl_->finish();
    if (impl_->store.in_transaction() && !planted(PlantedBug::acknowledge_before_commit)) impl_->store.commit();
  } catch (...) {
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
  status.duplicate_rows = impl_->counters.duplicate_rows;
  Store& store = impl_->store;
  status.workspace_name = store.state().workspace_name();
  status.workspace = store.state().workspace();
  status.self = store.self();
  status.readiness = impl_->readiness();
  status.initial_sync_completed = store.state().initial_sync_completed();
  status.vector = impl_->ours();
  status.conflicts = store.conflicts().total();
  status.damaged = impl_->repairer.damaged();
  status.repaired = impl_->repairer.repaired();
  status.quarantined = store.quarantine().count();
  VersionVector known;
  for (const auto& [id, s] : impl_->sessions) {
    PeerStatus peer;
    peer.device = s.device;
    peer.vector = s.vector;
    peer.we_lack = lag(s.vector, impl_->ours());
    peer.it_lacks = lag(impl_->ours(), s.vector);
    peer.state = !s.accepted ? PeerState::handshaking : peer.we_lack + peer.it_lacks > 0 ? PeerState::behind : PeerState::live;
    known.join(s.vector);
    status.peers.push_back(std::move(peer));
  }
  status.lacking = lag(known, impl_->ours());
  for (const auto& [key, hold] : impl_->puller.holds()) status.waiting.push_back({key.first, hold.why, hold.until});
  return status;
}

}  // namespace starling
