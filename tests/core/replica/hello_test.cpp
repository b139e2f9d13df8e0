#include "core/replica/hello.h"

#include <limits>

#include "core/base/sha256.h"
#include "core/store/sync_state.h"
#include "tests/core/replica/author.h"
#include "tests/core/replica/test_node.h"

namespace starling {
namespace {

// The code with which our node refuses a Hello that differs from a good one in `change`.
std::optional<Errc> refused(TestNode& node, const std::function<void(Hello&)>& change) {
  Hello hello = hello_for(node, 2);
  change(hello);
  const Expected<void> checked = check_hello(*node.store, hello, device(2), node.now.wall);
  if (checked) return std::nullopt;
  CHECK_FALSE(checked.error().what.empty());
  return checked.error().code;
}

}  // namespace

TEST_CASE("Hello: tells who we are, what we hold, and what we hold of the peer's own log") {
  TestNode node(1);
  TestNode peer(2, false);
  Exchange exchange(node, peer);
  exchange.run({node.write("INSERT INTO note(id) VALUES ('n')")}, {peer.write("INSERT INTO note(id) VALUES ('m')")});
  const Hello hello = make_hello(*node.store, node.store->origins().vector(), device(2), node.now.wall);
  CHECK(hello.protocol == kProtocolVersion);
  CHECK(hello.workspace_name == "test");
  CHECK(hello.workspace == node.store->state().workspace());
  CHECK(hello.incarnation == node.store->self().incarnation);
  CHECK(hello.vector == node.vector());
  CHECK(hello.ack_version == 3);  // an entry of the peer's, and two of ours: the peer's admission and the note
  REQUIRE(hello.held.size() == 1);
  CHECK(hello.held[0] == HeldLog{peer.store->self(), Seq{1}, hash128(peer.entry(1))});
  REQUIRE(hello.models.size() == 4);
  CHECK(hello.models.back().name == "sync_member");
  CHECK(hello.clock == node.now.wall);
}

TEST_CASE("Hello: what must agree is checked, each refusal with its own code") {
  TestNode node(1);
  CHECK(refused(node, [](Hello&) {}) == std::nullopt);
  CHECK(refused(node, [](Hello& h) { h.protocol = kProtocolVersion - 1; }) == Errc::schema);
  CHECK(refused(node, [](Hello& h) { h.protocol = kProtocolVersion + 1; }) == Errc::schema);
  CHECK(refused(node, [](Hello& h) { h.workspace_name = "other"; }) == Errc::wrong_workspace);
  CHECK(refused(node, [](Hello& h) { h.workspace.raw[0] ^= 1; }) == Errc::wrong_workspace);
  CHECK(refused(node, [](Hello& h) { h.workspace = {}; }) == std::nullopt);  // a joiner
}

TEST_CASE("[N20][N31] Hello: models that only one side has, or that have grown on one side, are no obstacle; others are") {
  TestNode node(1);
  const auto other = [](ModelDigest& m) { m.digest.raw[0] ^= 1; };
  CHECK(refused(node, [](Hello& h) { h.models.pop_back(); }) == std::nullopt);
  CHECK(refused(node, [](Hello& h) { h.models[0].name = "other"; }) == std::nullopt);
  CHECK(refused(node, [&](Hello& h) { other(h.models[1]); }) == std::nullopt);  // NOT NULL, say
  CHECK(refused(node, [&](Hello& h) { other(h.models[1]); h.models[1].shape.push_back(7); }) == std::nullopt);
  CHECK(refused(node, [&](Hello& h) { other(h.models[2]); h.models[2].shape.pop_back(); }) == std::nullopt);
  CHECK(refused(node, [&](Hello& h) { other(h.models[1]); h.models[1].shape.back() ^= 1; }) == Errc::schema);   // a column
  CHECK(refused(node, [&](Hello& h) { other(h.models[1]); h.models[1].shape.front() ^= 1; }) == Errc::schema);  // its kind
  CHECK(refused(node, [&](Hello& h) { other(h.models[1]); h.models[1].shape.resize(1); }) == Errc::schema);     // no key
  CHECK(refused(node, [&](Hello& h) { other(h.models[1]); h.models[1].shape.clear(); }) == Errc::schema);

  Hello same = make_hello(*node.store, {}, device(2), node.now.wall);
  CHECK(same_models(node.store->schema(), same));
  same.models.pop_back();
  CHECK_FALSE(same_models(node.store->schema(), same));
}

TEST_CASE("Hello: two joiners cannot give each other a workspace") {
  TestNode node(1, false);
  CHECK(refused(node, [](Hello&) {}) == Errc::not_ready);
}

TEST_CASE("Hello: clocks a day apart are refused in either direction, however far they are") {
  TestNode node(1);
  const auto with_clock = [&](std::int64_t ms) { return refused(node, [ms](Hello& h) { h.clock.ms = ms; }); };
  const std::int64_t day = limits::kHelloClockMaxMs;
  CHECK(with_clock(node.now.wall.ms + day) == std::nullopt);
  CHECK(with_clock(node.now.wall.ms - day) == std::nullopt);
  CHECK(with_clock(node.now.wall.ms + day + 1) == Errc::clock);
  CHECK(with_clock(node.now.wall.ms - day - 1) == Errc::clock);
  CHECK(with_clock(std::numeric_limits<std::int64_t>::max()) == Errc::clock);
  CHECK(with_clock(std::numeric_limits<std::int64_t>::min()) == Errc::clock);
}

TEST_CASE("Hello: a peer that knows more of our history than we do, or another one: our name is not ours any more") {
  TestNode node(1);
  (void)node.write("INSERT INTO note(id) VALUES ('n')");
  (void)node.write("INSERT INTO file(id) VALUES (x'01')");
  const Origin self = node.store->self();
  const auto renewed = [&](Position p, const std::vector<HeldLog>& held) {
    Hello hello;
    hello.vector.join(self, p);
    hello.held = held;
    const std::optional<Renewal> found = renewal(*node.store, device(2), hello, node.store->origins().vector());
    if (!found) return false;
    CHECK(found->incarnation > self.incarnation);
    CHECK_FALSE(found->lived);
    CHECK(found->kept == Position{});  // that peer has acknowledged nothing yet
    return true;
  };
  const auto knowing = [&](Position p) { return renewed(p, {}); };
  CHECK_FALSE(knowing(node.own()));
  CHECK(knowing({Rev{2}, Seq{1}, node.own().hlc}));
  CHECK(knowing({Rev{1}, Seq{2}, Hlc{node.own().hlc.packed + 1}}));

  const auto holding = [&](std::uint64_t seq, const Hash128& hash) { return renewed({}, {{self, Seq{seq}, hash}}); };
  const Hash128 good = hash128(node.entry(1));
  Hash128 other = good;
  other.raw[0] ^= 1;
  CHECK_FALSE(holding(1, good));
  CHECK_FALSE(holding(0, {}));
  CHECK(holding(1, other));
  CHECK(holding(2, good));
}

TEST_CASE("Hello: a later life of ours is seen, and we begin one beyond it; an earlier one is history") {
  TestNode node(1);
  const Incarnation mine = node.store->self().incarnation;
  const auto showing = [&](std::uint64_t birth) {
    VersionVector v;
    v.join({node.store->self().device, {Hlc{birth}, 9}}, {Rev{1}, Seq{}, Hlc{}});
    return v;
  };
  const VersionVector earlier = showing(mine.birth.packed - 1);
  const VersionVector later = showing(mine.birth.packed + 1);
  (void)node.write("INSERT INTO note(id) VALUES ('n')");
  CHECK_FALSE(renewal_of_life(*node.store, earlier));
  const std::optional<Renewal> beyond = renewal_of_life(*node.store, later);
  REQUIRE(beyond);
  CHECK(beyond->lived);
  CHECK(beyond->incarnation.birth > Hlc{mine.birth.packed + 1});
  CHECK(beyond->kept == Position{node.own().rev, Seq{}, Hlc{}});  // nobody has acknowledged the entry
  CHECK_FALSE(renewal_of_life(*node.store, showing(~0ULL)));  // no clock ever said so
}

TEST_CASE("Hello: the version of an acknowledgement grows with whatever grows") {
  VersionVector v;
  CHECK(ack_version(v) == 0);
  v.advance_rev(origin(1), Rev{3});
  CHECK(ack_version(v) == 3);
  v.advance_seq(origin(2), Seq{4}, Hlc{9});
  CHECK(ack_version(v) == 7);
}

TEST_CASE("A row that is damaged stays damaged in the next life, a shared one and one of its own") {
  TestNode node(1);
  (void)node.write("INSERT INTO note(id, title) VALUES ('n', 'good')");
  (void)node.write("INSERT INTO file(id, path) VALUES (x'01', 'good')");
  node.store->begin(TransactionKind::apply);
  Statement(node.store->handle(), "UPDATE note SET title='rot'").run();
  Statement(node.store->handle(), "UPDATE file SET path='rot'").run();
  node.store->begin_new_life({Hlc::of(node.now.wall.ms + 1, 0), 7}, {});
  node.store->commit();
  const auto is_good = [&](const char* table, const Bytes& key) {
    return node.store->rows().is_good(node.store->schema().index_of(*node.store->schema().find(table)), key);
  };
  CHECK_FALSE(is_good("note", typed({ValueView::text("n")})));
  CHECK_FALSE(is_good("file", typed({ValueView::blob("\x01")})));
}

}  // namespace starling
