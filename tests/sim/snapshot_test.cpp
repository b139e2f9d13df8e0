// Snapshots: for whom the log does not reach back.
#include <doctest/doctest.h>

#include "core/store/snapshot_stage.h"
#include "core/store/store.h"
#include "tests/sim/phrases.h"
#include "tests/sim/story.h"

namespace starling::sim {
namespace {

// A and B, whose log is forgotten; C has not come yet. `rows` notes, some of them changed, a tenth deleted.
struct Forgotten {
  Cluster cluster;
  SimNode& a;
  SimNode& b;
  std::int64_t rows;

  explicit Forgotten(std::int64_t n, std::uint64_t seed = 1)
      : cluster(seed), a(cluster.create("A")), b(cluster.join("B")), rows(n) {
    cluster.let_meet(a, b);
    for (std::int64_t i = 0; i < n; i += 1000) write(i, std::min<std::int64_t>(1000, n - i));
    cluster.run_until_quiet();
    b.write("UPDATE note SET title='of B' WHERE stars % 7 = 0");
    a.write("DELETE FROM note WHERE stars % 10 = 3");
    cluster.run_for(1min);
    REQUIRE(a.count("sync_log") + b.count("sync_log") == 0);
  }
  void write(std::int64_t from, std::int64_t count) {
    a.write([&](Transaction& t) -> Expected<void> {
      for (std::int64_t i = from; i < from + count; ++i) {
        const auto done = t.exec("INSERT INTO note VALUES (?, 'title', ?, ?, NULL)", numbered("n", i), Blob{noise(60, static_cast<std::uint64_t>(i))}, i);
        if (!done) return done.error();
      }
      return {};
    });
  }
};

std::uint64_t pages_staged(const SimNode& node) { return static_cast<std::uint64_t>(node.count("sync_snapshot_page")); }

}  // namespace

TEST_CASE("Snapshot: who joins when the log is forgotten shows every row, as if it had come through the log") {
  Forgotten f(5000);
  SimNode& c = f.cluster.join("C");
  const WireCount before = f.cluster.wire();
  f.cluster.let_meet(f.b, c);
  const WireCount d = f.cluster.wire().since(before);
  CHECK(c.status().snapshots_taken == 1);
  CHECK(c.status().readiness == Readiness::ready);
  CHECK(c.count("note") == 4500);
  CHECK(pages_staged(c) == 0);
  MESSAGE(5000 << " rows: " << d.of("SnapshotPage").messages << " pages, " << d.of("SnapshotPage").bytes / 5000 << " bytes a row");
  c.write("UPDATE note SET title='of C' WHERE stars=1");
  f.cluster.let_meet(f.a, f.b);
  CHECK(f.a.query("SELECT 1 FROM note WHERE title='of C'").size() == 1);
  f.cluster.expect_converged();
}

TEST_CASE("[T6] Snapshot: writes go on meanwhile, at the source, at the joiner and between the others, and are seen at once") {
  Forgotten f(20'000);
  SimNode& c = f.cluster.join("C");
  f.cluster.connect(f.b, c);
  f.cluster.network().set_quality(f.b, c, {.bytes_per_second = 100 * limits::KiB});
  f.cluster.run_for(1s);
  Duration worst{0};
  for (int i = 0; i < 30; ++i) {
    write_notes(f.a, "live", i, 1);
    write_notes(f.b, "mine", i, 1);
    c.write("INSERT INTO note(id, title) VALUES (?, 'of the joiner')", numbered("join", i));
    const MonoTime start = f.cluster.now();
    while (f.b.query("SELECT 1 FROM note WHERE id='" + numbered("live", i) + "'").size() == 0) f.cluster.run_for(1ms);
    worst = std::max(worst, Duration(f.cluster.now() - start));
    f.cluster.run_for(100ms);
  }
  CHECK(worst <= 2s);
  MESSAGE("a live change is seen after " << std::chrono::duration_cast<std::chrono::milliseconds>(worst).count() << " ms at most");
  CHECK(c.status().readiness == Readiness::backfilling);
  f.cluster.run_until_quiet();
  CHECK(c.status().readiness == Readiness::ready);
  CHECK(f.a.query("SELECT 1 FROM note WHERE title='of the joiner'").size() == 30);
  f.cluster.expect_converged();
}

TEST_CASE("Snapshot: killed again and again on either side, no page that was committed travels twice") {
  Forgotten f(20'000);
  SimNode& c = f.cluster.join("C");
  f.cluster.connect(f.b, c);
  f.cluster.network().set_quality(f.b, c, {.bytes_per_second = 200 * limits::KiB});
  std::uint64_t most = 0;
  int kills = 0;
  for (; kills < 40 && c.status().readiness != Readiness::ready; ++kills) {
    f.cluster.run_for(1500ms);
    CHECK(c.status().duplicate_rows == 0);
    most = std::max(most, pages_staged(c));
    SimNode& victim = kills % 2 == 0 ? c : f.b;
    victim.kill();
    victim.restart();
  }
  CHECK(kills > 4);
  CHECK(most > 4);
  f.cluster.run_until_quiet();
  CHECK(c.status().readiness == Readiness::ready);
  CHECK(c.count("note") == 18'000);
  f.cluster.expect_converged();
}

TEST_CASE("[N25] Snapshot: the source dies for good, another goes on as of another vector, and equal pages are not sent again") {
  Forgotten f(40'000);
  SimNode& c = f.cluster.join("C");
  f.cluster.connect(f.b, c);
  f.cluster.network().set_quality(f.b, c, {.bytes_per_second = 200 * limits::KiB});
  while (pages_staged(c) < 8) f.cluster.run_for(100ms);
  f.b.kill();
  f.a.write("UPDATE note SET title='changed since' WHERE stars=4");
  const WireCount before = f.cluster.wire();
  f.cluster.let_meet(f.a, c);
  CHECK(c.status().snapshots_taken == 1);
  CHECK(c.query("SELECT 1 FROM note WHERE title='changed since'").size() == 1);
  const Traffic rest = f.cluster.wire().since(before).of("SnapshotPage");
  SimNode& d = f.cluster.join("D");
  const WireCount whole = f.cluster.wire();
  f.cluster.let_meet(f.a, d);
  const Traffic all = f.cluster.wire().since(whole).of("SnapshotPage");
  MESSAGE(rest.bytes << " bytes of pages, " << all.bytes << " for one that has nothing");
  CHECK(rest.messages >= all.messages - 1);
  CHECK(rest.bytes < all.bytes * 3 / 4);
  f.cluster.expect_converged();
}

TEST_CASE("Snapshot: the joiner dies at any operation of its disk while it stages and merges") {
  for (std::uint64_t k = 1; k <= 60; ++k) {
    CAPTURE(k);
    Forgotten f(300, k);
    SimNode& c = f.cluster.join("C");
    c.kill_in(k * 3);
    f.cluster.connect(f.b, c);
    f.cluster.run_for(5s);
    if (!c.alive()) c.restart();
    f.cluster.run_until_quiet();
    CHECK(c.count("note") == 270);
    f.cluster.expect_converged();
  }
}

TEST_CASE("Snapshot: two members, each below the other's horizon, take one of each other, and nothing of either is lost") {
  Cluster cluster;
  SimNode& a = cluster.create("A");
  SimNode& b = cluster.join("B");
  SimNode& c = cluster.join("C");
  SimNode& d = cluster.join("D");
  for (SimNode* node : {&b, &c, &d}) cluster.let_meet(a, *node);
  cluster.let_meet(b, c);
  cluster.let_meet(c, d);
  write_notes(a, "n", 0, 100);
  cluster.run_for(1min);
  cluster.disconnect(a, c);
  cluster.disconnect(a, d);
  cluster.disconnect(b, c);  // two halves: A and B, C and D
  write_notes(a, "a", 0, 20);
  write_notes(c, "c", 0, 20);
  a.write("DELETE FROM note WHERE stars=5 AND id LIKE 'n%'");
  c.write("DELETE FROM note WHERE stars=6 AND id LIKE 'n%'");
  a.write("UPDATE note SET title='of A' WHERE id=?", numbered("n", 7));
  c.write("UPDATE note SET body='of C' WHERE id=?", numbered("n", 7));
  cluster.run_for(31 * 24h);
  REQUIRE(b.count("sync_log") == 0);
  REQUIRE(d.count("sync_log") == 0);
  cluster.let_meet(b, d);
  cluster.run_for(1min);
  CHECK(b.status().snapshots_taken + d.status().snapshots_taken >= 1);
  for (const SimNode* node : {&a, &b, &c, &d}) {
    CHECK(node->count("note") == 138);
    CHECK(node->query("SELECT 1 FROM note WHERE title='of A' AND body='of C'").size() == 1);
  }
  cluster.expect_converged();
}

}  // namespace starling::sim
