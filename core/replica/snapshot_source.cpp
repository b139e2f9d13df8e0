#include "core/replica/snapshot_source.h"

#include <SQLiteCpp/Exception.h>

#include <algorithm>

#include "core/store/origin_table.h"
#include "core/store/snapshot_spool.h"
#include "core/store/snapshot_stage.h"
#include "core/store/store.h"

namespace starling {
namespace {

constexpr auto kKept = std::chrono::duration_cast<Duration>(limits::kSpoolKept);

}  // namespace

SnapshotSource::~SnapshotSource() = default;

void SnapshotSource::request(PeerSession& session, const SnapshotRequest& m) {
  const bool known = session.snapshot.has_value();
  if (!known && !m.open) return;  // a top-up for what has ended
  if (m.open) session.snapshot = SnapshotServing{nullptr, 0, 0, {m.kept.begin(), m.kept.end()}};
  SnapshotServing& serving = *session.snapshot;
  serving.credit = std::min<std::int64_t>(serving.credit + m.credit, static_cast<std::int64_t>(limits::kPullCredit));
}

// Whoever takes it must be able to go on from its vector.
bool SnapshotSource::still_good() const {
  if (!spool_) return false;
  for (const auto& [origin, position] : store_.origins().vector())
    if (store_.origins().horizon(*store_.origins().find(origin)).seq > spool_->vector().at(origin).seq) return false;
  return true;
}

std::shared_ptr<SnapshotSpool> SnapshotSource::make() {
  SnapshotHead head;
  for (const auto& [origin, position] : store_.origins().vector()) {
    if (position.seq == Seq{}) continue;
    const Ordinal ordinal = *store_.origins().find(origin);
    head.logs.push_back({origin, position.seq, position.hlc, store_.origins().last_hash(ordinal), store_.origins().seen(ordinal)});
  }
  return std::make_shared<SnapshotSpool>(SnapshotSpool::Source{store_.file(), store_.vfs(), store_.shared_schema()}, store_.origins(), store_.digests(), head);
}

// Who reads one that is not complete begins again with the new one: what has come to it counts.
void SnapshotSource::replace(std::map<SessionId, PeerSession>& sessions) {
  for (auto& [id, s] : sessions) {
    if (!s.snapshot || !spool_ || s.snapshot->spool != spool_ || spool_->complete()) continue;
    s.snapshot->spool.reset();
    s.snapshot->next = 0;
  }
  spool_ = make();
}

void SnapshotSource::work(std::map<SessionId, PeerSession>& sessions, MonoTime now) {
  const bool ready = !store_.snapshot().merging();
  if (spool_ && now - used_ >= kKept) spool_.reset();
  try {
    for (auto& [id, s] : sessions) {
      if (!s.snapshot || s.snapshot->spool || s.snapshot->failed || !ready) continue;
      s.snapshot->failed = must_decline();
      if (s.snapshot->failed) continue;
      if (!still_good()) replace(sessions);
      used_ = now;
      s.snapshot->spool = spool_;
    }
    if (spool_ && !spool_->complete()) spool_->write_more(limits::kSpooledPerStep);
  } catch (const SQLite::Exception&) {
    spool_.reset();
    for (auto& [id, s] : sessions)
      if (s.snapshot) s.snapshot->failed = true;
  }
}

// A spool that is good was made when there was nothing to hide.
bool SnapshotSource::must_decline() const { return !still_good() && !store_.shows_all_shared(); }

std::vector<Message> SnapshotSource::serve(PeerSession& session, MonoTime now) {
  std::vector<Message> pages;
  if (!session.snapshot) return pages;
  try {
    if (session.snapshot->spool && !session.snapshot->failed) serve(session, now, pages);
  } catch (const SQLite::Exception&) {
    session.snapshot->failed = true;
    spool_.reset();
  }
  if (session.snapshot && session.snapshot->failed) {  // it asks another, or again
    session.snapshot.reset();
    pages.emplace_back(SnapshotPage{});
  }
  return pages;
}

void SnapshotSource::serve(PeerSession& session, MonoTime now, std::vector<Message>& pages) {
  SnapshotServing& serving = *session.snapshot;
  SnapshotSpool& spool = *serving.spool;
  std::int64_t left = limits::kServedMax;
  while (serving.credit > 0 && left > 0 && serving.next < spool.pages()) {
    SnapshotPage page;
    page.snapshot = spool.id();
    page.index = serving.next++;
    page.hash = spool.hash(page.index);
    if (serving.kept.insert(page.hash).second) page.body = spool.body(page.index);
    page.last = spool.complete() && serving.next == spool.pages();
    const auto cost = static_cast<std::int64_t>(page.body.size() + sizeof page);
    serving.credit -= cost;
    left -= cost;
    used_ = now;
    const bool last = page.last;
    pages.emplace_back(std::move(page));
    if (last) {
      session.snapshot.reset();
      return;
    }
  }
  session.serve_on |= left <= 0;
}

void SnapshotSource::forget(std::map<SessionId, PeerSession>& sessions) {
  spool_.reset();
  for (auto& [id, s] : sessions) s.snapshot.reset();
}

std::optional<MonoTime> SnapshotSource::next_deadline(const std::map<SessionId, PeerSession>& sessions, MonoTime now) const {
  const bool waiting = !store_.snapshot().merging() && std::any_of(sessions.begin(), sessions.end(), [](const auto& s) {
    return s.second.snapshot && (!s.second.snapshot->spool || s.second.snapshot->failed);
  });
  if (waiting || (spool_ && !spool_->complete())) return now;
  return spool_ ? std::optional(used_ + kKept) : std::nullopt;
}

}  // namespace starling
