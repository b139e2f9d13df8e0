// Joining, coming back, being interrupted: what is sent is what is missing.
#include <doctest/doctest.h>

#include "tests/sim/phrases.h"

namespace starling::sim {

TEST_CASE("[T4] Joining: a device that comes after everything was written gets all of it, once") {
  Cluster cluster;
  SimNode& a = cluster.create("A");
  for (int i = 0; i < 10; ++i) {
    write_notes(a, "n", 1000 * i, 1000);
    write_files(a, "f", 1000 * i, 1000);
  }
  SimNode& b = cluster.join("B");
  cluster.let_meet(a, b);
  CHECK(b.count("note") == 10'000);
  CHECK(b.count("file") == 10'000);
  CHECK(cluster.wire().rows == 10'000);
  CHECK(cluster.wire().entries == 11);  // and the admission
  CHECK(b.noted("Running initial full sync"));
  CHECK(b.noted("Initial sync completed"));
  MESSAGE("20,000 rows: " << cluster.wire().total.bytes << " bytes, "
                          << cluster.wire().total.bytes / 20'000 << " a row");
  cluster.expect_converged();
}

TEST_CASE("[N21] Joining: what the joiner wrote before its first contact reaches the others") {
  Cluster cluster;
  SimNode& a = cluster.create("A");
  SimNode& b = cluster.join("B");
  write_notes(a, "a", 0, 10);
  write_notes(b, "b", 0, 10);
  write_files(b, "b", 0, 10);
  cluster.let_meet(a, b);
  CHECK(a.count("note") == 20);
  CHECK(a.count("file") == 10);
  cluster.expect_converged();
}

TEST_CASE("[T6] Joining: writes go on at the source meanwhile") {
  Cluster cluster;
  SimNode& a = cluster.create("A");
  for (int i = 0; i < 20; ++i) write_notes(a, "n", 500 * i, 500);
  SimNode& b = cluster.join("B");
  cluster.connect(a, b);
  for (int i = 0; i < 50; ++i) {
    cluster.run_for(3ms);
    write_notes(a, "m", i, 1);
    write_files(a, "f", i, 1);
  }
  cluster.run_until_quiet();
  CHECK(b.count("note") == 10'050);
  CHECK(b.count("file") == 50);
  CHECK(cluster.wire().entries == 71);  // and the admission, none twice
  cluster.expect_converged();
}

TEST_CASE("[T8] Reconnecting: exactly what is missing is transferred") {
  Pair p;
  write_notes(p.a, "a", 0, 100);
  write_files(p.a, "a", 0, 100);
  write_files(p.b, "b", 0, 100);
  p.settle();
  p.part();
  for (int i = 0; i < 7; ++i) write_notes(p.a, "late", i, 1);
  write_files(p.a, "late", 0, 5);
  write_files(p.b, "late b", 0, 3);
  p.a.write("UPDATE file SET size=-1 WHERE id=?", Blob{numbered("a", 4)});
  const WireCount before = p.cluster.wire();
  p.meet();
  const WireCount d = p.cluster.wire().since(before);
  CHECK(d.entries == 7);
  CHECK(d.rows == 5 + 3 + 1);
  p.cluster.expect_converged();
}

TEST_CASE("[N5] Reconnecting: a converged pair that starts again transfers no row") {
  Pair p;
  write_notes(p.a, "a", 0, 100);
  write_files(p.b, "b", 0, 100);
  p.settle();
  const WireCount before = p.cluster.wire();
  p.a.restart();
  p.b.restart();
  p.settle();
  const WireCount d = p.cluster.wire().since(before);
  CHECK(d.entries == 0);
  CHECK(d.rows == 0);
  CHECK(d.of("Hello").messages == 2);
  CHECK(d.total.messages == 2);
  p.cluster.expect_converged();
}

TEST_CASE("Reconnecting: a transfer that breaks goes on where it stood") {
  Cluster cluster(3);
  SimNode& a = cluster.create("A");
  for (int i = 0; i < 60; ++i) {
    write_notes(a, "n", 500 * i, 500);
    write_files(a, "f", 500 * i, 500);
  }
  SimNode& b = cluster.join("B");
  cluster.connect(a, b);
  for (int i = 0; i < 8; ++i) {
    cluster.run_for(15ms);
    cluster.network().break_connection(a, b);
    cluster.run_for(1s);
  }
  cluster.run_until_quiet();
  // Each break may cost what was under way and not yet taken: one credit of each stream at most.
  CHECK(cluster.wire().entries <= 60 + 8 * 20);
  CHECK(b.count("note") == 30'000);
  CHECK(b.count("file") == 30'000);
  cluster.expect_converged();
}

TEST_CASE("Reconnecting: a connection may end at any byte") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    Cluster cluster(seed);
    SimNode& a = cluster.create("A");
    SimNode& b = cluster.join("B");
    write_notes(a, "a", 0, 50);
    write_files(b, "b", 0, 50);
    cluster.connect(a, b);
    cluster.network().cut_after(a, b, seed * 37);
    cluster.network().cut_after(b, a, seed * 53);
    cluster.run_until_quiet();
    write_notes(b, "more", 0, 5);
    cluster.network().cut_after(b, a, seed);
    cluster.run_until_quiet();
    CHECK(a.count("note") == 55);
    cluster.expect_converged();
  }
}

TEST_CASE("A large row: many of them come through, credit or not") {
  Cluster cluster;
  SimNode& a = cluster.create("A");
  const std::string big(1900 * limits::KiB, 'x');
  for (int i = 0; i < 6; ++i) {
    a.write("INSERT INTO file VALUES (?, ?, 1, NULL)", Blob{numbered("f", i)}, big + std::to_string(i));
    a.write("INSERT INTO note VALUES (?, 'title', ?, 1, 1.0)", numbered("n", i), big + std::to_string(i));
  }
  SimNode& b = cluster.join("B");
  const MonoTime start = cluster.now();
  cluster.let_meet(a, b);
  CHECK(b.count("file") == 6);
  CHECK(b.count("note") == 6);
  CHECK(cluster.now() - start < 10s);  // nothing waits for a time-out
  cluster.expect_converged();
}

}  // namespace starling::sim
