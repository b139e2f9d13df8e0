#include "core/replica/pusher.h"

#include <doctest/doctest.h>

#include "core/base/limits.h"
#include "tests/core/causal/some_ids.h"

namespace starling {
namespace {

struct World {
  Pusher pusher;
  std::map<SessionId, PeerSession> sessions;

  PeerSession& session(SessionId id, std::uint64_t pushed_rev, std::uint64_t pushed_seq) {
    PeerSession& s = sessions[id];
    s.id = id;
    s.accepted = true;
    s.pushed_rev = Rev{pushed_rev};
    s.pushed_seq = Seq{pushed_seq};
    return s;
  }
  void commit(std::uint64_t rev_before, std::uint64_t rev_after, std::uint64_t seq, std::size_t bytes = 10) {
    LocalCommit c;
    c.origin = origin(1);
    c.rev_before = Rev{rev_before};
    c.rev_after = Rev{rev_after};
    if (rev_before != rev_after) c.state_body = Bytes(bytes, 's');
    c.seq = Seq{seq};
    if (seq != 0) c.entry = Bytes(bytes, 'e');
    pusher.add(std::make_shared<const LocalCommit>(std::move(c)));
  }
  // What is sent: "kind from-to to sessions".
  std::string push() {
    std::string text;
    for (const Send& send : pusher.push(sessions)) {
      if (!text.empty()) text += "; ";
      text += describe(*send.message) + " to";
      for (const SessionId id : send.sessions) text += " " + std::to_string(id);
    }
    return text;
  }
  static std::string describe(const Message& m) {
    const auto range = [](const char* kind, std::uint64_t from, std::uint64_t to) {
      return kind + std::to_string(from) + "-" + std::to_string(to);
    };
    if (const auto* c = std::get_if<StateChange>(&m)) return range("change ", c->page.from.value, c->page.to.value);
    if (const auto* b = std::get_if<StateBatch>(&m)) return range("batch ", b->pages.front().from.value, b->pages.back().to.value);
    if (const auto* s = std::get_if<SharedChange>(&m)) return "entry " + std::to_string(s->seq.value);
    const auto& b = std::get<SharedChangeBatch>(m);
    return range("entries ", b.from.value, b.from.value + b.entries.size() - 1);
  }
};

}  // namespace

TEST_CASE("Pusher: a commit goes, encoded once, to every session that stands right before it") {
  World w;
  w.session(1, 4, 7);
  w.session(2, 4, 6);
  w.session(3, 4, 7).accepted = false;
  w.session(4, 4, 7).pushed_seq.reset();
  w.session(5, 3, 7);
  w.commit(4, 6, 8);
  CHECK(w.push() == "change 4-6 to 1 2 4; entry 8 to 1 5");
  CHECK(w.sessions[1].pushed_rev == Rev{6});
  CHECK(w.sessions[1].pushed_seq == Seq{8});
  CHECK(w.sessions[2].pushed_seq == Seq{6});
  CHECK(w.push() == "");
}

TEST_CASE("Pusher: commits that follow each other go together") {
  World w;
  w.session(1, 0, 0);
  w.commit(0, 1, 1);
  w.commit(1, 1, 2);
  w.commit(1, 3, 0);
  w.commit(3, 4, 3);
  CHECK(w.push() == "batch 0-4 to 1; entries 1-3 to 1");
}

TEST_CASE("Pusher: a session in the middle of a run gets the rest of it") {
  World w;
  w.session(1, 0, 0);
  w.session(2, 0, 2);
  w.session(3, 0, 3);
  for (std::uint64_t seq = 1; seq <= 3; ++seq) w.commit(0, 0, seq);
  CHECK(w.push() == "entries 1-3 to 1; entry 3 to 2");
  w.commit(0, 0, 4);
  CHECK(w.push() == "entry 4 to 1 2 3");
}

TEST_CASE("Pusher: a commit too large to push leaves its sessions to pull, and so do those behind it") {
  World w;
  w.session(1, 0, 0);
  w.commit(0, 0, 1);
  w.commit(0, 0, 2, 0);
  w.commit(0, 0, 3);
  CHECK(w.push() == "entry 1 to 1");
  w.commit(0, 0, 4);
  CHECK(w.push() == "");
  w.sessions[1].pushed_seq = Seq{4};  // it has pulled
  w.commit(0, 0, 5);
  CHECK(w.push() == "entry 5 to 1");
}

TEST_CASE("Pusher: no message is larger than what may be pushed") {
  World w;
  w.session(1, 0, 0);
  for (std::uint64_t seq = 1; seq <= 4; ++seq) w.commit(0, 0, seq, limits::kPushMax / 2);
  CHECK(w.push() == "entries 1-2 to 1; entries 3-4 to 1");
}

}  // namespace starling
