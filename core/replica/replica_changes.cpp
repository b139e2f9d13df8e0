#include <algorithm>

#include "core/replica/replica_impl.h"
#include "core/store/sync_state.h"
#include "core/store/trial_mark.h"

namespace starling {
namespace {

constexpr Duration kRetryOtherHistory = std::chrono::minutes(10);
constexpr Duration kRoomAgain = std::chrono::minutes(1);

}  // namespace

void Replica::Impl::receive(PeerSession& s, const StateBatch& batch) {
  const SessionId id = s.id;
  for (const StatePage& page : batch.pages) {
    take_page(s, page, std::nullopt);
    if (!sessions.contains(id)) return;  // refused
  }
}

// What every page and entry has in common. False: the stream does not go on with what follows.
bool Replica::Impl::taken(PeerSession& s, const StreamKey& key, const Expected<ApplyResult>& result) {
  if (!result && result.error().code == Errc::identity_conflict) {  // one of two histories: it is nobody's fault here
    puller.hold(key, {result.error().text(), {}, {}, now.mono + kRetryOtherHistory, 0});
    note(LogLevel::error, NodeEvent::Kind::stream_waits, key.first.device, result.error().text());
    return false;
  }
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
    case Applied::wait_room:
      puller.hold(key, {"quarantine is full", {}, {}, now.mono + kRoomAgain, 0});
      note(LogLevel::error, NodeEvent::Kind::stream_waits, key.first.device,
           "changes of " + short_string(key.first.device) + " wait: quarantine is full");
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
  begin_try(key, page.to.value);
  ensure_transaction();
  const bool at_ease = store.origins().pulled() == ours();
  const Expected<ApplyResult> result = applier.page(page);
  const bool goes_on = taken(s, key, result);
  if (at_ease && store.origins().pulled() != ours())
    note(LogLevel::info, "the state of " + short_string(page.origin.device) + " is read anew: what it forgot had not come to us");
  end_try(result);
  if (!goes_on || !last) return;
  const std::uint64_t to = store.origins().pulled().at(page.origin).rev.value;
  if (auto more = puller.taken(s.id, key, to, page.body.size(), *last, now.mono)) send(s, std::move(*more));
}

// An empty answer with a horizon: what we lack is gone from this peer's log. Another's may reach further back; if no
// other shows more than we have, it is a snapshot that we need.
void Replica::Impl::receive(PeerSession& s, const SharedChangeResponse& m) {
  receive(s, m.batch, m.last);
  if (m.horizon == Seq{} || m.horizon <= ours().at(m.batch.origin).seq || !sessions.contains(s.id)) return;
  std::vector<const PeerSession*> able;  // they show more than we have; s is asked first
  for (const auto& [id, other] : sessions) {
    if (!other.accepted || other.vector.at(m.batch.origin).seq <= ours().at(m.batch.origin).seq) continue;
    if (!puller.asked_in_vain(id, {m.batch.origin, Stream::log})) return;
    able.insert(id == s.id ? able.begin() : able.end(), &other);
  }
  const auto may_give = [&](const PeerSession* other) { return !taker.declined(other->id); };
  const auto next = std::find_if(able.begin(), able.end(), may_give);
  if (next != able.end()) return taker.need(**next);
  taker.forget_declined();  // all have: it is asked again
  taker.need(s);
}

void Replica::Impl::receive(PeerSession& s, const SnapshotRequest& m) {
  if (store.state().provisional()) return send(s, SnapshotPage{});  // none: what we wrote is in no log yet
  snapshots.request(s, m);
}

void Replica::Impl::receive(PeerSession& s, const SnapshotPage& m) {
  ensure_transaction();
  Expected<std::optional<SnapshotRequest>> more = taker.take(s.id, m, now.wall);
  if (!more) return refuse(s, more.error());
  const auto may_give = [&](const auto& item) { return item.second.accepted && !taker.declined(item.first); };
  if (taker.declined(s.id) && std::any_of(sessions.begin(), sessions.end(), may_give)) puller.ask_all_again();
  if (*more) send(s, std::move(**more));
}

// One slice. What SQLite refuses of it is tried again one by one, and held; the pages that came are on disk before.
void Replica::Impl::merge_snapshot() {
  const StreamKey key{Origin{}, Stream::log};
  if (!taker.merging() || puller.held(key)) return;
  if (store.in_transaction()) store.commit();
  const bool done = guarded([&] {
    in_hand = key;
    begin_trial({Tried::slice, {}, taker.page()}, key);
    std::optional<ChangeSet> changed = taker.merge_more(now.wall);
    end_trial();
    if (!changed) return puller.hold(key, {"quarantine is full", {}, {}, now.mono + kRoomAgain, 0});
    counters.rows_applied += changed->rows.size();
    if (!changed->empty()) effects.push_back(Changed{std::move(*changed)});
  });
  if (!done || taker.merging()) return;
  touchy.erase(key);
  puller.ask_all_again();
  pruner.look_again();
  ++counters.snapshots_taken;
  note(LogLevel::info, "a snapshot was taken in, " + std::to_string(taker.swept()) + (taker.swept() == 0 ? " rows that had died" : " rows swept that had died") +
                           (store.state().provisional() ? "" : ", by a lapsed member"));
}

void Replica::Impl::receive(PeerSession& s, const SharedChangeBatch& m, std::optional<bool> last) {
  EntryRun run{s.id, m.from, m.entries, 0, last};
  for (const Bytes& entry : m.entries) run.page_bytes += entry.size();
  take_entries(s, m.origin, std::move(run));
}

void Replica::Impl::take_entries(PeerSession& s, const Origin& origin, EntryRun run) {
  const StreamKey key{origin, Stream::log};
  if (taker.merging()) return puller.stop(key);  // positions move with its end; then this is asked for again
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
  begin_try(key, seq.value);
  ensure_transaction();
  const Expected<ApplyResult> result = applier.entry(key.first, seq, entry, now.wall);
  if (result && result->outcome == Applied::done) {
    ++counters.entries_applied;
    const bool own = key.first.device == store.self().device;
    if (own && !std::exchange(own_back_noted, true)) note(LogLevel::info, "entries of an earlier life of this device come back from peers");
  }
  const bool goes_on = taken(s, key, result);
  end_try(result);
  return goes_on;
}

void Replica::Impl::receive(PeerSession& s, const EntryPart& m) {
  s.vector.join(m.origin, {Rev{}, m.seq, Hlc{}});
  ensure_transaction();
  const Expected<bool> goes_on = parts.take(m, s.id, now.mono);
  if (!goes_on) return refuse(s, goes_on.error());
  const StreamKey key{m.origin, Stream::log};
  if (!*goes_on) return;
  if (auto more = puller.taken(s.id, key, m.seq.value, m.bytes.size(), m.last, now.mono)) send(s, std::move(*more));
}

// Entries that came in parts and are whole. False: none was applied.
bool Replica::Impl::take_staged() {
  bool progress = false;
  if (taker.merging()) return false;
  for (const StagedEntry& entry : parts.due(now.wall)) {
    const auto sender = sessions.find(parts.sender(entry.origin));
    const bool was_touchy = touchy.contains({entry.origin, Stream::log});
    guarded([&] {
      const StreamKey key{entry.origin, Stream::log};
      begin_try(key, entry.seq.value);
      ensure_transaction();
      const Expected<ApplyResult> result = parts.apply(entry, now.wall);
      if (result && result->outcome == Applied::done) ++counters.entries_applied;
      if (result && result->outcome == Applied::wait_deps) return end_try(result);  // until PartTaker::hold
      progress = true;
      PeerSession nobody;
      if (result || sender != sessions.end()) (void)taken(sender != sessions.end() ? sender->second : nobody, key, result);
      else note(LogLevel::warning, "a large transaction of " + short_string(key.first.device) + " was damaged: " + result.error().text());
      end_try(result);
    });
    progress = progress || (!was_touchy && touchy.contains({entry.origin, Stream::log}));  // at once, if it is still whole
  }
  return progress;
}

void Replica::Impl::receive(PeerSession& s, const StateRequest& m) {
  source.request(s, {m.origin, Stream::state}, m.from.value, m.credit, m.open, 0, m.horizon);
}

void Replica::Impl::receive(PeerSession& s, const SharedChangeRequest& m) {
  if (m.origin == store.self() && store.state().provisional()) return;  // nobody was told of it
  source.request(s, {m.origin, Stream::log}, m.from.value, m.credit, m.open, m.offset);
}

}  // namespace starling
