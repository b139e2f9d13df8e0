#include "core/replica/replica.h"

#include "core/replica/adoption.h"
#include "core/store/ack_store.h"
#include "proto/state_page.h"
#include "tests/core/replica/test_node.h"

namespace starling {
namespace {

VersionVector showing(unsigned device_number, Position p) {
  VersionVector v;
  v.join(origin(device_number), p);
  return v;
}

AckSharedChanges ack_of(unsigned device_number, std::uint64_t version, const VersionVector& vector) {
  return AckSharedChanges{{{{device(device_number), origin(device_number).incarnation, version, vector}, true}}};
}

}  // namespace

TEST_CASE("Replica: says Hello to whoever connects, and counts a peer once its Hello was accepted") {
  TestNode node(1);
  const auto up = node.step({PeerUp{7, device(2)}});
  CHECK(sent<Hello>(up, 7).size() == 1);
  CHECK(effects_of<Accepted>(up).empty());
  CHECK(node.replica.status().peers.at(0).state == PeerState::handshaking);
  const auto met = node.receive(7, hello_for(node, 2));
  CHECK(effects_of<Accepted>(met).size() == 1);
  CHECK(node.replica.status().peers.at(0).state == PeerState::behind);  // it lacks its own admission
  (void)node.receive(7, ack_of(2, 1, node.vector()));
  CHECK(node.replica.status().peers.at(0).state == PeerState::live);
}

TEST_CASE("Replica: a bad Hello is answered with the reason and ends the session") {
  TestNode node(1);
  (void)node.step({PeerUp{7, device(2)}});
  Hello hello = hello_for(node, 2);
  hello.workspace_name = "other";
  const auto effects = node.receive(7, hello);
  CHECK(closed_with(effects) == Errc::wrong_workspace);
  REQUIRE(sent<ErrorMessage>(effects, 7).size() == 1);
  CHECK(sent<ErrorMessage>(effects, 7)[0].code == Errc::wrong_workspace);
  CHECK(node.replica.status().peers.empty());
  CHECK(node.receive(7, hello_for(node, 2)).empty());  // the session is no more
}

TEST_CASE("Replica: nothing is accepted before Hello, and no second one after it") {
  for (const Message& early : {Message{Heartbeat{}}, Message{StateRequest{}}, Message{SharedChange{origin(2), Seq{1}, "x"}}}) {
    TestNode node(1);
    (void)node.step({PeerUp{7, device(2)}});
    CHECK(closed_with(node.receive(7, early)) == Errc::corrupt);
  }
  TestNode node(1);
  (void)meet(node, 7, 2);
  CHECK(closed_with(node.receive(7, hello_for(node, 2))) == Errc::corrupt);
}

TEST_CASE("Replica: a peer that says no Hello within five seconds is let go") {
  TestNode node(1);
  (void)node.step({PeerUp{7, device(2)}});
  CHECK(node.replica.next_deadline() == node.now.mono + 5s);
  CHECK(closed_with(node.wait(4999ms)) == std::nullopt);
  CHECK(closed_with(node.wait(1ms)) == Errc::unreachable);
  CHECK(node.replica.next_deadline() == node.now.mono + 5s);  // the first look at what may be forgotten
  (void)node.wait(5s);
  CHECK(node.replica.next_deadline() > node.now.mono + 45s);  // the scrub
}

TEST_CASE("Replica: a peer's refusal closes the session with its reason") {
  TestNode node(1);
  (void)node.step({PeerUp{7, device(2)}});
  CHECK(closed_with(node.receive(7, ErrorMessage{Errc::not_member, "who are you", 0})) == Errc::not_member);
  CHECK(node.replica.status().peers.empty());
}

TEST_CASE("Replica: whoever says Hello is admitted once, in an entry that is told like any other") {
  TestNode node(1);
  const auto met = meet(node, 7, 2);
  CHECK(node.own().seq == Seq{1});
  REQUIRE(sent<SharedChange>(met, 7).size() == 1);
  CHECK(sent<SharedChange>(met, 7)[0] == SharedChange{node.store->self(), Seq{1}, node.entry(1)});
  CHECK(node.replica.status().members == 2);
  CHECK(effects_of<Changed>(met).empty());  // nothing for the application to see
  (void)node.step({PeerDown{7}});
  (void)meet(node, 8, 2, node.vector());
  CHECK(node.own().seq == Seq{1});
  (void)node.step({PeerUp{9, device(3)}});
  CHECK(node.own().seq == Seq{1});  // not before its Hello
  CHECK(sent<SharedChange>(node.receive(9, hello_for(node, 3)), 8).size() == 1);
  CHECK(node.own().seq == Seq{2});
  CHECK(node.replica.status().members == 3);
}

TEST_CASE("[N10] Replica: a member's acknowledgement counts, whoever relays it; a stranger's, and our own, are nothing") {
  TestNode node(1);
  (void)meet(node, 7, 2);
  (void)meet(node, 8, 3);
  const VersionVector held = node.vector();
  CHECK(closed_with(node.receive(7, ack_of(3, 5, held))) == std::nullopt);
  REQUIRE(node.store->acks().table().find(device(3)) != nullptr);
  CHECK(node.store->acks().table().find(device(3))->vector == held);
  CHECK(node.store->acks().table().find(device(2))->vector.empty());
  CHECK(closed_with(node.receive(7, ack_of(3, 4, {}))) == std::nullopt);  // older
  CHECK(node.store->acks().table().find(device(3))->vector == held);
  for (const unsigned stranger : {9U, 1U}) {
    CHECK(closed_with(node.receive(7, ack_of(stranger, 1, held))) == std::nullopt);
    CHECK(node.store->acks().table().find(device(stranger)) == nullptr);
  }
}

TEST_CASE("[N10] Replica: an acknowledgement beyond what we wrote ends the session, also a relayed one") {
  for (const unsigned member : {2U, 3U}) {
    TestNode node(1);
    (void)meet(node, 7, 2);
    VersionVector beyond;
    beyond.advance_seq(node.store->self(), node.own().seq.next(), Hlc{node.own().hlc.packed + 1});
    CHECK(closed_with(node.receive(7, ack_of(member, 1, beyond))) == Errc::corrupt);
  }
}

TEST_CASE("Replica: what peers acknowledge is kept on disk with the next commit") {
  TestNode node(1);
  const Committed commit = node.write("INSERT INTO note(id) VALUES ('n')");
  (void)node.step({commit});
  (void)meet(node, 7, 2);
  CHECK(node.store->acks().table().find(device(2)) != nullptr);
  (void)node.receive(7, ack_of(2, 1, node.vector()));
  REQUIRE(node.store->acks().table().find(device(2)) != nullptr);
  CHECK(node.store->acks().table().find(device(2))->vector == node.vector());
  const VersionVector acknowledged = node.vector();
  (void)node.write("INSERT INTO note(id) VALUES ('m')");
  CHECK(node.number("SELECT count(*) FROM sync_ack") == 1);
  CHECK(node.number("SELECT version FROM sync_ack") == 1);
  node.store->acks().reload();
  CHECK(node.store->acks().table().find(device(2))->vector == acknowledged);
}

TEST_CASE("Replica: our vector is told when it changed, at most once in 200 ms, and only what changed") {
  TestNode node(1);
  const auto met = meet(node, 7, 2);  // with the admission
  REQUIRE(sent<AckSharedChanges>(met, 7).size() == 1);
  CHECK(sent<AckSharedChanges>(met, 7)[0].acks.at(0).ack.vector == node.vector());
  (void)node.step({node.write("INSERT INTO file(id) VALUES (x'01')")});
  (void)node.wait(200ms);
  (void)node.wait(200ms);
  const Position before = node.own();
  const auto first = node.step({node.write("INSERT INTO note(id) VALUES ('a')")});
  REQUIRE(sent<AckSharedChanges>(first, 7).size() == 1);
  REQUIRE(sent<AckSharedChanges>(first, 7)[0].acks.size() == 1);
  CHECK(sent<AckSharedChanges>(first, 7)[0].acks[0].ack.vector == node.vector());
  CHECK(node.own() == Position{before.rev, before.seq.next(), node.own().hlc});
  CHECK(sent<SharedChange>(first, 7).size() == 1);
  CHECK(sent<AckSharedChanges>(node.step({node.write("INSERT INTO note(id) VALUES ('b')")}), 7).empty());
  CHECK(node.replica.next_deadline() == node.now.mono + 200ms);
  CHECK(sent<AckSharedChanges>(node.wait(199ms), 7).empty());
  CHECK(sent<AckSharedChanges>(node.wait(1ms), 7).size() == 1);
  CHECK(sent<AckSharedChanges>(node.wait(1s), 7).empty());
}

TEST_CASE("Replica: a heartbeat goes out after 30 idle seconds, and a differing one is answered with the vector") {
  TestNode node(1);
  (void)node.write("INSERT INTO file(id) VALUES (x'01')");
  TestNode fresh(1);
  (void)meet(fresh, 7, 2);
  CHECK(sent<Heartbeat>(fresh.wait(29s), 7).empty());
  const auto beat = fresh.wait(1s);
  REQUIRE(sent<Heartbeat>(beat, 7).size() == 1);
  CHECK(sent<Heartbeat>(beat, 7)[0] == Heartbeat{fresh.vector().hash(), std::nullopt, fresh.now.wall, fresh.store->digests().hash()});
  CHECK(sent<Heartbeat>(fresh.receive(7, Heartbeat{fresh.vector().hash(), std::nullopt, {}}), 7).empty());
  const auto answer = sent<Heartbeat>(fresh.receive(7, Heartbeat{node.vector().hash(), std::nullopt, {}}), 7);
  REQUIRE(answer.size() == 1);
  CHECK(answer[0].vector == fresh.vector());
}

TEST_CASE("Replica: what a peer shows beyond us is pulled; one that shows more than it serves is not asked without end") {
  TestNode node(1);
  const auto met = meet(node, 7, 2, showing(2, {Rev{3}, Seq{}, Hlc{}}));
  REQUIRE(sent<StateRequest>(met, 7).size() == 1);
  std::size_t requests = 1;
  for (int i = 0; i < 20; ++i) {  // "I have no more", again and again
    StateResponse nothing;
    nothing.page.origin = origin(2);
    nothing.last = true;
    requests += sent<StateRequest>(node.receive(7, nothing), 7).size();
  }
  CHECK(requests <= 2);
  for (int i = 0; i < 5; ++i) {
    requests += sent<StateRequest>(node.receive(7, Heartbeat{}), 7).size();  // it lives, and has nothing to say
    requests += sent<StateRequest>(node.wait(1min), 7).size();
  }
  CHECK(requests >= 3);  // but some day it is
}

TEST_CASE("Replica: what an outbox dropped is told anew in full, and whoever hears that asks anew") {
  TestNode node(1);
  (void)node.step({node.write("INSERT INTO note(id) VALUES ('a')")});
  (void)meet(node, 7, 2);
  (void)node.step({OutboxFull{7}});
  CHECK(sent<AckSharedChanges>(node.wait(999ms), 7).empty());  // time to drain
  const auto told = sent<AckSharedChanges>(node.wait(1ms), 7);
  REQUIRE(told.size() == 1);
  CHECK_FALSE(told[0].acks.at(0).delta);
  CHECK(told[0].acks.at(0).ack.vector == node.vector());

  const auto met = meet(node, 8, 3, showing(3, {Rev{3}, Seq{}, Hlc{}}));
  CHECK(sent<StateRequest>(met, 8).size() == 1);
  AckSharedChanges anew = ack_of(3, 3, showing(3, {Rev{3}, Seq{}, Hlc{}}));
  CHECK(sent<StateRequest>(node.receive(8, anew), 8).empty());
  anew.acks[0].delta = false;
  CHECK(sent<StateRequest>(node.receive(8, anew), 8).size() == 1);
}

TEST_CASE("Replica: effects of a step that a refused row undid tell nothing of it") {
  TestNode node(1, true, {Model::from_sql("CREATE TABLE t (id TEXT PRIMARY KEY NOT NULL, n INTEGER) STRICT", Kind::shared)});
  TestNode author(2, false, {Model::from_sql("CREATE TABLE t (id TEXT PRIMARY KEY NOT NULL, n INTEGER) STRICT", Kind::shared)});
  Exchange exchange(node, author);
  node.store->begin(TransactionKind::apply);
  Statement(node.store->handle(), "CREATE UNIQUE INDEX one ON t(n)").run();  // behind the engine's back
  node.store->commit();
  exchange.run({node.write("INSERT INTO t VALUES ('a', 1)")});
  const Committed clash = author.write("INSERT INTO t VALUES ('b', 2)");
  (void)author.write("UPDATE t SET n=3");  // both: a clash at the other only
  const std::uint64_t applied = node.replica.status().rows_applied;
  const auto effects = node.step({Received{1, SharedChangeBatch{author.store->self(), Seq{1}, {author.entry(1), author.entry(2)}}}});
  CHECK(effects_of<Changed>(effects).empty());
  CHECK(node.number("SELECT count(*) FROM t") == 1);
  CHECK(node.replica.status().rows_applied == applied);
  CHECK(node.replica.status().entries_applied == 0);
  CHECK(clash.commit->seq == Seq{1});
  // It is asked for again, and taken in change by change: what is refused waits, its entry counts.
  CHECK(sent<SharedChangeRequest>(effects, 1).size() == 1);
  (void)node.step({Received{1, SharedChangeBatch{author.store->self(), Seq{1}, {author.entry(1), author.entry(2)}}}});
  CHECK(node.vector().at(author.store->self()).seq == Seq{2});
  CHECK(node.number("SELECT count(*) FROM t") == 2);
  CHECK(node.replica.status().quarantined == 1);
  CHECK(node.replica.status().waiting.empty());
  CHECK(node.text("SELECT why FROM sync_held").find("UNIQUE") != std::string::npos);
}

TEST_CASE("Replica: what a refused row undoes is acknowledged to nobody, not in a Hello either") {
  const auto models = [] { return std::vector{Model::from_sql("CREATE TABLE t (id TEXT PRIMARY KEY NOT NULL, n INTEGER)", Kind::shared)}; };
  TestNode node(1, true, models());
  TestNode author(2, false, models());
  Exchange exchange(node, author);
  node.store->begin(TransactionKind::apply);
  Statement(node.store->handle(), "CREATE UNIQUE INDEX one ON t(n)").run();  // behind the engine's back
  node.store->commit();
  exchange.run({node.write("INSERT INTO t VALUES ('a', 1)")});
  (void)author.write("INSERT INTO t VALUES ('b', 2)");
  (void)author.write("INSERT INTO t VALUES ('c', 2)");  // a clash at the other only
  const auto entry = [&](std::uint64_t seq) { return SharedChange{author.store->self(), Seq{seq}, author.entry(seq)}; };
  // In one step: a good entry, a new peer, a heartbeat that asks for our vector, and the entry that SQLite refuses.
  const auto effects = node.step({Received{1, entry(1)}, PeerUp{9, device(3)}, Received{1, Heartbeat{Hash128{}, std::nullopt, node.now.wall}},
                                  Received{1, entry(2)}});
  const Seq on_disk = node.vector().at(author.store->self()).seq;
  CHECK(on_disk == Seq{});
  REQUIRE(sent<Hello>(effects, 9).size() == 1);
  CHECK(sent<Hello>(effects, 9)[0].vector.at(author.store->self()).seq == on_disk);
  for (const Heartbeat& beat : sent<Heartbeat>(effects, 1)) CHECK((!beat.vector || beat.vector->at(author.store->self()).seq == on_disk));
}

TEST_CASE("Replica: after a full outbox the whole vector is told as an acknowledgement, also when a heartbeat comes first") {
  TestNode node(1);
  (void)meet(node, 1, 2);
  (void)node.step({node.write("INSERT INTO note(id) VALUES ('a')")});
  (void)node.wait(1s);
  (void)node.step({OutboxFull{1}});
  (void)node.receive(1, Heartbeat{Hash128{}, std::nullopt, node.now.wall});
  const auto later = sent<AckSharedChanges>(node.wait(2s), 1);
  REQUIRE(later.size() == 1);
  CHECK_FALSE(later[0].acks.at(0).delta);
  CHECK(later[0].acks.at(0).ack.vector == node.vector());
}

TEST_CASE("Replica: a row of ours that a trigger took away while a change was applied is told as deleted, and nobody stops") {
  TestNode node(1);
  TestNode peer(2, false);
  Exchange exchange(node, peer);
  exchange.run({node.write("INSERT INTO file(id, path) VALUES (x'01', 'a'), (x'02', 'b')")});
  node.store->begin(TransactionKind::apply);
  Statement(node.store->handle(), "DELETE FROM file WHERE id=x'01'").run();  // as a trigger would, uncaptured
  node.store->commit();
  const auto served = node.receive(1, StateRequest{node.store->self(), Rev{}, 1 << 20, true});
  REQUIRE(sent<StateResponse>(served, 1).size() == 1);
  const StatePage page = sent<StateResponse>(served, 1)[0].page;
  const auto rows = decode_state_page(page.body, page.from, page.to, node.store->schema());
  REQUIRE(rows);
  REQUIRE(rows->rows.size() == 2);
  CHECK(rows->rows[0].deleted);
  CHECK_FALSE(rows->rows[1].deleted);
  // Another's row is not ours to declare dead: we serve up to it, and no further.
  peer.store->begin(TransactionKind::apply);
  Statement(peer.store->handle(), "DELETE FROM file WHERE id=x'02'").run();
  peer.store->commit();
  const auto relayed = sent<StateResponse>(peer.receive(1, StateRequest{node.store->self(), Rev{}, 1 << 20, true}), 1);
  REQUIRE(relayed.size() == 1);
  CHECK(relayed[0].page.to == Rev{1});
}

TEST_CASE("Replica: rows that a migration adopted are shown from then on, not only with the next write") {
  TestNode node(1);
  (void)meet(node, 1, 2);
  node.store->begin(TransactionKind::apply);
  Statement(node.store->handle(), "INSERT INTO note(id) VALUES ('there before')").run();
  node.store->commit();
  CHECK(*adopt_existing_rows(*node.store, node.now.wall) == 1);
  CHECK(closed_with(node.step({ModelsReplaced{}})) == Errc::not_ready);
  (void)meet(node, 2, 2);
  const auto answer = node.receive(2, Heartbeat{node.vector().hash(), std::nullopt, node.now.wall});  // it has it all
  CHECK(sent<Heartbeat>(answer, 2).empty());
}

}  // namespace starling
