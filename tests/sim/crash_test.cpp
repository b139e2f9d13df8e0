// Processes die and the power goes at the worst moments; what was promised is there afterwards, and all goes on.
#include <doctest/doctest.h>

#include "tests/sim/phrases.h"

namespace starling::sim {
namespace {

// Both write, B dies at its k-th write to disk from now on. Gives false once B survives.
bool survives_death_at(std::uint64_t k, bool power_cut) {
  CAPTURE(k);
  CAPTURE(power_cut);
  Pair p(k);
  p.b.kill_in(k);
  for (int i = 0; i < 4; ++i) {
    write_notes(p.a, "a", 2 * i, 2);
    write_files(p.a, "a", 2 * i, 2);
    if (p.b.alive()) {
      (void)p.b.try_write("INSERT INTO note(id, title) VALUES (?, 'of B')", numbered("b", i));
    }
    if (p.b.alive()) (void)p.b.try_write("INSERT INTO file(id) VALUES (?)", Blob{numbered("b", i)});
    p.cluster.run_for(20ms);
  }
  p.settle();
  const bool died = !p.b.alive();
  if (power_cut) p.b.cut_power();
  p.b.restart();
  p.settle();
  CHECK(p.b.count("note") >= 8);
  p.cluster.expect_converged();
  return died;
}

// A takes a table with rows over, in several transactions, and dies at its k-th write to disk. False: it survives.
bool adopts_and_dies_at(std::uint64_t k) {
  CAPTURE(k);
  constexpr const char* kMemo = "CREATE TABLE memo (id TEXT PRIMARY KEY NOT NULL, text)";
  std::vector<Model> models = sim_models();
  models.push_back(Model::from_sql(kMemo, Kind::shared));
  Pair p(k);
  p.a.execute_behind_the_engine(kMemo);
  p.a.execute_behind_the_engine("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<2500) INSERT INTO memo SELECT i, 'old' FROM n");
  const Seq before = p.a.vector().at(p.a.store().self()).seq;
  p.a.kill_in(k);
  const bool died = !p.a.migrate("", models);
  if (k % 2 == 0) p.a.cut_power();
  p.a.replace_models(models);
  p.a.restart();
  REQUIRE(p.b.migrate(kMemo, models));
  p.cluster.network().forget_refusals();
  p.settle();
  CHECK(p.a.vector().at(p.a.store().self()).seq.value == before.value + 2);  // 2000 rows, and the rest: each of them once
  for (const SimNode* node : {&p.a, &p.b}) {
    CHECK(node->count("memo") == 2500);
    CHECK(node->status().conflicts == 0);
  }
  p.cluster.expect_converged();
  return died;
}

}  // namespace

TEST_CASE("[F47] A process that dies while it takes a table with rows over, or the power goes: each row comes once") {
  std::uint64_t k = 1;
  while (adopts_and_dies_at(k)) k += 1 + k / 16;
  CHECK(k > 50);
}

TEST_CASE("[N4] A process that dies at any of its writes to disk: nothing that was promised is lost") {
  std::uint64_t k = 1;
  while (survives_death_at(k, false)) ++k;
  MESSAGE(k << " points");
  CHECK(k > 50);
}

TEST_CASE("[N4] The power that goes at any write to disk: nothing that was promised is lost") {
  std::uint64_t k = 1;
  while (survives_death_at(k, true)) ++k;
  CHECK(k > 50);
}

TEST_CASE("A process that dies between a write and its sync: what the next start shows is safe from the power, too") {
  for (std::uint64_t k = 1; k <= 40; ++k) {
    CAPTURE(k);
    Cluster cluster(k);
    SimNode& a = cluster.create("A");
    a.kill_in(k);
    for (int i = 0; i < 3 && a.alive(); ++i) (void)a.try_write("INSERT INTO note(id) VALUES (?)", numbered("n", i));
    a.restart();  // SQLite finds what was written and not synced, and takes it for committed
    const std::int64_t shown = a.count("note");
    a.cut_power();
    a.restart();
    CHECK(a.count("note") == shown);
    cluster.expect_converged();
  }
}

TEST_CASE("[N4] A device that dies while it joins: the transfer goes on where the disk says") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    Cluster cluster(seed);
    SimNode& a = cluster.create("A");
    for (int i = 0; i < 20; ++i) {
      write_notes(a, "n", 100 * i, 100);
      write_files(a, "f", 100 * i, 100);
    }
    SimNode& b = cluster.join("B");
    cluster.connect(a, b);
    b.kill_in(seed * 7);
    cluster.run_until_quiet();
    REQUIRE_FALSE(b.alive());
    if (seed % 2 == 0) b.cut_power();
    b.restart();
    cluster.run_until_quiet();
    CHECK(b.count("note") == 2000);
    CHECK(b.count("file") == 2000);
    cluster.expect_converged();
  }
}

