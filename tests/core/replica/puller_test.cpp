#include "core/replica/puller.h"

#include <doctest/doctest.h>

#include "core/base/limits.h"
#include "tests/core/causal/some_ids.h"

namespace starling {
namespace {

using namespace std::chrono_literals;

const MonoTime kStart{};

struct Sessions {
  std::map<SessionId, PeerSession> all;

  PeerSession& add(SessionId id, unsigned device_number) {
    PeerSession& s = all[id];
    s.id = id;
    s.device = device(device_number);
    s.incarnation = origin(device_number).incarnation;
    s.accepted = true;
    return s;
  }
};

Position seq(std::uint64_t n) { return {Rev{}, Seq{n}, Hlc{n}}; }

// What is asked of whom: "session: kind device from", in order.
std::string asked(const std::vector<Puller::Start>& starts) {
  std::string text;
  for (const Puller::Start& start : starts) {
    if (!text.empty()) text += "; ";
    text += std::to_string(start.session) + ": ";
    if (const auto* r = std::get_if<StateRequest>(&start.request)) {
      CHECK(r->open);
      CHECK(r->credit == limits::kPullCredit);
      text += "state " + std::to_string(r->origin.device.raw[0]) + " from " + std::to_string(r->from.value);
    } else {
      const auto& l = std::get<SharedChangeRequest>(start.request);
      CHECK(l.open);
      CHECK(l.credit == limits::kPullCredit);
      text += "log " + std::to_string(l.origin.device.raw[0]) + " from " + std::to_string(l.from.value);
    }
  }
  return text;
}

const StreamKey kLogOf2{origin(2), Stream::log};

}  // namespace

TEST_CASE("Puller: asks for what a peer shows beyond our position, and for nothing else") {
  Sessions sessions;
  PeerSession& s = sessions.add(7, 2);
  s.vector.join(origin(1), seq(9));  // our own
  s.vector.join(origin(2), {Rev{5}, Seq{3}, Hlc{3}});
  s.vector.join(origin(3), seq(4));
  VersionVector ours;
  ours.join(origin(2), {Rev{5}, Seq{1}, Hlc{1}});
  Puller puller;
  CHECK(asked(puller.plan(sessions.all, ours, origin(1), true, kStart)) == "7: log 2 from 1; 7: log 3 from 0");
  CHECK(asked(puller.plan(sessions.all, ours, origin(1), true, kStart)) == "");  // they are under way
  CHECK(puller.pulling());
}

TEST_CASE("Puller: asks a stream's author where it is connected, else anybody who shows more; each stream once") {
  Sessions sessions;
  sessions.add(1, 2).vector.join(origin(3), seq(8));
  sessions.add(2, 4).vector.join(origin(3), seq(9));
  Puller puller;
  CHECK(asked(puller.plan(sessions.all, {}, origin(1), true, kStart)) == "1: log 3 from 0");
  puller.stop(SessionId{1});
  sessions.add(3, 3).vector.join(origin(3), seq(9));
  CHECK(asked(puller.plan(sessions.all, {}, origin(1), true, kStart)) == "3: log 3 from 0");
}

TEST_CASE("Puller: streams of devices that are away are spread over those that show them, the least busy first") {
  Sessions sessions;
  for (const SessionId id : {SessionId{1}, SessionId{2}}) {
    PeerSession& s = sessions.add(id, 90 + static_cast<unsigned>(id));
    for (unsigned i = 2; i < 6; ++i) s.vector.join(origin(i), seq(100));
  }
  Puller puller;
  CHECK(asked(puller.plan(sessions.all, {}, origin(1), true, kStart)) ==
        "1: log 2 from 0; 2: log 3 from 0; 1: log 4 from 0; 2: log 5 from 0");
  puller.ended(1);
  sessions.all.erase(1);
  VersionVector ours;
  ours.join(origin(4), seq(60));
  CHECK(asked(puller.plan(sessions.all, ours, origin(1), true, kStart)) == "2: log 2 from 0; 2: log 4 from 60");
}

TEST_CASE("Puller: a session that comes later takes streams over, each once all that its source may send is here") {
  Sessions sessions;
  PeerSession& first = sessions.add(1, 91);
  for (unsigned i = 2; i < 6; ++i) first.vector.join(origin(i), seq(100));
  Puller puller;
  CHECK(puller.plan(sessions.all, {}, origin(1), true, kStart).size() == 4);
  sessions.add(2, 92).vector = first.vector;
  CHECK(asked(puller.plan(sessions.all, {}, origin(1), true, kStart)) == "");  // one is to move
  VersionVector ours;
  ours.join(origin(2), seq(40));
  CHECK_FALSE(puller.taken(1, kLogOf2, 40, limits::kPullCredit / 2, false, kStart));
  CHECK(asked(puller.plan(sessions.all, ours, origin(1), true, kStart)) == "");
  ours.join(origin(2), seq(70));
  CHECK_FALSE(puller.taken(1, kLogOf2, 70, limits::kPullCredit / 2, false, kStart));
  CHECK(asked(puller.plan(sessions.all, ours, origin(1), true, kStart)) == "2: log 2 from 70");
  CHECK(puller.taken(1, {origin(3), Stream::log}, 40, limits::kPullCredit, false, kStart) == std::nullopt);  // the next
  CHECK(asked(puller.plan(sessions.all, ours, origin(1), true, kStart)) == "2: log 3 from 0");
  CHECK(puller.taken(1, {origin(4), Stream::log}, 40, limits::kPullCredit, false, kStart));  // two each: it stays
}

TEST_CASE("Puller: an author that shows nothing more is not by-passed: what others have of it is on its way") {
  Sessions sessions;
  sessions.add(1, 2).vector.join(origin(3), seq(8));
  sessions.add(3, 3);
  Puller puller;
  CHECK(asked(puller.plan(sessions.all, {}, origin(1), true, kStart)) == "");
}

TEST_CASE("Puller: an earlier life of our own device is a stream like any other") {
  Sessions sessions;
  sessions.add(1, 2).vector.join(origin(1, 1), seq(8));
  Puller puller;
  CHECK(asked(puller.plan(sessions.all, {}, origin(1, 2), true, kStart)) == "1: log 1 from 0");
}

TEST_CASE("Puller: a session that is not accepted yet is asked nothing") {
  Sessions sessions;
  PeerSession& s = sessions.add(1, 2);
  s.vector.join(origin(2), seq(8));
  s.accepted = false;
  CHECK(Puller().plan(sessions.all, {}, origin(1), true, kStart).empty());
}

TEST_CASE("Puller: one session is asked for a bounded number of streams at a time; those that wait do not count") {
  Sessions sessions;
  PeerSession& s = sessions.add(1, 99);
  for (unsigned i = 2; i < 30; ++i) s.vector.join(origin(i), seq(1));
  Puller puller;
  CHECK(puller.plan(sessions.all, {}, origin(1), true, kStart).size() == limits::kPullsMax);
  CHECK(puller.plan(sessions.all, {}, origin(1), true, kStart).empty());
  VersionVector dependencies;
  dependencies.join(origin(20), seq(1));
  puller.hold({origin(2), Stream::log}, {"waits", {}, dependencies, {}});
  CHECK(puller.plan(sessions.all, {}, origin(1), true, kStart).size() == 1);
  CHECK_FALSE(puller.taken(1, {origin(3), Stream::log}, 1, 100, true, kStart));
  CHECK(puller.plan(sessions.all, {}, origin(1), true, kStart).size() == 1);  // one has ended, one may begin
}

TEST_CASE("Puller: tops up the credit by what was taken, a quarter at a time, and ends with the last page") {
  Sessions sessions;
  sessions.add(1, 2).vector.join(origin(2), seq(100));
  Puller puller;
  (void)puller.plan(sessions.all, {}, origin(1), true, kStart);
  const std::size_t quarter = limits::kPullCredit / 4;
  CHECK_FALSE(puller.taken(1, kLogOf2, 10, quarter - 1, false, kStart));
  const std::optional<Message> top_up = puller.taken(1, kLogOf2, 20, 5, false, kStart);
  REQUIRE(top_up);
  CHECK((std::get<SharedChangeRequest>(*top_up) ==
         SharedChangeRequest{origin(2), Seq{20}, static_cast<std::uint32_t>(quarter + 4), false}));
  CHECK_FALSE(puller.taken(2, kLogOf2, 30, quarter, false, kStart));  // another session's page
  CHECK_FALSE(puller.taken(1, kLogOf2, 30, quarter, true, kStart));   // the last
  CHECK_FALSE(puller.pulling());
}

TEST_CASE("Puller: a peer that shows a stream and gives nothing of it is not asked for a while; others are") {
  Sessions sessions;
  sessions.add(1, 2).vector.join(origin(9), seq(100));
  Puller puller;
  CHECK(asked(puller.plan(sessions.all, {}, origin(1), true, kStart)) == "1: log 9 from 0");
  (void)puller.taken(1, {origin(9), Stream::log}, 0, 0, true, kStart);
  CHECK(asked(puller.plan(sessions.all, {}, origin(1), true, kStart)) == "");
  sessions.add(2, 3).vector.join(origin(9), seq(100));
  CHECK(asked(puller.plan(sessions.all, {}, origin(1), true, kStart)) == "2: log 9 from 0");
  puller.stop(SessionId{2});
  sessions.all.erase(2);
  puller.expire(sessions.all, {}, kStart + 30s);
  CHECK(asked(puller.plan(sessions.all, {}, origin(1), true, kStart + 30s)) == "1: log 9 from 0");
}

TEST_CASE("Puller: a source that falls silent is asked again only once it shows that nothing is under way") {
  Sessions sessions;
  sessions.add(1, 2).vector.join(origin(2), seq(100));
  Puller puller;
  (void)puller.plan(sessions.all, {}, origin(1), true, kStart);
  CHECK(puller.next_deadline({kStart, {}}) == kStart + 30s);
  puller.idle(1);  // it may have been under way when we asked
  (void)puller.taken(1, kLogOf2, 10, 1, false, kStart + 20s);
  CHECK(puller.next_deadline({kStart, {}}) == kStart + 50s);
  puller.idle(1);
  puller.expire(sessions.all, {}, kStart + 50s);
  CHECK(puller.pulling());  // a slow line
  CHECK(puller.next_deadline({kStart, {}}) == kStart + 80s);
  puller.idle(1);
  puller.expire(sessions.all, {}, kStart + 80s);
  CHECK_FALSE(puller.pulling());
  CHECK(asked(puller.plan(sessions.all, {}, origin(1), true, kStart)) == "1: log 2 from 0");
}

TEST_CASE("Puller: a source that falls silent loses the pull to another, be it the author, and is not asked again meanwhile") {
  Sessions sessions;
  sessions.add(1, 2).vector.join(origin(2), seq(100));  // the author
  Puller puller;
  (void)puller.plan(sessions.all, {}, origin(1), true, kStart);
  sessions.add(2, 3).vector.join(origin(2), seq(90));
  puller.expire(sessions.all, {}, kStart + 29s);
  CHECK(puller.plan(sessions.all, {}, origin(1), true, kStart).empty());
  puller.expire(sessions.all, {}, kStart + 30s);
  CHECK(asked(puller.plan(sessions.all, {}, origin(1), true, kStart + 30s)) == "2: log 2 from 0");
  puller.expire(sessions.all, {}, kStart + 60s);  // neither gives anything: both are slow
  CHECK(puller.plan(sessions.all, {}, origin(1), true, kStart + 60s).empty());
  CHECK(puller.pulling());
  puller.ended(2);
  sessions.all.erase(2);
  CHECK(puller.plan(sessions.all, {}, origin(1), true, kStart + 60s).empty());
  CHECK_FALSE(puller.taken(1, kLogOf2, 10, 1, false, kStart + 70s));  // the author, after all
  CHECK(asked(puller.plan(sessions.all, {}, origin(1), true, kStart + 70s)) == "1: log 2 from 0");
}

TEST_CASE("Puller: a hold keeps a stream from being asked for until its reason is over") {
  Sessions sessions;
  sessions.add(1, 2).vector.join(origin(2), seq(5));
  VersionVector dependencies;
  dependencies.join(origin(3), seq(2));
  const struct {
    Hold hold;
    Now before, after;
    VersionVector vector_after;
  } cases[] = {
      {{"clock", WallTime{1000}, {}, {}}, {kStart + 1h, WallTime{999}}, {kStart, WallTime{1000}}, {}},
      {{"refused", {}, {}, kStart + 60s}, {kStart + 59s, WallTime{5000}}, {kStart + 60s, {}}, {}},
      {{"dependencies", {}, dependencies, {}}, {kStart + 1h, WallTime{5000}}, {kStart, {}}, dependencies},
  };
  for (const auto& c : cases) {
    CAPTURE(c.hold.why);
    Puller puller;
    puller.hold(kLogOf2, c.hold);
    puller.release({}, c.before);
    CHECK(puller.held(kLogOf2));
    CHECK(puller.plan(sessions.all, {}, origin(1), true, kStart).empty());
    puller.release(c.vector_after, c.after);
    CHECK_FALSE(puller.held(kLogOf2));
    CHECK(puller.plan(sessions.all, {}, origin(1), true, kStart).size() == 1);
  }
}

TEST_CASE("Puller: what waits for dependencies is given up with the session that brought it, not with what was asked of it") {
  VersionVector dependencies;
  dependencies.join(origin(3), seq(2));
  Puller puller;
  puller.hold(kLogOf2, {"dependencies", {}, dependencies, {}, 7});
  puller.stop(SessionId{7});
  puller.ended(SessionId{8});
  CHECK(puller.waits_for_entries(kLogOf2));
  puller.ended(SessionId{7});
  CHECK_FALSE(puller.held(kLogOf2));
}

TEST_CASE("Puller: wakes when a hold by time ends, and never for one by position") {
  Puller puller;
  VersionVector dependencies;
  dependencies.join(origin(3), seq(2));
  puller.hold(kLogOf2, {"dependencies", {}, dependencies, {}});
  CHECK(puller.next_deadline({kStart, {}}) == std::nullopt);
  puller.hold({origin(4), Stream::log}, {"refused", {}, {}, kStart + 60s});
  CHECK(puller.next_deadline({kStart, {}}) == kStart + 60s);
  puller.hold({origin(5), Stream::log}, {"clock", WallTime{30'000}, {}, {}});
  CHECK(puller.next_deadline({kStart + 1s, WallTime{10'000}}) == kStart + 21s);
}

}  // namespace starling
