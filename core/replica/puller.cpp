#include "core/replica/puller.h"

#include <algorithm>

#include "core/base/limits.h"

namespace starling {
namespace {

constexpr unsigned kIdleMax = 2;  // heartbeats: the first may have been under way when we asked
constexpr auto kPullSilenceMax = std::chrono::duration_cast<Duration>(limits::kSendDeadline);

std::uint64_t position_in(const VersionVector& vector, const StreamKey& key) {
  const Position p = vector.at(key.first);
  return key.second == Stream::state ? p.rev.value : p.seq.value;
}

Message request_of(const StreamKey& key, std::uint64_t from, std::size_t credit, bool open) {
  const auto bytes = static_cast<std::uint32_t>(credit);
  if (key.second == Stream::state) return StateRequest{key.first, Rev{from}, bytes, open};
  return SharedChangeRequest{key.first, Seq{from}, bytes, open};
}

bool shows_more(const PeerSession& s, const VersionVector& ours, const StreamKey& key) {
  return s.accepted && position_in(s.vector, key) > position_in(ours, key);
}

const PeerSession* author_of(const std::map<SessionId, PeerSession>& sessions, const Origin& origin) {
  for (const auto& [id, s] : sessions)
    if (s.accepted && s.device == origin.device && s.incarnation == origin.incarnation) return &s;
  return nullptr;
}

}  // namespace

std::vector<Puller::Start> Puller::plan(const std::map<SessionId, PeerSession>& sessions, const VersionVector& ours,
                                        const Origin& self, bool logs, MonoTime now) {
  std::map<StreamKey, std::vector<SessionId>> wanted;  // and who may be asked
  for (const auto& [id, s] : sessions) {
    if (!s.accepted) continue;
    for (const auto& [origin, position] : s.vector) {
      if (origin == self) continue;
      for (const Stream stream : {Stream::state, Stream::log}) {
        if (stream == Stream::log && !logs) continue;
        const StreamKey key{origin, stream};
        if (!shows_more(s, ours, key) || pulls_.contains(key) || holds_.contains(key)) continue;
        const PeerSession* author = author_of(sessions, origin);
        const bool may_ask = author == nullptr || author == &s || unanswered_.contains({author->id, key}) || fruitless_.contains({author->id, key});
        if (may_ask && !fruitless_.contains({id, key}) && !unanswered_.contains({id, key})) wanted[key].push_back(id);
      }
    }
  }
  Loads loads = active_pulls();
  std::vector<Start> starts;
  for (const auto& [key, candidates] : wanted) {
    const auto less = [&loads](SessionId a, SessionId b) { return loads[a] < loads[b]; };
    const SessionId idlest = *std::min_element(candidates.begin(), candidates.end(), less);
    if (loads[idlest] >= limits::kPullsMax) continue;
    ++loads[idlest];
    const std::uint64_t from = position_in(ours, key);
    pulls_[key] = Pull{idlest, from, 0, now + kPullSilenceMax, 0, false};
    starts.push_back({idlest, request_of(key, from, limits::kPullCredit, true)});
  }
  move_one(sessions, ours, loads);
  return starts;
}

// A session with little to do takes a stream over from one with two or more beyond that. What the old source still may
// send is awaited first, so nothing comes twice.
void Puller::move_one(const std::map<SessionId, PeerSession>& sessions, const VersionVector& ours, Loads& loads) {
  const auto moving = [](const auto& pull) { return pull.second.moves; };
  if (sessions.size() < 2 || pulls_.size() < 2 || std::any_of(pulls_.begin(), pulls_.end(), moving)) return;
  for (const auto& [id, s] : sessions) {
    if (!s.accepted) continue;
    for (auto& [key, pull] : pulls_) {
      if (loads[pull.session] < loads[id] + 2 || holds_.contains(key) || fruitless_.contains({id, key})) continue;
      if (!shows_more(s, ours, key) || unanswered_.contains({id, key}) || author_of(sessions, key.first) != nullptr) continue;
      pull.moves = true;
      return;
    }
  }
}

Puller::Loads Puller::active_pulls() const {
  Loads loads;
  for (const auto& [key, pull] : pulls_) loads[pull.session] += holds_.contains(key) ? 0 : 1;
  return loads;
}

std::optional<Message> Puller::taken(SessionId session, const StreamKey& key, std::uint64_t to, std::size_t bytes,
                                     bool last, MonoTime now) {
  unanswered_.erase({session, key});
  const auto at = pulls_.find(key);
  if (at == pulls_.end() || at->second.session != session) return std::nullopt;
  if (last) {
    if (to <= at->second.from) fruitless_[{session, key}] = now;
    pulls_.erase(at);
    return std::nullopt;
  }
  Pull& pull = at->second;
  pull.check = now + kPullSilenceMax;
  pull.idle = 0;
  pull.used += bytes;
  if (pull.moves) {
    if (pull.used >= limits::kPullCredit) pulls_.erase(at);  // all that it was allowed to send is here
    return std::nullopt;
  }
  if (pull.used < limits::kPullCredit / 4) return std::nullopt;
  return request_of(key, to, std::exchange(pull.used, 0), false);
}

void Puller::stop(SessionId session) {
  std::erase_if(pulls_, [session](const auto& pull) { return pull.second.session == session; });
  std::erase_if(fruitless_, [session](const auto& item) { return item.first.first == session; });
  std::erase_if(unanswered_, [session](const auto& item) { return item.first.first == session; });
}

void Puller::ended(SessionId session) {
  stop(session);
  std::erase_if(holds_, [session](const auto& item) { return item.second.session == session; });
}

void Puller::idle(SessionId session) {
  for (auto& [key, pull] : pulls_)
    if (pull.session == session) ++pull.idle;
  for (auto& [asked, heartbeats] : unanswered_)
    if (asked.first == session) ++heartbeats;
  std::erase_if(unanswered_, [](const auto& item) { return item.second >= kIdleMax; });
}

void Puller::expire(const std::map<SessionId, PeerSession>& sessions, const VersionVector& ours, MonoTime now) {
  std::erase_if(fruitless_, [now](const auto& item) { return now - item.second >= kPullSilenceMax; });
  for (auto at = pulls_.begin(); at != pulls_.end();) {
    auto& [key, pull] = *at;
    const auto elsewhere = [&, &key = key, &pull = pull](const auto& item) {
      const auto& [id, s] = item;
      return id != pull.session && shows_more(s, ours, key) && !unanswered_.contains({id, key});
    };
    if (now < pull.check) {
      ++at;
    } else if (pull.idle >= kIdleMax) {
      at = pulls_.erase(at);
    } else if (std::any_of(sessions.begin(), sessions.end(), elsewhere)) {
      unanswered_[{pull.session, key}] = pull.idle;
      at = pulls_.erase(at);
    } else {
      pull.check = now + kPullSilenceMax;
      ++at;
    }
  }
}

void Puller::hold(const StreamKey& key, Hold why) {
  if (why.dependencies.empty()) pulls_.erase(key);
  if (holds_.size() >= limits::kHoldsMax && !holds_.contains(key)) return;  // it is asked for again, and waits again
  holds_[key] = std::move(why);
}

std::set<DeviceId> Puller::release(const VersionVector& ours, Now now) {
  std::set<DeviceId> in_time;
  std::erase_if(holds_, [&](const auto& item) {
    const Hold& hold = item.second;
    if (hold.until.ms != 0) {
      if (now.wall >= hold.until) in_time.insert(item.first.first.device);
      return now.wall >= hold.until;
    }
    if (!hold.dependencies.empty()) return ours.covers(hold.dependencies);
    return now.mono >= hold.retry;
  });
  return in_time;
}

void Puller::release_unshown(const std::map<SessionId, PeerSession>& sessions, const VersionVector& ours) {
  std::erase_if(holds_, [&](const auto& item) {
    const auto& [key, hold] = item;
    return hold.until.ms != 0 && std::none_of(sessions.begin(), sessions.end(), [&, &key = key](const auto& s) { return shows_more(s.second, ours, key); });
  });
}

std::optional<MonoTime> Puller::next_deadline(Now now) const {
  std::optional<MonoTime> next;
  const auto sooner = [&next](MonoTime t) { next = next ? std::min(*next, t) : t; };
  for (const auto& [key, pull] : pulls_) sooner(pull.check);
  for (const auto& [key, hold] : holds_) {
    if (hold.until.ms != 0) sooner(now.mono + std::chrono::milliseconds(std::max<std::int64_t>(hold.until.ms - now.wall.ms, 1)));
    else if (hold.dependencies.empty()) sooner(hold.retry);
  }
  return next;
}

}  // namespace starling
