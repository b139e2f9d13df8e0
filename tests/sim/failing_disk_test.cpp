// Nodes whose disks fail, fill up or go at any moment: what was promised is there, and nothing else was told.
#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "core/store/origin_table.h"
#include "core/store/tables.h"
#include "tests/sim/phrases.h"

namespace starling::sim {

TEST_CASE("A node whose disk fails in a write: the application is told, nothing promised is lost, and it goes on") {
  for (const DiskFault fault : {DiskFault::write_error, DiskFault::sync_error}) {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
      CAPTURE(seed);
      Pair p(seed);
      write_notes(p.a, "a", 0, 3);
      p.a.disk().fail(fault, 0);
      CHECK_FALSE(p.a.try_write("INSERT INTO note(id) VALUES ('refused')"));
      REQUIRE(p.a.alive());
      CHECK(p.a.count("note") == 3);
      p.a.write("INSERT INTO note(id) VALUES ('after')");
      p.settle();
      p.a.cut_power();
      REQUIRE(p.a.restart());
      p.settle();
      CHECK(p.b.count("note") == 4);
      p.cluster.expect_converged();
    }
  }
}

TEST_CASE("A node whose disk fails while it takes a peer's changes: it stops, and started again it has lost nothing") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    Pair p(seed);
    p.b.disk().fail(seed % 2 == 0 ? DiskFault::sync_error : DiskFault::write_error, 0);
    write_notes(p.a, "a", 0, 3);
    p.settle();
    REQUIRE_FALSE(p.b.alive());
    if (seed % 3 == 0) p.b.cut_power();
    REQUIRE(p.b.restart());
    p.settle();
    CHECK(p.b.count("note") == 3);
    p.cluster.expect_converged();
  }
}

// What SQLite finds in the WAL after a sync has failed and the process has died looks committed, is shown, and is told to
// peers; but the kernel will never write it.
TEST_CASE("A sync that fails, then the process that dies, then the power: what was shown in between is there") {
  int shown_in_between = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    Pair p(seed);
    p.a.disk().fail(DiskFault::sync_error, 0);
    CHECK_FALSE(p.a.try_write("INSERT INTO note(id) VALUES ('in doubt')"));
    p.a.kill();
    REQUIRE(p.a.restart());
    shown_in_between += static_cast<int>(p.a.count("note"));
    p.a.write("INSERT INTO note(id) VALUES ('after')");
    p.settle();
    p.a.cut_power();
    REQUIRE(p.a.restart());
    p.settle();
    p.cluster.expect_converged();
  }
  CHECK(shown_in_between > 0);
}

TEST_CASE("A sync that fails, then the process, then the first sync of the next start, then the power: nothing is damaged") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    Pair p(seed);
    write_notes(p.a, "a", 0, 1000);
    p.settle();
    (void)p.a.query("PRAGMA wal_checkpoint(TRUNCATE)");  // so that the WAL does not hold every page
    p.a.write("UPDATE note SET id = id || 'x' WHERE stars % 300 = 0");
    p.settle();
    p.a.disk().fail(DiskFault::sync_error, 0);
    CHECK_FALSE(p.a.try_write("DELETE FROM note WHERE stars % 3 <> 0"));
    p.a.kill();
    p.a.disk().fail(DiskFault::sync_error, 0);
    CHECK_FALSE(p.a.restart());
    p.a.cut_power();
    REQUIRE(p.a.restart());
    p.settle();
    p.cluster.expect_converged();
  }
}

TEST_CASE("A node whose rollback fails as well: it tells nobody that it knows nothing, and takes it up again") {
  std::uint64_t struck = 0;
  for (std::uint64_t after = 0; after < 12; ++after) {
    CAPTURE(after);
    Pair p;
    write_notes(p.a, "a", 0, 3);
    p.settle();
    p.a.disk().fail(DiskFault::sync_error, 0);
    p.a.disk().fail(DiskFault::read_error, after);
    CHECK_FALSE(p.a.try_write("INSERT INTO note(id) VALUES ('refused')"));
    struck += p.a.disk().struck(DiskFault::read_error);
    p.a.disk().forget_plans();
    p.part();
    p.meet();  // its Hello is what it now says of itself
    CHECK(p.a.try_write("INSERT INTO note(id) VALUES ('after')"));
    p.settle();
    CHECK(p.b.count("note") == 4);
    p.cluster.expect_converged();
  }
  CHECK(struck > 0);
}

