// Shared transactions that are larger than a part (limits::kPartMax): they travel in pieces, and appear at once.
#include <doctest/doctest.h>

#include "core/store/entry_stage.h"
#include "core/store/origin_table.h"
#include "core/store/peer_log.h"
#include "tests/sim/phrases.h"

namespace starling::sim {
namespace {

// One transaction of about so many bytes that do not compress, in so many rows.
LocalCommit write_large(SimNode& node, const char* prefix, std::size_t bytes, std::int64_t rows = 20) {
  return node.write([&](Transaction& t) -> Expected<void> {
    for (std::int64_t i = 0; i < rows; ++i) {
      const Blob body{noise(bytes / static_cast<std::size_t>(rows), static_cast<std::uint64_t>(i) + 1)};
      const auto done = t.exec("INSERT INTO note(id, title, body) VALUES (?, 'large', ?)", numbered(prefix, i), body);
      if (!done) return done.error();
    }
    return {};
  });
}

// Bytes of the largest entry that `author` wrote, as `node` has it.
std::size_t large_entry(const SimNode& node, const SimNode& author) {
  const Ordinal ordinal = *node.store().origins().find(author.store().self());
  return static_cast<std::size_t>(node.query("SELECT max(bytes) FROM (SELECT sum(length(entry)) AS bytes FROM sync_log WHERE origin=" +
                                             std::to_string(ordinal) + " GROUP BY seq)").integer(0));
}

std::size_t staged(SimNode& node, const Origin& origin) {
  const auto entry = node.store().stage().find(origin);
  return entry ? entry->bytes : 0;
}

// Runs until `done`, and looks with `check` at every moment.
template <class Done, class Check>
void run_until(Cluster& cluster, const Done& done, const Check& check) {
  const MonoTime limit = cluster.now() + 10min;
  while (!done()) {
    REQUIRE(cluster.now() < limit);
    (void)cluster.timeline().run_next(cluster.now() + 1s);
    check();
  }
}
template <class Done>
void run_until(Cluster& cluster, const Done& done) {
  run_until(cluster, done, [] {});
}

// A wire that needs a second for each megabyte.
void slow_down(Cluster& cluster) { cluster.network().config.bytes_per_second = 1 * limits::MiB; }

}  // namespace

TEST_CASE("Parts: a transaction of 1, 1,000 or 100,000 rows appears at once on every device of a line A-B-C") {
  for (const std::int64_t rows : {1, 1'000, 100'000}) {
    CAPTURE(rows);
    Cluster cluster(static_cast<std::uint64_t>(rows));
    SimNode& a = cluster.create("A");
    SimNode& b = cluster.join("B");
    SimNode& c = cluster.join("C");
    cluster.let_meet(a, b);
    cluster.let_meet(b, c);
    if (rows < 100'000) {
      write_large(a, "n", 1900 * limits::KiB, rows);
    } else {
      a.write("WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n WHERE i<100000) INSERT INTO note"
              " SELECT printf('%06d-%016x', i, i * 7919 * 1000003), 'note number ' || i, 'body', i % 6, i * 0.5 FROM n");
    }
    const std::size_t size = large_entry(a, a);
    const std::uint64_t before = cluster.wire().entries;
    CHECK(size > limits::kPartMax);
    const auto all_here = [&] { return b.count("note") == rows && c.count("note") == rows; };
    run_until(cluster, all_here, [&] {
      for (SimNode* node : {&b, &c}) {
        if (node->query("SELECT 1 FROM note LIMIT 1").empty()) continue;
        REQUIRE(node->count("note") == rows);
      }
    });
    cluster.run_until_quiet();
    CHECK(cluster.wire().part_bytes == 2 * size);
    CHECK(cluster.wire().entries - before == 2);
    MESSAGE(rows << " rows: " << size << " bytes in " << cluster.wire().of("EntryPart").messages / 2 << " parts");
    cluster.expect_converged();
  }
}

TEST_CASE("Parts: the receiver dies in the middle and goes on where its disk says; no staged byte travels twice") {
  for (const bool power_goes : {false, true}) {
    CAPTURE(power_goes);
    Pair p(power_goes ? 2 : 1);
    slow_down(p.cluster);
    write_large(p.a, "n", 6 * limits::MiB);
    const Origin author = p.a.store().self();
    const std::size_t size = large_entry(p.a, p.a);
    for (const std::size_t mark : {1 * limits::MiB, 3 * limits::MiB, 5 * limits::MiB}) {
      run_until(p.cluster, [&] { return staged(p.b, author) >= mark; });
      const std::size_t there = staged(p.b, author);
      if (power_goes) p.b.cut_power();
      else p.b.kill();
      if (!power_goes) p.cluster.run_for(1s);  // what was under way is gone
      p.b.restart();
      CHECK(staged(p.b, author) == there);  // it was committed, step by step
      CHECK(p.b.count("note") == 0);
      const std::size_t before = p.cluster.wire().part_bytes;
      run_until(p.cluster, [&] { return staged(p.b, author) != there; });
      // Where the power went, the source spends its credit for a session that nobody hears any more.
      CHECK(p.cluster.wire().part_bytes - before <= limits::kPullCredit * (power_goes ? 2 : 1) + limits::kPartMax);
      if (power_goes || there < 5 * limits::MiB) continue;
      p.settle();
      CHECK(p.cluster.wire().part_bytes - before == size - there);
    }
    p.settle();
    CHECK(p.b.count("note") == 20);
    p.cluster.expect_converged();
  }
}

TEST_CASE("Parts: the source dies in the middle, and another device that has the entry goes on at that byte") {
  Cluster cluster(3);
  SimNode& a = cluster.create("A");
  SimNode& b = cluster.join("B");
  SimNode& c = cluster.join("C");
  cluster.let_meet(a, c);
  cluster.disconnect(a, c);
  cluster.let_meet(a, b);
  write_large(a, "n", 4 * limits::MiB);
  cluster.run_until_quiet();
  slow_down(cluster);
  cluster.connect(a, c);
  const Origin author = a.store().self();
  const std::size_t size = large_entry(a, a);
  run_until(cluster, [&] { return staged(c, author) >= 2 * limits::MiB; });
  a.kill();
  cluster.run_for(5s);
  const std::size_t there = staged(c, author);
  const std::size_t before = cluster.wire().part_bytes;
  cluster.let_meet(b, c);
  CHECK(c.count("note") == 20);
  CHECK(cluster.wire().part_bytes - before == size - there);
  cluster.expect_converged();
}

TEST_CASE("Parts: a bank adds up to nothing on every device at every moment, with large transactions between") {
  Cluster cluster(4);
  std::vector<SimNode*> nodes{&cluster.create("A"), &cluster.join("B"), &cluster.join("C")};
  cluster.connect_all();
  cluster.run_until_quiet();
  cluster.network().config.bytes_per_second = 4 * limits::MiB;
  const auto balanced = [&] {
    for (SimNode* node : nodes)
      REQUIRE(node->query("SELECT coalesce(sum(amount), 0) FROM posting").integer(0) == 0);
  };
  for (int round = 0; round < 12; ++round) {
    SimNode& node = *nodes[static_cast<std::size_t>(round) % 3];
    const bool large = round % 4 == 1;
    node.write([&](Transaction& t) -> Expected<void> {
      for (int i = 0; i < (large ? 600 : 2); ++i) {
        const std::string transfer = std::to_string(round) + "-" + std::to_string(i) + (large ? noise(600, static_cast<std::uint64_t>(i)) : "");
        const auto done = t.exec("INSERT INTO posting VALUES (?1, ?3, ?4), (?2, ?3, -?4)", numbered("+", 1000 * round + i),
                                 numbered("-", 1000 * round + i), Blob{transfer}, std::int64_t{i} + 1);
        if (!done) return done.error();
      }
      const auto moved = t.exec("UPDATE posting SET amount = amount * 2 WHERE id LIKE '%00001'");
      return moved ? Expected<void>() : Expected<void>(moved.error());
    });
    const MonoTime until = cluster.now() + 150ms;
    while (cluster.timeline().run_next(until)) balanced();
  }
  run_until(cluster, [&] { return nodes[0]->vector() == nodes[1]->vector() && nodes[1]->vector() == nodes[2]->vector(); }, balanced);
  cluster.run_until_quiet();
  CHECK(cluster.wire().of("EntryPart").messages > 0);
  CHECK(nodes[2]->count("posting") == 2 * (3 * 600 + 9 * 2));
  cluster.expect_converged();
}

TEST_CASE("Parts: an entry that comes before what its author had seen waits on disk, is not sent again, and then appears") {
  Cluster cluster(5);
  SimNode& a = cluster.create("A");
  SimNode& b = cluster.join("B");
  SimNode& c = cluster.join("C");
  cluster.let_meet(a, b);
  cluster.let_meet(b, c);  // C joins a workspace with nothing in it
  cluster.disconnect(b, c);
  write_large(a, "first", 4 * limits::MiB);
  cluster.run_until_quiet();
  write_large(b, "second", 1 * limits::MiB);
  cluster.run_until_quiet();
  const std::size_t sizes = large_entry(b, b) + large_entry(b, a);
  a.kill();
  slow_down(cluster);
  const std::size_t before = cluster.wire().part_bytes;
  cluster.connect(b, c);
  const Origin author = b.store().self();
  run_until(cluster, [&] { return staged(c, author) == large_entry(b, b); });
  CHECK(c.count("note") == 0);
  run_until(cluster, [&] { return c.count("note") == 40; }, [&] {
    if (c.count("note WHERE id LIKE 'second%'") > 0) REQUIRE(c.count("note") == 40);
  });
  cluster.run_until_quiet();
  CHECK(cluster.wire().part_bytes - before == sizes);
  cluster.expect_converged();
}

TEST_CASE("Parts: an entry of a clock that is ahead waits on disk over a restart, and needs nobody when its time has come") {
  Pair p(6);
  p.a.set_clock_ahead(10min);
  write_large(p.a, "n", 2 * limits::MiB);
  const std::size_t size = large_entry(p.a, p.a);
  p.settle();
  CHECK(p.b.count("note") == 0);
  CHECK(staged(p.b, p.a.store().self()) == size);
  p.b.restart();
  p.settle();
  CHECK(p.b.status().waiting.size() == 1);
  CHECK(p.cluster.wire().part_bytes == size);
  p.part();
  p.cluster.run_for(6min);
  CHECK(p.b.count("note") == 20);
  CHECK(p.cluster.wire().part_bytes == size);
}

TEST_CASE("Parts: rows that SQLite refuses wait in quarantine, what was staged before stays, and they appear once they may") {
  Pair p(8);
  p.b.execute_behind_the_engine("CREATE TRIGGER picky BEFORE INSERT ON note WHEN NEW.title = 'large'"
                                " BEGIN SELECT RAISE(ABORT, 'not that one'); END");
  p.b.restart();
  p.settle();
  slow_down(p.cluster);
  write_large(p.a, "n", 4 * limits::MiB);
  const std::size_t size = large_entry(p.a, p.a);
  write_notes(p.b, "b", 0, 5);
  p.cluster.run_for(10s);
  p.settle();  // the step that applies is undone, with the parts it took
  CHECK(p.b.count("note") == 5);
  CHECK(p.b.status().quarantined == 20);
  CHECK(p.b.text("SELECT why FROM sync_held LIMIT 1").find("not that one") != std::string::npos);
  p.b.execute_behind_the_engine("DROP TRIGGER picky");
  p.b.restart();
  p.settle();
  CHECK(p.b.count("note") == 25);
  CHECK(p.cluster.wire().part_bytes <= size + limits::kPullCredit);
  p.cluster.expect_converged();
}

TEST_CASE("Parts: whatever else the devices write meanwhile is not kept waiting, and comes in order") {
  Pair p(7);
  slow_down(p.cluster);
  write_large(p.a, "n", 8 * limits::MiB);
  const std::size_t size = large_entry(p.a, p.a);
  write_notes(p.a, "behind", 0, 5);
  write_files(p.a, "f", 0, 5);
  write_notes(p.b, "b", 0, 5);
  p.cluster.run_for(3s);
  CHECK(p.b.count("note") == 5);
  CHECK(p.b.count("file") == 5);
  CHECK(p.a.count("note") == 20 + 10);
  p.settle();
  CHECK(p.b.count("note") == 30);
  CHECK(p.cluster.wire().part_bytes == size);
  p.cluster.expect_converged();
}

TEST_CASE("Parts: over a wire that needs longer for a part than a pull bears silence, it comes all the same") {
  Pair p(9);
  p.cluster.network().config.bytes_per_second = 5000;
  const MonoTime start = p.cluster.now();
  write_large(p.a, "n", 1 * limits::MiB);
  run_until(p.cluster, [&] { return p.b.count("note") == 20; });
  MESSAGE("1 MiB at 5,000 bytes a second: " << std::chrono::duration_cast<std::chrono::seconds>(p.cluster.now() - start).count()
                                            << " s, " << p.cluster.wire().part_bytes << " bytes");
  CHECK(p.cluster.now() - start < 8min);
}

}  // namespace starling::sim
