// Two devices change one row without knowing of each other: one outcome, and nothing is lost in silence.
#include <doctest/doctest.h>

#include "tests/sim/phrases.h"

namespace starling::sim {
namespace {

// The conflicts that a node recorded, as "field why loser's value", in order.
std::string conflicts_of(const SimNode& node) {
  const Rows rows = node.query("SELECT coalesce(field, 'row'), why, value FROM sync_conflict ORDER BY id");
  std::string text;
  for (std::size_t i = 0; i < rows.size(); ++i)
    text += (text.empty() ? "" : "; ") + rows.text(i, 0) + " " + rows.text(i, 1) + " " + describe_values(rows.text(i, 2));
  return text;
}

// A note that both know, and both are apart.
struct Apart : Pair {
  Apart() {
    a.write("INSERT INTO note VALUES ('n', 'title', 'body', 1, 1.0)");
    settle();
    part();
  }
};

}  // namespace

TEST_CASE("[T9] A concurrent edit: the later stamp wins on both, the loser stands in sync_conflict on both") {
  Apart p;
  p.a.write("UPDATE note SET title='from A' WHERE id='n'");
  p.cluster.run_for(10ms);
  p.b.write("UPDATE note SET title='from B' WHERE id='n'");
  p.meet();
  for (SimNode* node : {&p.a, &p.b}) {
    CHECK(node->text("SELECT title FROM note") == "'from B'");
    CHECK(conflicts_of(*node) == "title update 'from A'");
    CHECK(node->query("SELECT 1 FROM sync_conflict WHERE winner_hlc > loser_hlc").size() == 1);
    CHECK(node->query("SELECT loser_device FROM sync_conflict").text(0) == p.a.device().view());
    CHECK(node->status().conflicts == 1);
  }
  p.cluster.expect_converged();
}

TEST_CASE("A concurrent edit of different fields: both stand, and there is no conflict") {
  Apart p;
  p.a.write("UPDATE note SET title='from A' WHERE id='n'");
  p.b.write("UPDATE note SET body='from B', stars=2 WHERE id='n'");
  p.meet();
  CHECK(p.a.text("SELECT title || ' ' || body || ' ' || stars FROM note") == "'from A from B 2'");
  CHECK(p.a.status().conflicts == 0);
  CHECK(p.b.status().conflicts == 0);
  p.cluster.expect_converged();
}

TEST_CASE("A concurrent edit to the same value is no conflict") {
  Apart p;
  p.a.write("UPDATE note SET title='same' WHERE id='n'");
  p.b.write("UPDATE note SET title='same' WHERE id='n'");
  p.meet();
  CHECK(p.a.status().conflicts + p.b.status().conflicts == 0);
  p.cluster.expect_converged();
}

TEST_CASE("An edit that follows another is no conflict") {
  Pair p;
  p.a.write("INSERT INTO note VALUES ('n', 'title', 'body', 1, 1.0)");
  p.settle();
  for (int i = 0; i < 5; ++i) {
    (i % 2 == 0 ? p.a : p.b).write("UPDATE note SET stars=stars+1");
    p.settle();
  }
  CHECK(p.a.text("SELECT stars FROM note") == "6");
  CHECK(p.a.status().conflicts + p.b.status().conflicts == 0);
  p.cluster.expect_converged();
}

TEST_CASE("[N8] A concurrent edit in the same millisecond: one of them wins on both") {
  Apart p;
  p.a.write("UPDATE note SET title='from A' WHERE id='n'");
  p.b.write("UPDATE note SET title='from B' WHERE id='n'");  // no time has passed: equal HLC, the origin decides
  p.meet();
  CHECK(p.a.query("SELECT 1 FROM sync_conflict WHERE winner_hlc = loser_hlc").size() == 1);
  CHECK(p.a.text("SELECT title FROM note") == "'from B'");
  CHECK(p.b.text("SELECT title FROM note") == "'from B'");
  p.cluster.expect_converged();
}

TEST_CASE("[T10] Update, then delete: the row is gone on both, in whatever pieces they arrive") {
  Apart p;
  p.a.write("UPDATE note SET title='changed' WHERE id='n'");
  p.a.write("DELETE FROM note WHERE id='n'");
  p.meet();
  CHECK(p.b.count("note") == 0);
  CHECK(p.a.status().conflicts + p.b.status().conflicts == 0);
  p.cluster.expect_converged();
}

TEST_CASE("[N16] Delete against a concurrent update: the delete wins on both, the update's value is kept") {
  Apart p;
  p.a.write("DELETE FROM note WHERE id='n'");
  p.cluster.run_for(10ms);
  p.b.write("UPDATE note SET title='too late' WHERE id='n'");
  p.meet();
  for (SimNode* node : {&p.a, &p.b}) {
    CHECK(node->count("note") == 0);
    CHECK(conflicts_of(*node) == "title delete 'too late'");
  }
  p.cluster.expect_converged();
}

TEST_CASE("Delete against a concurrent delete is no conflict") {
  Apart p;
  p.a.write("DELETE FROM note WHERE id='n'");
  p.b.write("DELETE FROM note WHERE id='n'");
  p.meet();
  CHECK(conflicts_of(p.a) == "");
  CHECK(conflicts_of(p.b) == "");
  p.cluster.expect_converged();
}

TEST_CASE("[N16] A row that is deleted and made again shows nothing of its earlier life") {
  Apart p;
  p.b.write("UPDATE note SET body='of the earlier life' WHERE id='n'");
  p.a.write("DELETE FROM note WHERE id='n'");
  p.cluster.run_for(10ms);
  p.a.write("INSERT INTO note(id, title) VALUES ('n', 'reborn')");
  p.meet();
  for (SimNode* node : {&p.a, &p.b}) {
    CHECK(node->text("SELECT title FROM note") == "'reborn'");
    CHECK(node->text("SELECT body FROM note") == "NULL");
  }
  p.cluster.expect_converged();
}

TEST_CASE("[N16] A row that is made again on the other device after it saw the delete stays") {
  Pair p;
  p.a.write("INSERT INTO note VALUES ('n', 'first', 'body', 1, 1.0)");
  p.settle();
  p.a.write("DELETE FROM note");
  p.settle();
  p.b.write("INSERT INTO note VALUES ('n', 'second', 'body', 1, 1.0)");
  p.settle();
  CHECK(p.a.text("SELECT title FROM note") == "'second'");
  p.cluster.expect_converged();
}

TEST_CASE("[N28] Two devices insert one key: the later row stands whole on both, the other's values are kept") {
  Pair p;
  p.part();
  p.a.write("INSERT INTO note VALUES ('n', 'from A', 'A', 1, 1.0)");
  p.cluster.run_for(10ms);
  p.b.write("INSERT INTO note VALUES ('n', 'from B', 'B', 1, 1.0)");
  p.meet();
  for (SimNode* node : {&p.a, &p.b}) {
    CHECK(node->text("SELECT title || body FROM note") == "'from BB'");
    CHECK(conflicts_of(*node) == "title insert 'from A'; body insert 'A'");
  }
  p.cluster.expect_converged();
}

TEST_CASE("[N15] An old change that arrives late does not undo a newer edit") {
  Cluster cluster;
  SimNode& a = cluster.create("A");
  SimNode& b = cluster.join("B");
  SimNode& c = cluster.join("C");
  a.write("INSERT INTO note VALUES ('n', 'title', 'body', 1, 1.0)");
  cluster.let_meet(a, b);
  cluster.let_meet(a, c);
  cluster.disconnect(a, b);
  cluster.disconnect(a, c);
  c.write("UPDATE note SET title='old' WHERE id='n'");
  cluster.run_for(1s);
  b.write("UPDATE note SET title='new' WHERE id='n'");
  cluster.let_meet(a, b);
  cluster.let_meet(a, c);
  CHECK(a.text("SELECT title FROM note") == "'new'");
  CHECK(c.text("SELECT title FROM note") == "'new'");
  cluster.expect_converged();
}

}  // namespace starling::sim
