// One device, several lives: an empty folder with the old key, a copy, an old backup.
#include <doctest/doctest.h>

#include "tests/sim/phrases.h"

namespace starling::sim {
namespace {

void insert(SimNode& node, std::string_view title) { node.write("INSERT INTO note(id, title) VALUES (?1, ?1)", title); }

}  // namespace

TEST_CASE("A device that lost its database, not its key: its rows come back, and it may change them") {
  Pair p;
  write_notes(p.b, "b", 0, 5);
  write_files(p.b, "b", 0, 5);
  write_notes(p.a, "a", 0, 5);
  p.settle();
  p.b.kill();
  p.part();
  SimNode& again = p.cluster.add("B again", p.b.device(), false);
  p.cluster.let_meet(p.a, again);
  CHECK(again.count("note") == 10);
  CHECK(again.count("file") == 5);
  p.cluster.expect_converged();

  again.write("UPDATE file SET size=99 WHERE id=?", Blob{numbered("b", 1)});
  again.write("DELETE FROM file WHERE id=?", Blob{numbered("b", 2)});
  again.write("UPDATE note SET stars=99 WHERE id=?", numbered("b", 1));
  write_files(again, "new", 0, 1);
  p.settle();
  CHECK(p.a.query("SELECT 1 FROM file WHERE size=99").size() == 1);
  CHECK(p.a.count("file") == 5);
  p.cluster.expect_converged();

  SimNode& c = p.cluster.join("C");
  p.cluster.let_meet(again, c);
  CHECK(c.count("file") == 5);
  p.cluster.expect_converged();
}

TEST_CASE("A device that lost its database, and whose clock is behind: its new life still comes after the earlier one") {
  Pair p;
  write_files(p.b, "b", 0, 5);
  p.settle();
  p.b.kill();
  p.part();
  p.b.set_clock_ahead(-1h);
  p.b.wipe();
  p.b.restart();
  p.meet();
  CHECK(p.b.count("file") == 5);
  p.b.write("UPDATE file SET size=99");
  p.settle();
  CHECK(p.a.query("SELECT 1 FROM file WHERE size=99").size() == 5);
  p.b.set_clock_ahead(0s);  // until then the members, who are in the log, wait
  p.cluster.run_for(1min);
  p.settle();
  p.cluster.expect_converged();
  p.b.restart();
  p.b.write("DELETE FROM file WHERE size=99");
  p.settle();
  CHECK(p.a.count("file") == 0);
  p.cluster.expect_converged();
}

TEST_CASE("A device that lost its database, and whose clock is behind, and that has written already: what it wrote is the later") {
  Pair p;
  write_files(p.b, "b", 0, 5);
  p.settle();
  p.b.kill();
  p.part();
  p.b.set_clock_ahead(-1h);
  p.b.wipe();
  p.b.restart();
  p.b.write("INSERT INTO file VALUES (?, 'anew', 77, NULL)", Blob{numbered("b", 0)});  // a key of the earlier life
  write_notes(p.b, "b", 0, 1);
  p.meet();
  p.b.set_clock_ahead(0s);
  p.cluster.run_for(1min);
  p.settle();
  CHECK(p.b.noted("peers know a later life of this device"));
  CHECK(p.a.text("SELECT size FROM file WHERE id=x'" + to_hex(numbered("b", 0)) + "'") == "77");
  CHECK(p.a.count("file") == 5);
  CHECK(p.a.count("note") == 1);
  p.cluster.expect_converged();
}

TEST_CASE("[N7] An old copy of a device's folder: what it lost comes back, under a new incarnation, and it goes on") {
  for (const auto how : {Disk::PutBack::copied, Disk::PutBack::rolled_back}) {
    Pair p;
    write_notes(p.b, "b", 0, 1);
    write_files(p.b, "b", 0, 1);
    p.settle();
    const Origin before = p.b.store().self();
    p.b.kill();
    const Disk::Image backup = p.b.disk().image();
    p.b.restart();
    write_notes(p.b, "later", 0, 1);
    write_files(p.b, "later", 0, 1);
    p.settle();
    p.b.kill();
    p.b.put_in(backup, how);
    p.b.restart();
    p.settle();
    CHECK(p.b.store().self() != before);
    CHECK(p.b.count("note") == 2);
    CHECK(p.b.count("file") == 2);
    write_notes(p.b, "new", 0, 1);
    p.settle();
    CHECK(p.a.count("note") == 3);
    p.cluster.expect_converged();
  }
}

TEST_CASE("An old image of a machine that went on writing, also where that looks like progress: both histories stand") {
  Pair p;
  write_notes(p.b, "b", 0, 1);
  p.settle();
  p.b.kill();
  const Disk::Image backup = p.b.disk().image();
  p.b.restart();
  write_notes(p.b, "one history", 0, 1);
  write_files(p.b, "one history", 0, 1);
  p.settle();
  p.b.kill();
  p.b.put_in(backup, Disk::PutBack::rolled_back);
  p.part();
  p.b.restart();
  write_notes(p.b, "another", 0, 1);
  write_notes(p.b, "another", 1, 1);  // beyond what A knows
  write_files(p.b, "another", 0, 2);
  p.meet();
  p.settle();
  CHECK(p.a.count("note") == 4);
  CHECK(p.a.count("file") == 3);
  p.cluster.expect_converged();
}

TEST_CASE("A device whose folder is put back as it was, and starts again and again: a new life only where something is gone") {
  Pair p;
  write_notes(p.b, "b", 0, 1);
  p.settle();
  const Origin before = p.b.store().self();
  for (int i = 0; i < 3; ++i) {
    p.b.restart();
    p.settle();
  }
  p.b.cut_power();
  p.b.restart();
  p.settle();
  CHECK(p.b.store().self() == before);
  p.b.kill();
  p.b.put_in(p.b.disk().image());  // copied away and back: nobody can tell that nothing was written meanwhile
  p.b.restart();
  p.settle();
  CHECK(p.b.store().self() != before);
  p.cluster.expect_converged();
}

TEST_CASE("Two machines with one identity: both are told, by the log, and stop writing as it, until the user decides") {
  Cluster cluster;
  SimNode& a = cluster.create("A");
  SimNode& b = cluster.join("B");
  cluster.let_meet(a, b);
  b.kill();
  const Disk::Image disk = b.disk().image();
  b.restart();
  SimNode& twin = cluster.add("B's twin", b.device(), false);
  twin.put_in(disk);
  twin.restart();
  insert(b, "of B");
  insert(twin, "of its twin");
  cluster.let_meet(a, twin);
  for (int second = 0; second < 120 && !(b.status().doubled && twin.status().doubled); ++second) cluster.run_for(1s);
  cluster.run_until_quiet();
  for (const SimNode* node : {&a, &b, &twin}) CHECK(node->count("note") == 2);
  for (SimNode* node : {&b, &twin}) {
    CHECK(node->status().doubled);
    CHECK(node->noted("another machine lives under this device's identity"));
    const Expected<LocalCommit> refused = node->try_write("INSERT INTO note(id) VALUES ('x')");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::identity_conflict);
  }
  CHECK_FALSE(a.status().doubled);
  insert(a, "of A");  // who goes on receiving
  cluster.run_until_quiet();
  CHECK(twin.count("note") == 3);

  CHECK(b.keep_identity());
  cluster.run_for(1min);
  cluster.run_until_quiet();
  CHECK_FALSE(b.status().doubled);
  CHECK(twin.status().doubled);
  insert(b, "goes on");
  cluster.run_until_quiet();
  b.restart();
  twin.restart();
  cluster.run_until_quiet();
  CHECK_FALSE(b.status().doubled);
  CHECK(twin.status().doubled);
  CHECK(twin.count("note") == 4);
  cluster.expect_converged();
}

}  // namespace starling::sim