TEST_CASE("A full disk under a node: writes are refused, with room it takes part again") {
  Pair p;
  std::uint64_t used = 0;
  for (const auto& [name, data] : p.b.disk().image()) used += data.size();
  p.b.disk().set_room(used + 20'000);
  CHECK_FALSE(p.b.try_write("INSERT INTO note(id, body) VALUES ('large', ?)", noise(100'000, 1)));
  REQUIRE(p.b.alive());
  p.a.write("INSERT INTO note(id, body) VALUES ('from A', ?)", noise(100'000, 2));
  p.settle();
  CHECK_FALSE(p.b.alive());  // a replica that cannot write stops its node
  CHECK_FALSE(p.b.restart(1));
  p.b.disk().set_room(std::nullopt);
  REQUIRE(p.b.restart());
  p.b.write("INSERT INTO note(id) VALUES ('with room')");
  p.settle();
  CHECK(p.a.count("note") == 2);
  p.cluster.expect_converged();
}

TEST_CASE("A run of one seed leaves the same bytes on every disk") {
  const auto disks = [](std::uint64_t seed) {
    Pair p(seed);
    write_notes(p.a, "a", 0, 3);
    p.settle();
    write_notes(p.b, "b", 0, 3);
    p.cluster.run_for(5ms);
    p.a.cut_power();
    REQUIRE(p.a.restart());
    p.settle();
    return std::vector<Disk::Image>{p.a.disk().image(), p.b.disk().image()};
  };
  CHECK(disks(1) == disks(1));
  CHECK(disks(1) != disks(2));
}

TEST_CASE("A node that dies while it opens, at whatever operation: the next start finds all") {
  std::uint64_t k = 1;
  for (bool died = true; died; ++k) {
    CAPTURE(k);
    Pair p(k);
    write_notes(p.a, "a", 0, 3);
    if (k % 2 == 0) p.a.cut_power();
    died = !p.a.restart(k);
    if (died) REQUIRE(p.a.restart());
    p.settle();
    CHECK(p.b.count("note") == 3);
    p.cluster.expect_converged();
  }
  CHECK(k > 3);
}

// What the fixture holds is told in tests/core/store/format_migration_test.cpp. It is of a device that nobody here has met.
TEST_CASE("[F47] A node that dies while it takes a database of an older format over, or the power goes: the next start finds all") {
  std::ostringstream old;
  old << std::ifstream(STARLING_FIXTURES "/format-2.db", std::ios::binary).rdbuf();
  std::uint64_t k = 1;
  for (bool died = true; died; ++k) {
    CAPTURE(k);
    Cluster cluster(k);
    SimNode& a = cluster.add("A", device_number(1), false,
                             {Model::from_sql("CREATE TABLE note (id TEXT PRIMARY KEY NOT NULL, title, body TEXT, stars INTEGER)", Kind::shared),
                              Model::from_sql("CREATE TABLE link (a TEXT NOT NULL, b TEXT NOT NULL, PRIMARY KEY (a, b))", Kind::shared),
                              Model::from_sql("CREATE TABLE file (id BLOB PRIMARY KEY NOT NULL, path, size INTEGER)", Kind::device_owned)});
    a.put_in({{kDatabaseFile, old.str()}});
    died = !a.restart(k);
    if (k % 2 == 1) a.cut_power();
    REQUIRE(a.restart());
    CHECK(a.query("SELECT value FROM sync_meta WHERE name='format'").integer(0) == kFormatVersion);
    CHECK(a.text("PRAGMA integrity_check") == "'ok'");
    CHECK(a.count("note") == 3);
    CHECK(a.count("link") == 1);
    CHECK(a.count("file") == 2);
    CHECK(a.count("sync_log WHERE origin=" + std::to_string(a.store().self_ordinal())) == 4);
    CHECK(a.vector().at(a.store().self()).seq == Seq{4});
    CHECK(a.status().quarantined == 1);
    a.write("INSERT INTO note(id) VALUES ('after')");
    CHECK(a.vector().at(a.store().self()).seq == Seq{5});
  }
  CHECK(k > 20);
}

}  // namespace starling::sim
