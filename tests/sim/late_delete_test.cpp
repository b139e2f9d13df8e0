// Deletes that come before, beside or after what they delete, by whatever way.
#include <doctest/doctest.h>

#include <array>

#include "core/store/peer_log.h"
#include "core/store/row_store.h"
#include "proto/state_page.h"
#include "tests/sim/phrases.h"

namespace starling::sim {
namespace {

Bytes entry_of(const SimNode& node, std::uint64_t seq) {
  return node.store().log().read(node.store().self_ordinal(), Seq{seq - 1}, 1).front();
}

}  // namespace

TEST_CASE("[T14] A delete comes before the row that it deletes: it waits for it, and the row is dead everywhere") {
  Cluster cluster;
  SimNode& a = cluster.create("A");
  SimNode& b = cluster.join("B");
  SimNode& c = cluster.join("C");
  cluster.let_meet(a, b);
  cluster.let_meet(a, c);
  cluster.disconnect(a, c);
  a.write("INSERT INTO note(id, title) VALUES ('n', 'soon dead')");
  cluster.run_until_quiet();
  b.write("DELETE FROM note");
  const Bytes tombstone = entry_of(b, b.vector().at(b.store().self()).seq.value);
  cluster.disconnect(a, b);
  cluster.network().config.delay_min = cluster.network().config.delay_max = 10ms;
  cluster.connect(b, c);
  cluster.run_for(14ms);
  const Seq seq = b.vector().at(b.store().self()).seq;
  cluster.network().inject(c, b, SharedChange{b.store().self(), seq, tombstone});
  cluster.run_for(14ms);
  CHECK(c.status().waiting.size() == 1);
  cluster.connect_all();
  cluster.run_until_quiet();
  for (const SimNode* node : {&a, &b, &c}) CHECK(node->count("note") == 0);
  cluster.expect_converged();
}

TEST_CASE("[T14] An owner's row that was made and deleted while a device was away: its tombstone comes without a row") {
  Pair p;
  p.part();
  p.a.write("INSERT INTO file VALUES (x'01', 'short-lived', 1, NULL)");
  p.a.write("INSERT INTO note(id) VALUES ('short-lived')");
  p.a.write("DELETE FROM file");
  p.a.write("DELETE FROM note");
  p.meet();
  CHECK(p.b.count("file") + p.b.count("note") == 0);
  p.cluster.expect_converged();
}

TEST_CASE("[N16] A duplicate of an insert or an update comes long after the delete: the row stays dead") {
  Pair p;
  p.a.write("INSERT INTO note(id, title) VALUES ('n', 'first')");
  const std::uint64_t first = p.a.vector().at(p.a.store().self()).seq.value;
  p.a.write("UPDATE note SET title='second'");
  p.a.write("INSERT INTO file VALUES (x'01', 'of A', 1, NULL)");
  const Rev rev = p.a.vector().at(p.a.store().self()).rev;
  StatePageWriter page(p.a.store().schema());
  p.a.store().rows().read_owned(p.a.store().self_ordinal(), Rev{rev.value - 1}, [&](const OwnedRow& row) {
    page.add({row.model, row.rev, false, row.key, row.values});
    return true;
  });
  const Bytes body = page.finish();
  const std::array late = {entry_of(p.a, first), entry_of(p.a, first + 1)};
  p.settle();
  p.b.write("DELETE FROM note");
  p.a.write("DELETE FROM file");
  p.settle();
  p.cluster.run_for(10min);
  for (std::size_t i = 0; i < late.size(); ++i) {
    p.cluster.network().inject(p.b, p.a, SharedChange{p.a.store().self(), Seq{first + i}, late[i]});
  }
  p.cluster.network().inject(p.b, p.a, StateChange{{p.a.store().self(), Rev{rev.value - 1}, rev, Rev{}, body}});
  p.settle();
  CHECK(p.b.count("note") + p.b.count("file") == 0);
  CHECK(p.b.status().duplicate_rows > 0);
  p.cluster.expect_converged();
}

TEST_CASE("[N16] An owner deletes and changes rows while one peer is cut off from it: that one hears of it from the other") {
  Chain chain;
  auto& [cluster, a, b, c] = chain;
  write_files(a, "f", 0, 20);
  write_notes(a, "n", 0, 20);
  cluster.run_until_quiet();
  cluster.disconnect(b, c);
  a.write("DELETE FROM file WHERE size<10");
  a.write("DELETE FROM note WHERE stars<10");
  a.write("UPDATE file SET size=-1 WHERE id=?", Blob{numbered("f", 15)});
  cluster.run_until_quiet();
  CHECK(c.count("file") == 20);
  a.kill();
  cluster.let_meet(b, c);
  CHECK(c.count("file") == 10);
  CHECK(c.count("note") == 10);
  CHECK(c.count("file WHERE size=-1") == 1);
  cluster.expect_converged();
}

}  // namespace starling::sim
