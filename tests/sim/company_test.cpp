// Three and more: who joins through whom, who is quiet, whose clock is in another century, what all had before.
#include <doctest/doctest.h>

#include "tests/sim/phrases.h"

namespace starling::sim {
namespace {

bool knows_all_of(const SimNode& node, const SimNode& other) {
  const Position own = other.vector().at(other.store().self());
  const Position here = node.vector().at(other.store().self());
  return here.rev == own.rev && here.seq == own.seq;
}

}  // namespace

TEST_CASE("[T5] Rows of both classes that stood in the tables before anything was synchronised reach all, each once") {
  Cluster cluster;
  SimNode& a = cluster.create("A");
  const std::string numbers = "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n WHERE i<3000)";
  adopt(a, {numbers + " INSERT INTO note(id, title) SELECT printf('n%05d', i), 'old' FROM n",
            numbers + " INSERT INTO file(id, path) SELECT CAST(printf('f%05d', i) AS BLOB), 'old' FROM n"});
  SimNode& b = cluster.join("B");
  adopt(b, {"INSERT INTO note(id, title) VALUES ('of B', 'old')"});
  cluster.let_meet(a, b);
  SimNode& c = cluster.join("C");
  cluster.let_meet(b, c);
  for (const SimNode* node : {&a, &b, &c}) {
    CHECK(node->count("note") == 3001);
    CHECK(node->count("file") == 3000);
    CHECK(node->status().conflicts == 0);
  }
  CHECK(cluster.wire().rows == 2 * 3000);
  cluster.expect_converged();
}

TEST_CASE("[T6] Writes of source, joiner and a third device during a join: none is lost, none comes twice") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    CAPTURE(seed);
    Cluster cluster(seed);
    SimNode& a = cluster.create("A");
    SimNode& b = cluster.join("B");
    cluster.let_meet(a, b);
    for (int i = 0; i < 20; ++i) {
      write_notes(a, "n", 500 * i, 500);
      write_files(a, "f", 500 * i, 500);
    }
    cluster.run_until_quiet();
    SimNode& c = cluster.join("C");
    const WireCount before = cluster.wire();
    const std::uint64_t backlog = entries_held(a);
    cluster.connect(a, c);
    int during = 0;
    for (int i = 0; i < 30; ++i) {
      during += c.status().initial_sync_completed ? 0 : 1;
      write_notes(a, "of A", i, 1);
      write_notes(b, "of B", i, 1);
      write_notes(c, "of C", i, 1);
      write_files(c, "of C", i, 1);
      a.write("UPDATE note SET title='changed' WHERE id=?", numbered("n", 300 * i));
      cluster.run_for(3ms);
    }
    CHECK(during > 3);
    cluster.run_until_quiet();
    CHECK(c.count("note") == 10'090);
    CHECK(c.count("note WHERE title='changed'") == 30);
    const WireCount d = cluster.wire().since(before);
    CHECK(d.entries == backlog + 2 * (entries_held(a) - backlog));
    CHECK(d.rows == 10'000 + 2 * 30);
    cluster.expect_converged();
  }
}

TEST_CASE("[T15] Three join one after the other, each through the last: everyone learns everyone, and writes to everyone") {
  Cluster cluster;
  SimNode& a = cluster.create("A");
  SimNode& b = cluster.join("B");
  SimNode& c = cluster.join("C");
  SimNode& d = cluster.join("D");
  cluster.let_meet(a, b);
  cluster.let_meet(b, c);
  cluster.let_meet(c, d);
  const std::vector<SimNode*> all{&a, &b, &c, &d};
  for (SimNode* node : all) {
    write_notes(*node, node->name().c_str(), 0, 3);
    write_files(*node, node->name().c_str(), 0, 3);
  }
  cluster.run_until_quiet();
  for (const SimNode* node : all) {
    CHECK(node->status().initial_sync_completed);
    CHECK(node->status().readiness == Readiness::ready);
    CHECK(node->count("note") == 12);
    CHECK(node->count("file") == 12);
    for (const SimNode* other : all) CHECK(knows_all_of(*node, *other));
  }
  cluster.expect_converged();
}

TEST_CASE("[N7][F1] One of three lives in 2099: it is refused with the reason, its stamps reach nobody, and back in time it is one of us") {
  Cluster cluster;
  SimNode& a = cluster.create("A");
  SimNode& b = cluster.join("B");
  SimNode& c = cluster.join("C");
  cluster.connect_all();
  a.write("INSERT INTO note(id, title) VALUES ('known', 'to all')");
  cluster.run_until_quiet();
  c.kill();
  c.set_clock_ahead(24h * 365 * 75);
  c.restart();
  cluster.run_for(1min);
  c.write("INSERT INTO file VALUES (x'0c', 'of the future', 1, NULL)");
  c.write("INSERT INTO note(id, title) VALUES ('new', 'of 2099')");
  c.write("UPDATE note SET title='of 2099' WHERE id='known'");
  write_notes(a, "a", 0, 5);
  cluster.run_for(1min);
  CHECK(b.count("note") == 6);
  CHECK(c.count("note") == 2);
  CHECK(b.count("file") == 0);
  REQUIRE_FALSE(cluster.network().refusals().empty());
  for (const std::string& refusal : cluster.network().refusals()) CHECK(refusal.find("clocks differ") != std::string::npos);
  write_notes(b, "b", 0, 5);
  cluster.run_for(1min);
  CHECK(a.count("note") == 11);
  for (const SimNode* node : {&a, &b}) {
    CHECK(node->count("note WHERE title='of 2099'") == 0);
    CHECK(node->text("SELECT title FROM note WHERE id='known'") == "'to all'");
    CHECK(node->store().clock().last().ms() <= node->wall().ms + limits::kDriftMaxMs);
  }
  c.set_clock_ahead(0s);
  cluster.network().forget_refusals();
  cluster.run_for(10min);
  cluster.run_until_quiet();
  for (const SimNode* node : {&a, &b, &c}) {
    CHECK(node->count("file") == 1);
    CHECK(node->count("note") == 12);
    CHECK(node->count("note WHERE title='of 2099'") == 2);
  }
  a.write("UPDATE note SET title='of A' WHERE id='known'");  // what was written in 2099 does not win for ever
  cluster.run_until_quiet();
  for (const SimNode* node : {&a, &b, &c}) CHECK(node->text("SELECT title FROM note WHERE id='known'") == "'of A'");
  CHECK(c.write("UPDATE note SET title='of C' WHERE id='new'").hlc.ms() <= c.wall().ms + limits::kDriftMaxMs);
  cluster.run_until_quiet();
  for (const SimNode* node : {&a, &b, &c}) CHECK(node->text("SELECT title FROM note WHERE id='new'") == "'of C'");
  cluster.expect_converged();
}

TEST_CASE("[N26] A source that shows everything and gives nothing does not starve the others: all comes from the one that gives") {
  Cluster cluster;
  SimNode& quiet = cluster.create("Q");
  SimNode& giving = cluster.join("G");
  cluster.let_meet(quiet, giving);
  SimNode& owner = cluster.join("O");
  cluster.let_meet(owner, quiet);
  for (int i = 0; i < 10; ++i) {
    write_notes(owner, "n", 100 * i, 100);
    write_files(quiet, "f", 100 * i, 100);
  }
  cluster.run_until_quiet();
  owner.kill();
  SimNode& joiner = cluster.join("J");
  cluster.network().config.delay_min = cluster.network().config.delay_max = 10ms;
  cluster.connect(quiet, joiner);
  cluster.run_for(14ms);  // both have heard the other's Hello, and the joiner asks
  cluster.network().stall(quiet, joiner);
  cluster.run_for(100ms);
  REQUIRE(joiner.count("note") + joiner.count("file") == 0);
  const MonoTime start = cluster.now();
  cluster.connect(giving, joiner);
  while (joiner.count("note") < 1000 || joiner.count("file") < 1000) {
    cluster.run_for(100ms);
    REQUIRE(cluster.now() - start < 2min);
  }
  CHECK(cluster.now() - start < limits::kSendDeadline + 5s);
  CHECK(cluster.network().faults().ends_by_silence == 0);  // it still was connected
  write_notes(giving, "live", 0, 1);
  cluster.run_for(1s);
  CHECK(joiner.count("note") == 1001);
  cluster.network().release(quiet, joiner);
  cluster.run_until_quiet();
  cluster.expect_converged();
}

// Declared seeds are still to come: until then what both have of their own are two inserts of one key.
TEST_CASE("[N28] Both sides fill in the same defaults before they meet: one copy of each row everywhere, edits of the later copy stand") {
  Cluster cluster;
  SimNode& a = cluster.create("A");
  SimNode& b = cluster.join("B");
  for (SimNode* node : {&a, &b}) {
    node->write("INSERT INTO label VALUES ('red', 'Red'), ('blue', 'Blue')");
    cluster.run_for(10ms);
  }
  b.write("UPDATE label SET title='Azure' WHERE id='blue'");
  cluster.let_meet(a, b);
  SimNode& c = cluster.join("C");
  cluster.let_meet(a, c);
  for (const SimNode* node : {&a, &b, &c}) {
    CHECK(node->count("label") == 2);
    CHECK(node->text("SELECT group_concat(title) FROM (SELECT title FROM label ORDER BY id)") == "'Azure,Red'");
  }
  CHECK(a.status().conflicts == 0);  // the copies were equal when B's came
  CHECK(b.status().conflicts == 1);  // B, which had edited its own, keeps A's 'Blue' where it can be found
  cluster.expect_converged();
}

TEST_CASE("[N28] Both sides fill in the same defaults, and the earlier copy is edited: the later copy's defaults stand, the edit is a conflict") {
  Cluster cluster;
  SimNode& a = cluster.create("A");
  SimNode& b = cluster.join("B");
  a.write("INSERT INTO label VALUES ('red', 'Red')");
  cluster.run_for(10ms);
  b.write("INSERT INTO label VALUES ('red', 'Red')");
  cluster.run_for(10ms);
  a.write("UPDATE label SET title='Crimson'");
  cluster.let_meet(a, b);
  for (const SimNode* node : {&a, &b}) {
    CHECK(node->text("SELECT title FROM label") == "'Red'");
  }
  CHECK(b.status().conflicts == 1);  // where it lost: what A hears of B's row had seen the edit
  cluster.expect_converged();
}

}  // namespace starling::sim
