#include "core/replica/pusher.h"

#include <algorithm>

namespace starling {
namespace {

Message state_message(const std::vector<const LocalCommit*>& commits) {
  StateBatch batch;
  for (const LocalCommit* c : commits)
    batch.pages.push_back({c->origin, c->rev_before, c->rev_after, Rev{}, c->state_body, c->opening});
  if (batch.pages.size() == 1) return StateChange{std::move(batch.pages.front())};
  return batch;
}

Message log_message(const std::vector<const LocalCommit*>& commits) {
  const LocalCommit& first = *commits.front();
  if (commits.size() == 1) return SharedChange{first.origin, first.seq, first.entry};
  SharedChangeBatch batch{first.origin, first.seq, {}};
  for (const LocalCommit* c : commits) batch.entries.push_back(c->entry);
  return batch;
}

using Run = std::vector<const LocalCommit*>;

// One stream's commits in order; `before` and `after` are positions in it, `bytes` what would be pushed.
struct StreamOf {
  std::uint64_t (*before)(const LocalCommit&);
  std::uint64_t (*after)(const LocalCommit&);
  const Bytes& (*bytes)(const LocalCommit&);
  Message (*message)(const std::vector<const LocalCommit*>&);
};

constexpr StreamOf kState{[](const LocalCommit& c) { return c.rev_before.value; },
                          [](const LocalCommit& c) { return c.rev_after.value; },
                          [](const LocalCommit& c) -> const Bytes& { return c.state_body; }, &state_message};
constexpr StreamOf kLog{[](const LocalCommit& c) { return c.seq.value - 1; },
                        [](const LocalCommit& c) { return c.seq.value; },
                        [](const LocalCommit& c) -> const Bytes& { return c.entry; }, &log_message};

// Runs of commits that continue each other, none too large to push, of at most kPushMax bytes together.
std::vector<Run> runs_of(const std::vector<const LocalCommit*>& commits, const StreamOf& stream) {
  std::vector<Run> runs;
  std::size_t bytes = 0;
  for (const LocalCommit* c : commits) {
    const std::size_t size = stream.bytes(*c).size();
    const bool continues = !runs.empty() && !runs.back().empty() &&
                           stream.after(*runs.back().back()) == stream.before(*c) && bytes + size <= limits::kPushMax;
    if (!continues) {
      runs.emplace_back();
      bytes = 0;
    }
    if (size == 0) continue;  // too large: whoever needs it pulls, and what follows starts a new run
    runs.back().push_back(c);
    bytes += size;
  }
  std::erase_if(runs, [](const Run& run) { return run.empty(); });
  return runs;
}

template <class Counter>
void push_stream(const std::vector<const LocalCommit*>& commits, const StreamOf& stream,
                 std::optional<Counter> PeerSession::*pushed, std::map<SessionId, PeerSession>& sessions,
                 std::vector<Send>& out) {
  for (const Run& run : runs_of(commits, stream)) {
    std::map<std::size_t, Send> sends;  // by the commit that a session needs first: usually that of the whole run
    for (auto& [id, s] : sessions) {
      if (!s.accepted || !(s.*pushed)) continue;
      const auto first = std::find_if(run.begin(), run.end(),
                                      [&, at = (s.*pushed)->value](const LocalCommit* c) { return stream.before(*c) == at; });
      if (first == run.end()) continue;
      s.*pushed = Counter{stream.after(*run.back())};
      sends[static_cast<std::size_t>(first - run.begin())].sessions.push_back(id);
    }
    for (auto& [first, send] : sends) {
      send.message = std::make_shared<const Message>(stream.message({run.begin() + static_cast<std::ptrdiff_t>(first), run.end()}));
      out.push_back(std::move(send));
    }
  }
}

}  // namespace

std::vector<Send> Pusher::push(std::map<SessionId, PeerSession>& sessions) {
  std::vector<const LocalCommit*> state;
  std::vector<const LocalCommit*> log;
  for (const auto& c : commits_) {
    if (c->rev_after != c->rev_before) state.push_back(c.get());
    if (c->seq != Seq{}) log.push_back(c.get());
  }
  std::vector<Send> sends;
  push_stream(state, kState, &PeerSession::pushed_rev, sessions, sends);
  push_stream(log, kLog, &PeerSession::pushed_seq, sessions, sends);
  commits_.clear();
  return sends;
}

}  // namespace starling