TEST_CASE("[N25] A source that dies while another device joins: a second source serves the rest") {
  Cluster cluster;
  SimNode& a = cluster.create("A");
  for (int i = 0; i < 40; ++i) write_notes(a, "n", 500 * i, 500);
  for (int i = 0; i < 40; ++i) write_files(a, "f", 500 * i, 500);
  SimNode& b = cluster.join("B");
  cluster.let_meet(a, b);
  SimNode& c = cluster.join("C");
  cluster.connect(a, c);
  cluster.run_for(40ms);
  a.kill();
  REQUIRE(c.count("note") < 20'000);
  const WireCount before = cluster.wire();
  cluster.let_meet(b, c);
  CHECK(c.count("note") == 20'000);
  CHECK(c.count("file") == 20'000);
  CHECK(cluster.wire().since(before).rows <= 20'000);
  cluster.expect_converged();
}

TEST_CASE("[N25] A source that is lost with what it alone had: the joiner completes with the others") {
  Cluster cluster;
  SimNode& a = cluster.create("A");
  SimNode& b = cluster.join("B");
  cluster.let_meet(a, b);
  cluster.disconnect(a, b);
  for (int i = 0; i < 40; ++i) b.write("INSERT INTO note(id, body) VALUES (?, ?)", numbered("b", i), noise(100 * limits::KiB, static_cast<std::uint64_t>(i)));
  write_notes(a, "a", 0, 1);
  SimNode& c = cluster.join("C");
  cluster.connect(b, c);
  cluster.run_for(70ms);
  REQUIRE(c.count("note") < 40);
  b.kill();
  cluster.let_meet(a, c);
  CHECK(a.count("note") == c.count("note"));
  cluster.expect_converged();
}

TEST_CASE("[F3] A process that dies at any write to disk, and a clock a day back at the next start: no stamp is given twice") {
  std::uint64_t k = 1;
  for (bool died = true; died; ++k) {
    CAPTURE(k);
    Cluster cluster(k);
    SimNode& a = cluster.create("A");
    Hlc greatest;
    a.kill_in(k);
    for (int i = 0; i < 4 && a.alive(); ++i) {
      const Expected<LocalCommit> written = a.try_write("INSERT INTO note(id) VALUES (?)", numbered("n", i));
      if (written) greatest = written->hlc;
    }
    died = !a.alive();
    if (k % 2 == 0) a.cut_power();
    a.set_clock_ahead(-24h);
    a.restart();
    CHECK(a.write("INSERT INTO note(id) VALUES ('after')").hlc > greatest);
    cluster.expect_converged();
  }
  CHECK(k > 10);
}

TEST_CASE("A write that dies with its process: it is there as a whole or not at all, on both devices") {
  for (std::uint64_t k = 1; k <= 30; ++k) {
    CAPTURE(k);
    Pair p(k);
    p.a.kill_in(k);
    const Expected<LocalCommit> written = p.a.try_write([](Transaction& t) -> Expected<void> {
      for (int i = 0; i < 10; ++i) {
        (void)t.exec("INSERT INTO note(id) VALUES (?)", numbered("n", i));
        (void)t.exec("INSERT INTO file(id) VALUES (?)", Blob{numbered("f", i)});
      }
      return {};
    });
    p.a.cut_power();
    p.a.restart();
    p.settle();
    const std::int64_t notes = p.b.count("note");
    CHECK((notes == 10 || (notes == 0 && !written)));
    CHECK(p.b.count("file") == notes);
    p.cluster.expect_converged();
  }
}

}  // namespace starling::sim
