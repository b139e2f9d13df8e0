// Messages that come twice, late, in the wrong order or cut otherwise change nothing in the end.
#include <doctest/doctest.h>

#include <algorithm>

#include "core/store/origin_table.h"
#include "core/store/peer_log.h"
#include "core/store/row_store.h"
#include "proto/state_page.h"
#include "tests/sim/phrases.h"

namespace starling::sim {
namespace {

std::vector<Bytes> entries_of(const SimNode& node) {
  return node.store().log().read(node.store().self_ordinal(), Seq{}, 100 * limits::MiB);
}

// The revisions (from, to] of a node's own state, as a page.
StatePage page_of(const SimNode& node, Rev from, Rev to) {
  StatePageWriter writer(node.store().schema());
  node.store().rows().read_owned(node.store().self_ordinal(), from, [&](const OwnedRow& row) {
    if (row.rev <= to) writer.add({row.model, row.rev, row.deleted, row.key, row.values});
    return row.rev < to;
  });
  return {node.store().self(), from, to, Rev{}, writer.finish()};
}

std::int64_t rows_written(const SimNode& node) { return sqlite3_total_changes64(node.store().handle()); }

// A has 12 entries and 12 rows of state that B does not get, for the connection is there and A's writes are not told.
struct Untold : Pair {
  Untold() {
    part();
    for (int i = 0; i < 6; ++i) {
      write_notes(a, "n", i, 1);
      write_files(a, "f", 2 * i, 2);
      a.write("UPDATE note SET stars=stars+1 WHERE id=?", numbered("n", i / 2));
    }
  }
};

}  // namespace

TEST_CASE("[N1] Duplicates: what was applied once writes no row again") {
  Untold p;
  p.meet();
  const std::int64_t before = rows_written(p.b);
  const std::size_t events = p.b.changes().size();
  std::uint64_t seq = 0;
  for (const Bytes& entry : entries_of(p.a)) p.cluster.network().inject(p.b, p.a, SharedChange{p.a.store().self(), Seq{++seq}, entry});
  p.cluster.network().inject(p.b, p.a, SharedChangeBatch{p.a.store().self(), Seq{1}, entries_of(p.a)});
  p.cluster.network().inject(p.b, p.a, StateChange{page_of(p.a, Rev{}, Rev{12})});
  p.cluster.network().inject(p.b, p.a, StateBatch{{page_of(p.a, Rev{3}, Rev{5}), page_of(p.a, Rev{2}, Rev{12})}});
  p.settle();
  CHECK(rows_written(p.b) == before);
  CHECK(p.b.changes().size() == events);
  CHECK(p.b.status().duplicate_rows > 0);
  p.cluster.expect_converged();
}

TEST_CASE("[N1] Reordering: pages and entries in any order and any cut end in the same rows") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Untold p;
    Prng prng(seed);
    const std::vector<Bytes> entries = entries_of(p.a);
    std::vector<Message> messages;
    for (int i = 0; i < 12; ++i) {
      const std::uint64_t from = prng.below(entries.size());
      const std::uint64_t to = from + 1 + prng.below(entries.size() - from);
      messages.emplace_back(SharedChangeBatch{p.a.store().self(), Seq{from + 1},
                                              {entries.begin() + static_cast<std::ptrdiff_t>(from),
                                               entries.begin() + static_cast<std::ptrdiff_t>(to)}});
      const std::uint64_t rev = prng.below(12);
      messages.emplace_back(StateChange{page_of(p.a, Rev{rev}, Rev{rev + 1 + prng.below(12 - rev)})});
    }
    p.cluster.connect(p.a, p.b);
    p.cluster.run_for(60ms);  // until both have said Hello; B's pulls are under way among these
    for (const Message& message : messages) p.cluster.network().inject(p.b, p.a, message);
    p.settle();
    p.cluster.expect_converged();
  }
}

