// More than two devices: changes reach everyone whom a chain of connections reaches.
#include <doctest/doctest.h>

#include "tests/sim/phrases.h"

namespace starling::sim {
namespace {

struct Three {
  Cluster cluster;
  SimNode& a;
  SimNode& b;
  SimNode& c;

  explicit Three(std::uint64_t seed = 1)
      : cluster(seed), a(cluster.create("A")), b(cluster.join("B")), c(cluster.join("C")) {}
};

}  // namespace

TEST_CASE("[T7] A line A-B-C: both classes reach the far end live, though A and C never meet") {
  Three t;
  t.cluster.let_meet(t.a, t.b);
  t.cluster.let_meet(t.b, t.c);
  write_notes(t.a, "a", 0, 10);
  write_files(t.a, "a", 0, 10);
  write_notes(t.c, "c", 0, 10);
  write_files(t.c, "c", 0, 10);
  t.cluster.run_until_quiet();
  CHECK(t.c.count("note") == 20);
  CHECK(t.a.count("file") == 20);
  t.a.write("DELETE FROM note WHERE id=?", numbered("c", 3));
  t.a.write("DELETE FROM file WHERE id=?", Blob{numbered("a", 3)});
  t.cluster.run_until_quiet();
  CHECK(t.c.count("note") == 19);
  CHECK(t.c.count("file") == 19);
  t.cluster.expect_converged();
}

TEST_CASE("[T7] A line A-B-C: B carries the changes of a device that is gone by then") {
  Three t;
  t.cluster.let_meet(t.a, t.b);
  write_notes(t.a, "a", 0, 10);
  write_files(t.a, "a", 0, 10);
  t.cluster.run_until_quiet();
  t.a.kill();
  t.cluster.let_meet(t.b, t.c);
  CHECK(t.c.count("note") == 10);
  CHECK(t.c.count("file") == 10);
  t.cluster.expect_converged();
}

TEST_CASE("A ring of three: concurrent writes of all reach all, and each entry is sent to each device once") {
  Three t;
  t.cluster.connect_all();
  t.cluster.run_until_quiet();
  const WireCount before = t.cluster.wire();
  for (int i = 0; i < 10; ++i) {
    write_notes(t.a, "a", i, 1);
    write_notes(t.b, "b", i, 1);
    write_notes(t.c, "c", i, 1);
    write_files(t.c, "c", i, 1);
    t.cluster.run_for(7ms);
  }
  t.cluster.run_until_quiet();
  CHECK(t.a.count("note") == 30);
  const WireCount d = t.cluster.wire().since(before);
  MESSAGE("30 entries for two others each: " << d.entries << " sent; 10 rows: " << d.rows << " sent");
  CHECK(d.entries <= 30 * 2 * 2);
  t.cluster.expect_converged();
}

TEST_CASE("[N14] Unsent edits: a device that catches up first still hands its own on") {
  Pair p;
  p.part();
  write_notes(p.b, "unsent", 0, 5);
  for (int i = 0; i < 30; ++i) write_notes(p.a, "a", 100 * i, 100);
  p.meet();
  CHECK(p.a.count("note") == 3005);
  p.cluster.expect_converged();
}

TEST_CASE("[N3] A partition: two halves write, then meet at one point") {
  Cluster cluster;
  SimNode& a = cluster.create("A");
  std::vector<SimNode*> nodes{&a};
  for (const char* name : {"B", "C", "D", "E"}) {
    nodes.push_back(&cluster.join(name));
    cluster.let_meet(a, *nodes.back());
  }
  for (std::size_t i = 1; i < 5; ++i) cluster.disconnect(a, *nodes[i]);
  cluster.connect(a, *nodes[1]);
  cluster.connect(*nodes[2], *nodes[3]);
  cluster.connect(*nodes[3], *nodes[4]);
  cluster.run_until_quiet();
  for (SimNode* node : nodes) {
    write_notes(*node, node->name().c_str(), 0, 20);
    node->write("INSERT INTO note(id, title) VALUES ('hot', ?) ON CONFLICT DO UPDATE SET title=excluded.title", node->name());
    cluster.run_for(30ms);
  }
  cluster.run_until_quiet();
  cluster.let_meet(*nodes[1], *nodes[4]);
  CHECK(a.count("note") == 101);
  cluster.expect_converged();
}

TEST_CASE("A long history of two authors in turn: a third device catches up at the price of the history") {
  Three t;
  t.cluster.let_meet(t.a, t.b);
  t.cluster.let_meet(t.a, t.c);  // for a member who is away all of it is kept
  t.cluster.disconnect(t.a, t.c);
  constexpr int kTurns = 300;
  for (int i = 0; i < kTurns; ++i) {
    write_notes(i % 2 == 0 ? t.a : t.b, "n", i, 1);
    t.cluster.run_for(50ms);
  }
  t.cluster.run_until_quiet();
  t.b.kill();
  const WireCount before = t.cluster.wire();
  const MonoTime start = t.cluster.now();
  t.cluster.let_meet(t.a, t.c);
  const WireCount d = t.cluster.wire().since(before);
  CHECK(t.c.count("note") == kTurns);
  MESSAGE(kTurns << " entries in turn: " << d.entries << " sent, in "
                 << std::chrono::duration_cast<std::chrono::milliseconds>(t.cluster.now() - start).count() << " ms");
  CHECK(d.entries <= 2 * kTurns);
  t.cluster.expect_converged();
}

}  // namespace starling::sim
