// How a connection stands, as `starling status` says it: each state, with real daemons and a line that can be bad.
#include <csignal>

#include "tests/apps/tree.h"
#include "tests/e2e/device.h"
#include "tests/e2e/proxy.h"

namespace starling::test {
namespace {

// A has the workspace; B has joined and dials A through a proxy.
struct Pair {
  TempFolder temp;
  Device a{temp, "A"};
  Device b{temp, "B"};
  std::unique_ptr<Proxy> line;

  Pair() {
    a.init(false);
    b.init(true);
    a.add_peer(b, false);
    a.start();
    line = std::make_unique<Proxy>(a.port());
    b.add_peer_at(a, line->port());
  }
  void await_state(Device& of, const Device& peer, const std::string& state) {
    await(state, [&] { return of.state_of(peer) == state; });
    await(state + ", as people see it", [&] { return of.starling({"status"}).output.find(state) != std::string::npos; });
    CHECK(of.ask({"peer", "list"})["peers"][0]["device"] == peer.id());
  }
};

}  // namespace

TEST_CASE("states: connecting, handshaking, behind, live, backing off") {
  Pair pair;
  pair.line->stall(Way::back, true);
  pair.b.start();
  pair.await_state(pair.b, pair.a, "connecting");  // nobody answers
  pair.line->stall(Way::back, false);
  pair.await_state(pair.b, pair.a, "live");
  pair.await_state(pair.a, pair.b, "live");
  CHECK(pair.b.peer(pair.a)["why"] == "");

  pair.line->stall(Way::back, true);
  (void)pair.a.call({{"op", "tag_set"}, {"name", "unseen"}});
  pair.await_state(pair.a, pair.b, "behind");
  CHECK(pair.a.peer(pair.b)["it_lacks"] == 1);
  pair.line->stall(Way::back, false);
  pair.await_state(pair.a, pair.b, "live");

  pair.line->close(true);
  await("backing off, in between", [&] { return pair.b.state_of(pair.a) == "backing off"; });
  CHECK(pair.b.peer(pair.a)["why"] != "");
  pair.await_state(pair.a, pair.b, "backing off");  // it can only wait
  pair.line->stall_behind_handshake();
  pair.line->close(false);
  await("A is handshaking", [&] { return pair.a.state_of(pair.b) == "handshaking"; });  // for five seconds
  pair.await_state(pair.b, pair.a, "handshaking");  // authenticated, and A's Hello does not come
}

TEST_CASE("states: refused says why, and for good is not what it means") {
  Pair pair;
  pair.b.start();
  pair.await_state(pair.b, pair.a, "live");
  (void)pair.a.ask({"peer", "remove", pair.b.id()});
  pair.await_state(pair.b, pair.a, "refused");
  CHECK(pair.b.peer(pair.a)["why"].get<std::string>().find("peer") != std::string::npos);
  pair.a.add_peer(pair.b, false);
  pair.await_state(pair.b, pair.a, "live");
  await_equal(pair.a, pair.b);

  Device other(pair.temp, "other");  // of another workspace
  other.init(false);
  pair.a.add_peer(other, false);
  other.add_peer(pair.a, true);
  other.start();
  pair.await_state(other, pair.a, "refused");
  const std::string why = other.peer(pair.a)["why"];
  CHECK_MESSAGE(why.find("workspace") != std::string::npos, why);
}

TEST_CASE("[N21] pause: no peer is spoken to while both write; resume, and all of it travels") {
  Pair pair;
  pair.b.start();
  await_equal(pair.a, pair.b);
  CHECK(pair.b.ask({"pause"}) == json{{"readiness", "paused"}});
  CHECK(pair.b.status()["readiness"] == "paused");
  CHECK(pair.b.starling({"status"}).output.find("paused") != std::string::npos);
  await("A has heard of it", [&] { return pair.a.state_of(pair.b) != "live"; });
  (void)pair.a.call({{"op", "tag_set"}, {"name", "of A"}});
  (void)pair.b.call({{"op", "tag_set"}, {"name", "of B"}});
  const std::uint64_t bytes = pair.line->bytes(Way::there);
  await("A has no session", [&] { return pair.a.state_of(pair.b) == "backing off"; });
  CHECK_FALSE(pair.a.has_tag("of B"));
  CHECK(pair.line->bytes(Way::there) == bytes);
  CHECK(pair.b.ask({"resume"}) == json{{"readiness", "ready"}});
  await("both have both", [&] { return pair.a.has_tag("of B") && pair.b.has_tag("of A"); });
  await_equal(pair.a, pair.b);

  (void)pair.b.ask({"pause"});
  CHECK(pair.b.stop() == 0);
  const Run alone = pair.b.starling({"pause"});
  CHECK(alone.code == 1);
  CHECK(alone.errors.find("no daemon runs") != std::string::npos);
  pair.b.start();  // a restart is not paused
  await_equal(pair.a, pair.b);
}

}  // namespace starling::test