TEST_CASE("[N1] A gap: what does not continue a position is not applied, and what is missing is fetched") {
  Pair p;
  write_notes(p.a, "n", 0, 1);
  write_files(p.a, "f", 0, 1);
  p.settle();
  p.part();
  for (int i = 1; i < 4; ++i) write_notes(p.a, "n", i, 1);
  write_files(p.a, "f", 1, 3);
  p.cluster.network().config.delay_min = p.cluster.network().config.delay_max = 10ms;
  p.cluster.connect(p.a, p.b);
  p.cluster.run_for(14ms);  // B knows what A has, and asks
  p.cluster.network().inject(p.b, p.a, SharedChange{p.a.store().self(), Seq{4}, entries_of(p.a).back()});
  p.cluster.network().inject(p.b, p.a, StateChange{page_of(p.a, Rev{3}, Rev{4})});
  p.cluster.run_for(14ms);
  CHECK(p.b.count("note") == 1);
  CHECK(p.b.count("file") == 1);
  p.settle();
  CHECK(p.b.count("note") == 4);
  p.cluster.expect_converged();
}

TEST_CASE("[N1] A change before its cause: it waits for the cause, also when the device restarts in between") {
  for (const bool restart : {false, true}) {
    CAPTURE(restart);
    Cluster cluster;
    SimNode& a = cluster.create("A");
    SimNode& b = cluster.join("B");
    SimNode& c = cluster.join("C");
    cluster.let_meet(a, b);
    cluster.let_meet(a, c);
    cluster.disconnect(a, c);
    a.write("INSERT INTO note(id, title) VALUES ('n', 'the cause')");
    cluster.run_until_quiet();
    b.write("UPDATE note SET title='the effect'");
    cluster.disconnect(a, b);
    // B's entry alone reaches C; C asks B for what it depends on, and B is gone before it answers.
    cluster.network().config.delay_min = cluster.network().config.delay_max = 10ms;
    cluster.connect(b, c);
    cluster.run_for(14ms);  // C has B's Hello, and asks
    cluster.network().inject(c, b, SharedChange{b.store().self(), Seq{1}, entries_of(b).front()});
    cluster.run_for(14ms);
    CHECK(c.status().waiting.size() == 1);
    CHECK(c.count("note") == 0);
    cluster.disconnect(b, c);
    if (restart) c.restart();
    cluster.run_until_quiet();
    CHECK(c.count("note") == 0);
    cluster.let_meet(a, c);
    CHECK(c.text("SELECT title FROM note") == "'the cause'");
    cluster.let_meet(b, c);
    CHECK(c.text("SELECT title FROM note") == "'the effect'");
    cluster.connect(a, b);
    cluster.run_until_quiet();
    cluster.expect_converged();
  }
}

TEST_CASE("[N1] A full outbox: what was dropped is fetched, and nothing waits for a time-out") {
  Pair p(5);
  p.cluster.network().config.outbox_max = 3 * limits::MiB;
  p.cluster.network().config.delay_min = p.cluster.network().config.delay_max = 200ms;
  for (int i = 0; i < 40; ++i) {
    p.a.write("INSERT INTO note(id, body) VALUES (?, ?)", numbered("n", i), noise(100 * limits::KiB, static_cast<std::uint64_t>(i)));
    p.a.write("INSERT INTO file(id, path) VALUES (?, ?)", Blob{numbered("f", i)}, Blob{noise(100 * limits::KiB, static_cast<std::uint64_t>(1000 + i))});
    p.cluster.run_for(2ms);
  }
  const MonoTime start = p.cluster.now();
  p.settle();
  MESSAGE("a full outbox is over after "
          << std::chrono::duration_cast<std::chrono::milliseconds>(p.cluster.now() - start).count() << " ms");
  p.cluster.expect_converged();
}

TEST_CASE("A full outbox: a pull whose pages were dropped is begun anew, not waited for") {
  Cluster cluster;
  cluster.network().config.outbox_max = 700 * limits::KiB;  // less than the credit of one pull
  SimNode& a = cluster.create("A");
  for (int i = 0; i < 30; ++i) a.write("INSERT INTO note(id, body) VALUES (?, ?)", numbered("n", i), noise(100 * limits::KiB, static_cast<std::uint64_t>(i)));
  SimNode& b = cluster.join("B");
  const MonoTime start = cluster.now();
  cluster.connect(a, b);
  cluster.run_for(20s);
  CHECK(b.count("note") == 30);
  cluster.expect_converged();
  CHECK(cluster.now() - start == 20s);
}

}  // namespace starling::sim
