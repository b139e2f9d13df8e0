// One device, several lives: an empty folder with the old key, a copy, an old backup.
#include <doctest/doctest.h>

#include "tests/sim/phrases.h"

namespace starling::sim {

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

TEST_CASE("A device that lost its database, and whose clock is behind, and that has written already: it is refused loudly") {
  Pair p;
  write_files(p.b, "b", 0, 5);
  p.settle();
  p.b.kill();
  p.part();
  p.b.set_clock_ahead(-1h);
  p.b.wipe();
  p.b.restart();
  write_files(p.b, "b", 0, 1);  // a key of the earlier life: whose row is newer could not be told
  p.meet();
  REQUIRE_FALSE(p.cluster.network().refusals().empty());
  CHECK(p.cluster.network().refusals()[0].find("clock") != std::string::npos);
  CHECK(p.a.text("SELECT size FROM file WHERE id=x'" + to_hex(numbered("b", 0)) + "'") == "0");
}

TEST_CASE("An old backup of a device: it is refused with the reason, and nothing is mixed up") {
  Pair p;
  write_notes(p.b, "b", 0, 1);
  p.settle();
  p.b.kill();
  const Disk::Image backup = p.b.disk().image();
  p.b.restart();
  write_notes(p.b, "later", 0, 1);
  p.settle();
  p.b.kill();
  p.b.put_in(backup);
  p.b.restart();
  p.settle();
  REQUIRE_FALSE(p.cluster.network().refusals().empty());
  CHECK(p.cluster.network().refusals()[0].find("knows more of this device's history") != std::string::npos);
  CHECK(p.a.count("note") == 2);
}

TEST_CASE("An old backup that went on writing: another hash for a known entry is seen, also where it looks like progress") {
  Pair p;
  write_notes(p.b, "b", 0, 1);
  p.settle();
  p.b.kill();
  const Disk::Image backup = p.b.disk().image();
  p.b.restart();
  write_notes(p.b, "one history", 0, 1);
  p.settle();
  p.b.kill();
  p.b.put_in(backup);
  p.part();
  p.b.restart();
  write_notes(p.b, "another", 0, 1);
  write_notes(p.b, "another", 1, 1);  // beyond what A knows
  p.meet();
  REQUIRE_FALSE(p.cluster.network().refusals().empty());
  CHECK(p.a.query("SELECT 1 FROM note WHERE id LIKE 'another%'").empty());
}

}  // namespace starling::sim
