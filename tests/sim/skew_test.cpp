// Versions of an application side by side, and changes that end the process.
#include <doctest/doctest.h>

#include "core/store/held_changes.h"
#include "core/store/trial_mark.h"
#include "core/store/row_store.h"
#include "core/store/store.h"
#include "tests/sim/phrases.h"

namespace starling::sim {
namespace {

std::vector<Model> old_models() { return {Model::from_sql("CREATE TABLE note (id TEXT PRIMARY KEY NOT NULL, title)", Kind::shared)}; }
std::vector<Model> new_models() {
  return {Model::from_sql("CREATE TABLE note (id TEXT PRIMARY KEY NOT NULL, title, color TEXT)", Kind::shared),
          Model::from_sql("CREATE TABLE memo (id TEXT PRIMARY KEY NOT NULL, text)", Kind::shared)};
}

// Two devices of the new version and one of the old, which stands between them if they do not meet.
struct Versions {
  Cluster cluster;
  SimNode& a = cluster.add("A", device_number(1), true, new_models());
  SimNode& b = cluster.add("B", device_number(2), false, old_models());
  SimNode& c = cluster.add("C", device_number(3), false, new_models());

  void upgrade(SimNode& node) { REQUIRE(node.migrate("ALTER TABLE note ADD COLUMN color TEXT", new_models())); }
};

}  // namespace

TEST_CASE("[N20][N31] Versions: of concurrent edits of a field that one device does not know the later wins there, too") {
  Versions v;
  v.cluster.connect_all();
  v.cluster.run_until_quiet();
  v.a.write("INSERT INTO note VALUES ('n', 'title', 'first')");
  v.cluster.run_until_quiet();
  v.cluster.disconnect(v.a, v.c);
  v.cluster.disconnect(v.b, v.c);
  v.a.write("UPDATE note SET color='earlier'");
  v.cluster.run_for(2s);
  v.c.write("UPDATE note SET color='later'");
  v.cluster.connect_all();
  v.cluster.run_until_quiet();
  v.upgrade(v.b);
  v.cluster.run_until_quiet();
  for (SimNode* node : {&v.a, &v.b, &v.c}) CHECK(node->text("SELECT color FROM note") == "'later'");
  v.cluster.expect_converged();
}

TEST_CASE("[N20] Versions: A and C are new and meet only through B, who is old: nothing is lost, nor after its upgrade") {
  Versions v;
  v.cluster.connect(v.a, v.b);
  v.cluster.connect(v.b, v.c);
  v.cluster.run_until_quiet();
  v.a.write("INSERT INTO memo VALUES ('m', 'one')");
  v.a.write("INSERT INTO note VALUES ('n', 'title', 'blue')");
  v.cluster.run_until_quiet();
  v.c.write("UPDATE memo SET text='two'");
  v.b.write("UPDATE note SET title='of the old one'");
  v.cluster.run_until_quiet();
  for (SimNode* node : {&v.a, &v.c}) {
    CHECK(node->text("SELECT text FROM memo") == "'two'");
    CHECK(node->text("SELECT title || color FROM note") == "'of the old oneblue'");
  }
  CHECK(v.b.status().quarantined == 2);
  v.b.restart();
  v.cluster.run_until_quiet();
  CHECK(v.b.status().quarantined == 2);
  v.upgrade(v.b);
  v.cluster.run_until_quiet();
  CHECK(v.b.status().quarantined == 0);
  v.cluster.expect_converged();
}

TEST_CASE("Versions: a newcomer gets no snapshot of a device that holds something back, but of another one") {
  Versions v;
  v.cluster.connect(v.a, v.b);
  v.cluster.run_until_quiet();
  for (int i = 0; i < 10; ++i) v.a.write("INSERT INTO memo VALUES (?, 'text')", numbered("m", i));
  v.a.write("INSERT INTO note VALUES ('n', 'title', 'blue')");
  v.cluster.run_for(2min);  // all have it: the log is dropped
  REQUIRE(v.b.status().quarantined == 10);
  v.cluster.connect(v.b, v.c);
  v.cluster.run_for(2min);
  CHECK(v.c.count("memo") == 0);
  CHECK_FALSE(v.c.status().initial_sync_completed);
  v.cluster.connect(v.a, v.c);
  v.cluster.run_for(5min);
  v.cluster.run_until_quiet();
  CHECK(v.c.count("memo") == 10);
  v.upgrade(v.b);
  v.cluster.run_until_quiet();
  v.cluster.expect_converged();
}

TEST_CASE("Versions: an old device joins by a snapshot of a new one, and has all of it after its upgrade") {
  Versions v;
  v.cluster.connect(v.a, v.c);
  v.cluster.run_until_quiet();
  for (int i = 0; i < 10; ++i) v.a.write("INSERT INTO memo VALUES (?, 'text')", numbered("m", i));
  v.a.write("INSERT INTO note VALUES ('n', 'title', 'blue'), ('o', 'title', NULL)");
  v.a.write("UPDATE note SET color='green' WHERE id='o'");
  v.cluster.run_for(2min);
  v.cluster.connect(v.b, v.c);
  v.cluster.run_for(2min);
  v.cluster.run_until_quiet();
  CHECK(v.b.count("note") == 2);
  CHECK(v.b.status().quarantined >= 10);
  CHECK(v.b.status().initial_sync_completed);
  v.upgrade(v.b);
  v.cluster.run_until_quiet();
  CHECK(v.b.count("memo") == 10);
  CHECK(v.b.text("SELECT group_concat(color) FROM (SELECT * FROM note ORDER BY id)") == "'blue,green'");
  v.cluster.expect_converged();
}

TEST_CASE("A change that ends the process: what came with it is tried by itself, and the one that ends it again waits in quarantine from then on") {
  Pair p;
  p.settle();
  // What a life leaves behind that ended while it tried this.
  const auto ends_over = [&](const Trial& trial) {
    p.b.store().begin(TransactionKind::apply);
    p.b.store().trial().set(trial, 2);
    p.b.store().commit();
    p.b.restart();
    p.cluster.run_for(500ms);
  };
  p.b.kill();
  p.a.write("INSERT INTO note(id, title) VALUES ('1', 'one of them')");
  p.a.write("INSERT INTO note(id, title) VALUES ('2', 'harmless')");
  p.b.restart();
  ends_over({Tried::entry, p.a.store().self(), p.b.vector().at(p.a.store().self()).seq.next().value});
  CHECK(p.b.count("note") == 1);
  CHECK(p.b.vector() == p.a.vector());
  CHECK(p.b.text("SELECT why FROM sync_held") == "'" + std::string(kEndedTheProcess) + "'");
  ends_over({Tried::release, {}, 1});
  p.cluster.run_for(3h);
  CHECK(p.b.status().quarantined == 1);  // not by itself
  CHECK(p.b.text("SELECT why FROM sync_held") == "'" + std::string(kEndedAlone) + "'");
  p.b.retry_quarantine();
  CHECK(p.b.status().quarantined == 0);
  p.cluster.expect_converged();
}

TEST_CASE("What was tried when a power cut came, twice, comes out of quarantine by itself") {
  Pair p;
  p.settle();
  p.b.kill();
  p.a.write("INSERT INTO note(id, title) VALUES ('1', 'innocent')");
  p.b.restart();
  p.b.store().begin(TransactionKind::apply);
  p.b.store().trial().set({Tried::entry, p.a.store().self(), p.b.vector().at(p.a.store().self()).seq.next().value}, 2);
  p.b.store().commit();
  p.b.restart();
  p.cluster.run_for(10s);
  CHECK(p.b.count("note") == 1);
  CHECK(p.b.status().quarantined == 0);
  CHECK(p.b.text("SELECT count(*) FROM sync_meta WHERE name='trying'") == "0");
  p.cluster.expect_converged();
}

TEST_CASE("After a life that did not end well each change is marked while it is tried, and the mark is gone with it") {
  Pair p;
  p.settle();
  p.b.restart();
  REQUIRE(p.b.store().trial().careful());
  write_notes(p.a, "a", 0, 5);
  p.settle();
  CHECK(p.b.count("note") == 5);
  CHECK(p.b.text("SELECT count(*) FROM sync_meta WHERE name='trying'") == "0");
}

}  // namespace starling::sim
