// Clocks that are wrong: changes still have one order, and nobody is pulled along.
#include <doctest/doctest.h>

#include "tests/sim/phrases.h"

namespace starling::sim {
namespace {

bool waits_for(const SimNode& node, const SimNode& author) {
  for (const WaitingOrigin& waiting : node.status().waiting)
    if (waiting.origin == author.store().self()) return true;
  return false;
}

}  // namespace

TEST_CASE("Clocks within the drift limit: everything flows, and an edit after an edit wins whatever the clocks say") {
  Pair p;
  p.a.set_clock_ahead(4min);
  p.b.set_clock_ahead(-30s);
  p.a.write("INSERT INTO note(id, title) VALUES ('n', 'first')");
  p.settle();
  p.b.write("UPDATE note SET title='second'");  // B's clock is behind the stamp that it changes
  p.settle();
  CHECK(p.a.text("SELECT title FROM note") == "'second'");
  p.cluster.expect_converged();
}

TEST_CASE("[N7][F6] A clock ten minutes ahead: its log waits, all else goes on, and it is applied when time has passed") {
  Pair p;
  p.a.set_clock_ahead(10min);
  p.a.write("INSERT INTO note(id, title) VALUES ('n', 'early')");
  p.a.write("INSERT INTO file VALUES (x'01', 'state', 1, NULL)");
  p.b.write("INSERT INTO note(id, title) VALUES ('m', 'of B')");
  p.settle();
  CHECK(p.b.count("note") == 1);
  CHECK(p.b.count("file") == 1);
  CHECK(p.a.count("note") == 2);
  CHECK(waits_for(p.b, p.a));
  CHECK(p.b.status().waiting[0].until.ms > p.b.wall().ms);
  CHECK(p.b.status().waiting[0].why.find("clock is ahead of ours") != std::string::npos);
  CHECK(p.a.status().peers[0].vector.at(p.a.store().self()).seq < p.a.vector().at(p.a.store().self()).seq);  // not acknowledged

  p.cluster.run_for(4min + 30s);
  CHECK(p.b.count("note") == 1);
  p.cluster.run_for(1min);
  p.settle();
  CHECK(p.b.count("note") == 2);
  CHECK_FALSE(waits_for(p.b, p.a));
  p.cluster.expect_converged();
}

TEST_CASE("[N7] A clock an hour behind: its changes are taken at once, and it waits for the other's") {
  Pair p;
  p.b.set_clock_ahead(-1h);
  p.b.write("INSERT INTO note(id, title) VALUES ('b', 'of B')");
  p.a.write("INSERT INTO note(id, title) VALUES ('a', 'of A')");
  p.settle();
  CHECK(p.a.count("note") == 2);
  CHECK(p.b.count("note") == 1);
  p.b.set_clock_ahead(0s);  // somebody sets it right
  p.cluster.run_for(1h);
  p.settle();
  CHECK(p.b.count("note") == 2);
  p.cluster.expect_converged();
}

TEST_CASE("[N7] A clock that steps back across a restart: stamps go on increasing, and nobody waits") {
  Pair p;
  std::vector<Hlc> stamps;
  const auto write = [&](const char* id) {
    stamps.push_back(p.a.write("INSERT INTO note(id) VALUES (?)", id).hlc);
  };
  write("1");
  p.settle();
  p.a.kill();
  p.a.set_clock_ahead(-2h);
  p.a.restart();
  write("2");
  write("3");
  p.a.restart();
  write("4");
  p.settle();
  CHECK(std::is_sorted(stamps.begin(), stamps.end(), std::less_equal<>()));
  CHECK(p.b.count("note") == 4);
  p.cluster.expect_converged();
}

TEST_CASE("A clock that steps back: what we saw of others is exceeded too, after a restart as before") {
  Pair p;
  p.a.set_clock_ahead(4min);
  const Hlc seen = p.a.write("INSERT INTO note(id, title) VALUES ('n', 'first')").hlc;
  p.settle();
  p.b.set_clock_ahead(-1h);
  p.b.restart();
  const Hlc next = p.b.write("UPDATE note SET title='second'").hlc;
  CHECK(next > seen);
  p.settle();
  CHECK(p.a.text("SELECT title FROM note") == "'second'");
  p.cluster.expect_converged();
}

TEST_CASE("[N7] A clock a day and an hour off: the session is refused with the reason") {
  Cluster cluster;
  SimNode& a = cluster.create("A");
  SimNode& b = cluster.join("B");
  b.set_clock_ahead(25h + 1min);  // whichever of them sees it, and after whatever delay
  cluster.let_meet(a, b);
  REQUIRE_FALSE(cluster.network().refusals().empty());
  CHECK(cluster.network().refusals()[0].find("the clocks differ by 25 hours") != std::string::npos);
  CHECK_FALSE(b.status().initial_sync_completed);
  b.set_clock_ahead(0s);
  cluster.network().forget_refusals();
  cluster.run_until_quiet();
  cluster.expect_converged();
}

TEST_CASE("A clock ahead, relayed: what depends on it waits with it, and both come") {
  Chain chain;
  auto& [cluster, a, b, c] = chain;
  a.set_clock_ahead(8min);
  b.set_clock_ahead(4min);
  a.write("INSERT INTO note(id, title) VALUES ('n', 'of A')");
  cluster.run_until_quiet();
  CHECK(b.count("note") == 1);  // four minutes ahead of B
  CHECK(c.count("note") == 0);  // eight minutes ahead of C
  b.write("UPDATE note SET title='of B' WHERE id='n'");
  c.write("INSERT INTO note(id, title) VALUES ('m', 'of C')");
  cluster.run_until_quiet();
  CHECK(c.count("note") == 1);
  CHECK(a.count("note") == 2);
  cluster.run_for(10min);
  cluster.run_until_quiet();
  CHECK(c.text("SELECT title FROM note WHERE id='n'") == "'of B'");
  cluster.expect_converged();
}

}  // namespace starling::sim
