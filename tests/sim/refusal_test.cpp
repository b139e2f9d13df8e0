// What a device cannot apply waits in quarantine, is seen, and tried again; nothing else stops.
#include <doctest/doctest.h>

#include "tests/sim/phrases.h"

namespace starling::sim {
namespace {

// A device whose application refuses notes that are called 'poison'.
void refuse_poison(SimNode& node) {
  node.execute_behind_the_engine("CREATE TRIGGER picky BEFORE INSERT ON note WHEN NEW.title = 'poison'"
                                 " BEGIN SELECT RAISE(ABORT, 'no poison here'); END");
  node.restart();
}

void take_anything(SimNode& node) {
  node.execute_behind_the_engine("DROP TRIGGER picky");
  node.restart();
}

}  // namespace

TEST_CASE("[N9][N19] A row that SQLite refuses waits with its later changes, all else goes on, and it comes once it may") {
  Chain chain;
  auto& [cluster, a, b, c] = chain;
  refuse_poison(b);
  cluster.run_until_quiet();

  a.write("INSERT INTO note(id, title) VALUES ('1', 'poison')");
  a.write("INSERT INTO note(id, title) VALUES ('2', 'behind it')");
  a.write("UPDATE note SET body='later' WHERE id='1'");
  write_files(a, "a", 0, 5);
  write_notes(c, "c", 0, 5);
  write_files(c, "c", 0, 5);
  cluster.run_until_quiet();
  CHECK(b.count("note") == 6);
  CHECK(b.count("file") == 10);
  CHECK(c.count("file") == 10);
  CHECK(a.count("note") == 7);
  CHECK(c.count("note") == 7);  // handed on all the same
  CHECK(b.status().waiting.empty());
  CHECK(b.status().quarantined == 2);
  CHECK(b.text("SELECT why FROM sync_held ORDER BY id LIMIT 1").find("no poison here") != std::string::npos);
  CHECK(b.text("SELECT why FROM sync_held ORDER BY id LIMIT 1 OFFSET 1").find("an earlier change") != std::string::npos);
  CHECK(a.status().peers[0].vector.at(a.store().self()) == a.vector().at(a.store().self()));  // acknowledged: it is on disk

  take_anything(b);
  cluster.run_until_quiet();
  CHECK(b.count("note") == 7);
  cluster.expect_converged();
}

TEST_CASE("A row that SQLite refuses: who pulls from the device that refuses it is served at once") {
  Cluster cluster;
  SimNode& a = cluster.create("A");
  SimNode& b = cluster.join("B");
  SimNode& c = cluster.join("C");
  cluster.let_meet(a, b);
  refuse_poison(b);
  cluster.run_until_quiet();
  for (int i = 0; i < 40; ++i) b.write("INSERT INTO note(id, body) VALUES (?, ?)", numbered("n", i), noise(100 * limits::KiB, static_cast<std::uint64_t>(i)));
  cluster.run_until_quiet();
  cluster.connect(b, c);
  cluster.run_for(60ms);  // the first pages are under way
  REQUIRE(c.count("note") < 40);
  const MonoTime start = cluster.now();
  a.write("INSERT INTO note(id, title) VALUES ('1', 'poison')");
  cluster.run_until_quiet();
  CHECK(b.status().quarantined == 1);
  CHECK(c.count("note") == 41);
  CHECK(cluster.now() - start < 10s);
}

TEST_CASE("A row that SQLite refuses: it is tried again by itself") {
  Pair p;
  refuse_poison(p.b);
  p.settle();
  p.a.write("INSERT INTO note(id, title) VALUES ('1', 'poison')");
  p.settle();
  REQUIRE(p.b.status().quarantined == 1);
  p.a.write("UPDATE note SET title='cured'");  // does not help: the insert before it is refused
  p.settle();
  REQUIRE(p.b.status().quarantined == 2);
  p.b.execute_behind_the_engine("DROP TRIGGER picky");
  p.cluster.run_for(3min);
  CHECK(p.b.status().quarantined == 0);
  p.settle();
  p.cluster.expect_converged();
}

TEST_CASE("A table with CHECK: what passed it where it was written is taken everywhere") {
  const auto models = [](const char* check) {
    return std::vector<Model>{Model::from_sql("CREATE TABLE size (id TEXT PRIMARY KEY NOT NULL, n INTEGER CHECK (" +
                                              std::string(check) + "))", Kind::shared)};
  };
  Cluster cluster;
  SimNode& a = cluster.add("A", DeviceId{{1}}, true, models("n < 1000"));
  SimNode& b = cluster.add("B", DeviceId{{2}}, false, models("n < 10"));
  cluster.let_meet(a, b);
  a.write("INSERT INTO size VALUES ('x', 500)");
  cluster.run_until_quiet();
  CHECK(b.text("SELECT n FROM size") == "500");
  CHECK_FALSE(b.try_write("INSERT INTO size VALUES ('y', 500)"));  // enforced for local writes
  CHECK(b.vector() == a.vector());
  CHECK(digest_of(b) == digest_of(a));
}

}  // namespace starling::sim
