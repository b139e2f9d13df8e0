// A line of 1 kB/s: a transfer over it takes its time, and nothing is sent twice for that.
#include <doctest/doctest.h>

#include "tests/sim/phrases.h"

namespace starling::sim {

TEST_CASE("[N24] A line of 1 kB/s: what takes minutes comes once, a change is seen on the way, others notice nothing") {
  Cluster cluster;
  SimNode& a = cluster.create("A");
  SimNode& b = cluster.join("B");
  cluster.let_meet(a, b);
  for (int i = 0; i < 30; ++i) {
    a.write("INSERT INTO file VALUES (?, ?, 1, NULL)", Blob{numbered("f", i)}, noise(10 * limits::KiB, static_cast<std::uint64_t>(i)));
    a.write("INSERT INTO note(id, body) VALUES (?, ?)", numbered("n", i), Blob{noise(10 * limits::KiB, static_cast<std::uint64_t>(100 + i))});
  }
  SimNode& c = cluster.join("C");
  Quality slow;
  slow.bytes_per_second = 1000;
  cluster.network().set_quality(a, c, slow);
  cluster.connect(a, c);
  cluster.run_for(60s);
  CHECK(c.count("file") + c.count("note") < 60);
  const MonoTime start = cluster.now();
  a.write("INSERT INTO note(id, title) VALUES ('live', 'x')");
  while (b.text("SELECT title FROM note WHERE id='live'") != "'x'") cluster.run_for(1ms);
  CHECK(cluster.now() - start < 100ms);
  cluster.run_until_quiet(60min);
  const WireCount& way = cluster.network().count(a, c);
  CHECK(c.count("note") == 31);
  CHECK(c.count("file") == 30);
  CHECK(way.rows == 30);
  CHECK(way.entries == entries_held(c));  // C has written none
  CHECK(cluster.network().faults().breaks == 0);
  cluster.expect_converged();
}

}  // namespace starling::sim
