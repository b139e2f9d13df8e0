// Rows that a device's SQLite refuses, wherever they come from: kept, told of, and in nobody else's way.
#include <doctest/doctest.h>

#include <array>

#include "core/store/held_changes.h"
#include "core/store/quarantine.h"
#include "core/store/row_store.h"
#include "tests/sim/phrases.h"
#include "tests/sim/story.h"

namespace starling::sim {
namespace {

const std::string kNote = "CREATE TABLE note (id TEXT PRIMARY KEY NOT NULL, title";
const char* const kNoBadInsert = "CREATE TRIGGER picky BEFORE INSERT ON note WHEN NEW.title='bad' BEGIN SELECT RAISE(ABORT, 'no'); END";

std::vector<Model> notes(const std::string& more = "") { return {Model::from_sql(kNote + more + ")", Kind::shared)}; }

struct Both {
  Cluster cluster;
  SimNode& a;
  SimNode& b;
  explicit Both(const std::vector<Model>& of_a = notes(), const std::vector<Model>& of_b = notes())
      : a(cluster.add("A", device_number(1), true, of_a)), b(cluster.add("B", device_number(2), false, of_b)) {
    cluster.connect_all();
    cluster.run_until_quiet();
  }
};

void behind_the_engine(SimNode& node, const std::string& sql) {
  node.execute_behind_the_engine(sql);
  REQUIRE(node.restart());
}

std::string ids(const SimNode& node, const std::string& table = "note") {
  return node.text("SELECT group_concat(id) FROM (SELECT id FROM " + table + " ORDER BY id)");
}

}  // namespace

TEST_CASE("A newcomer whose SQLite refuses a row of the snapshot joins all the same") {
  Both both;
  both.a.write("INSERT INTO note VALUES ('a', 'bad'), ('b', 'good')");
  both.cluster.run_for(2min);  // the log is forgotten
  SimNode& c = both.cluster.add("C", device_number(3), false, notes());
  behind_the_engine(c, kNoBadInsert);
  both.cluster.connect(both.a, c);
  both.cluster.run_for(5min);
  CHECK(c.status().initial_sync_completed);
  CHECK(ids(c) == "'b'");
  CHECK(c.store().held().count() == 1);
  CHECK(c.status().snapshots_taken == 1);
  behind_the_engine(c, "DROP TRIGGER picky");
  both.cluster.run_until_quiet();
  CHECK(ids(c) == "'a,b'");
  CHECK(c.store().held().count() == 0);
}

TEST_CASE("A delete that a snapshot brings and a trigger refuses waits by itself, and the snapshot ends") {
  Both both;
  SimNode& c = both.cluster.add("C", device_number(3), false, notes());
  both.cluster.connect_all();
  both.a.write("INSERT INTO note VALUES ('a', 'precious'), ('b', 'other')");
  both.cluster.run_for(1min);
  const Disk::Image before = image_of(both.b);
  both.a.write("DELETE FROM note WHERE id='a'");
  both.cluster.run_for(5min);
  put_back(both.b, before, Copy::by_backup);
  behind_the_engine(both.b, "CREATE TRIGGER picky BEFORE DELETE ON note WHEN OLD.title='precious' BEGIN SELECT RAISE(ABORT, 'no'); END");
  both.cluster.run_for(20min);
  both.a.write("INSERT INTO note VALUES ('c', 'later')");
  both.cluster.run_for(5min);
  CHECK_FALSE(both.b.status().merging);
  CHECK(ids(both.b) == "'a,b,c'");
  CHECK(both.b.store().held().count() == 1);
  CHECK(ids(c) == "'b,c'");
  behind_the_engine(both.b, "DROP TRIGGER picky");
  both.cluster.run_until_quiet();
  CHECK(ids(both.b) == "'b,c'");
}

TEST_CASE("A snapshot of a source that lacks a model sweeps what has died of it") {
  std::vector<Model> newer = notes();
  newer.push_back(Model::from_sql("CREATE TABLE memo (id TEXT PRIMARY KEY NOT NULL, text)", Kind::shared));
  Both both(newer, newer);
  both.a.write("INSERT INTO memo VALUES ('a', 'x')");
  both.a.write("INSERT INTO note VALUES ('n', 'x')");
  both.cluster.run_for(2min);
  const Disk::Image before = image_of(both.b);
  both.a.write("DELETE FROM memo WHERE id='a'");
  both.cluster.run_for(5min);
  SimNode& c = both.cluster.add("C", device_number(3), false, notes());
  both.cluster.let_meet(both.a, c);
  both.cluster.run_for(5min);
  both.a.kill();
  put_back(both.b, before, Copy::by_backup);
  both.cluster.let_meet(both.b, c);
  both.cluster.run_for(10min);
  CHECK(both.b.count("memo") == 0);
  REQUIRE(both.a.restart());
  both.cluster.connect_all();
  both.cluster.run_for(30min);
  CHECK(both.a.count("memo") == 0);
  CHECK(both.b.count("memo") == 0);
}

TEST_CASE("A trigger that rolls everything back costs its own row alone, when it comes and when it is tried again") {
  Both both;
  behind_the_engine(both.b, "CREATE TRIGGER picky BEFORE INSERT ON note WHEN NEW.title='bad' BEGIN SELECT RAISE(ROLLBACK, 'no'); END");
  both.a.write("INSERT INTO note VALUES ('a', 'bad')");
  both.a.write("INSERT INTO note VALUES ('b', 'good')");
  both.cluster.run_for(1min);
  CHECK(ids(both.b) == "'b'");
  CHECK(both.b.store().held().count() == 1);
  both.cluster.run_for(5min);
  CHECK(both.b.alive());
  REQUIRE(both.b.restart());
  both.cluster.run_for(5min);
  CHECK(both.b.store().held().count() == 1);
  behind_the_engine(both.b, "DROP TRIGGER picky");
  both.cluster.run_until_quiet();
  CHECK(ids(both.b) == "'a,b'");
}

TEST_CASE("A kept value that SQLite refuses at the upgrade stays kept: no repair takes the default for the truth") {
  const std::vector<Model> newer = notes(", colour TEXT DEFAULT 'zzzzzz', size INTEGER");
  Both both(newer, notes());
  both.a.write("INSERT INTO note VALUES ('a', 't', 'blue', 7)");
  both.cluster.run_until_quiet();
  behind_the_engine(both.b, "CREATE TRIGGER picky BEFORE UPDATE ON note WHEN NEW.title='t' BEGIN SELECT RAISE(ABORT, 'no'); END");
  both.cluster.run_until_quiet();
  REQUIRE(both.b.migrate("ALTER TABLE note ADD COLUMN colour TEXT DEFAULT 'zzzzzz'; ALTER TABLE note ADD COLUMN size INTEGER", newer));
  both.cluster.run_for(30min);
  CHECK(both.a.text("SELECT colour FROM note") == "'blue'");
  CHECK(both.b.text("SELECT colour FROM note") == "'zzzzzz'");
  CHECK(both.b.store().rows().kept_values() == 2);
  behind_the_engine(both.b, "DROP TRIGGER picky");
  both.cluster.run_for(5min);
  CHECK(both.b.text("SELECT colour || size FROM note") == "'blue7'");
  CHECK(digest_of(both.a) == digest_of(both.b));
}

// Children whose parent was deleted on the other side while they were inserted: cascade hides them, until the rules change.
struct Orphans : Both {
  std::vector<Model> without_policy;
  explicit Orphans(const std::string& name, const std::vector<std::string>& children) : Orphans(models(name), children) {}

 private:
  static std::vector<Model> models(const std::string& name) {
    return {Model::from_sql("CREATE TABLE parent (id TEXT PRIMARY KEY NOT NULL)", Kind::shared),
            Model::from_sql("CREATE TABLE child (id TEXT PRIMARY KEY NOT NULL, parent TEXT REFERENCES parent(id), " + name + ")", Kind::shared)};
  }
  static std::vector<Model> cascading(std::vector<Model> models) {
    models[1] = models[1].on_dangling("parent", Dangling::cascade);
    return models;
  }
  Orphans(const std::vector<Model>& models, const std::vector<std::string>& children)
      : Both(cascading(models), cascading(models)), without_policy(models) {
    a.write("INSERT INTO parent VALUES ('p')");
    cluster.run_until_quiet();
    cluster.disconnect(a, b);
    for (const std::string& values : children) a.write("INSERT INTO child VALUES (" + values + ")");
    cluster.run_for(1s);
    b.write("DELETE FROM parent");
    cluster.connect(a, b);
    cluster.run_until_quiet();
    CHECK(a.count("child") + b.count("child") == 0);
    CHECK(b.count("sync_hidden") == static_cast<std::int64_t>(children.size()));
  }
};

TEST_CASE("Rules that change bring a row to light that SQLite refuses: it stays hidden with the reason, and the database opens") {
  Orphans both("name TEXT UNIQUE", {"'c', 'p', 'bad'", "'d', 'p', 'good'"});
  both.b.execute_behind_the_engine("CREATE TRIGGER picky BEFORE INSERT ON child WHEN NEW.name='bad' BEGIN SELECT RAISE(ABORT, 'no'); END");
  both.b.replace_models(both.without_policy);
  REQUIRE(both.b.restart());
  CHECK(ids(both.b, "child") == "'d'");
  CHECK(both.b.text("SELECT why FROM sync_hidden").find("'SQLite refuses it") == 0);
}

TEST_CASE("A declaration that names no policy any more shows what cascade had hidden") {
  Orphans both("name TEXT", {"'c', 'p', 'precious'"});
  for (SimNode* node : {&both.a, &both.b}) {
    node->replace_models(both.without_policy);
    REQUIRE(node->restart());
  }
  both.cluster.run_for(10min);
  CHECK(ids(both.a, "child") == "'c'");
  CHECK(ids(both.b, "child") == "'c'");
  CHECK(both.b.text("SELECT name FROM child") == "'precious'");
}

TEST_CASE("A local write that would bring a row to light that a trigger refuses is refused itself, with the reason") {
  const std::vector<Model> models{Model::from_sql("CREATE TABLE child (id TEXT PRIMARY KEY NOT NULL, name TEXT UNIQUE, v)", Kind::shared)};
  Both both(models, models);
  both.cluster.disconnect(both.a, both.b);
  both.a.write("INSERT INTO child VALUES ('c', 'x', 13)");
  both.cluster.run_for(1s);
  both.b.write("INSERT INTO child VALUES ('d', 'x', 1)");
  both.cluster.connect(both.a, both.b);
  both.cluster.run_until_quiet();
  behind_the_engine(both.b, "CREATE TRIGGER picky BEFORE INSERT ON child WHEN NEW.v=13 BEGIN SELECT RAISE(ABORT, 'no'); END");
  const auto refused = both.b.try_write("DELETE FROM child WHERE id='d'");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::constraint);
  CHECK(ids(both.b, "child") == "'d'");
  CHECK(both.b.alive());
}

TEST_CASE("A table that grew while nobody had it open holds its defaults: what is written to them is told") {
  Both both;
  both.a.write("INSERT INTO note VALUES ('a', 't')");
  both.cluster.run_until_quiet();
  for (SimNode* node : {&both.a, &both.b}) {
    node->execute_behind_the_engine("ALTER TABLE note ADD COLUMN colour TEXT DEFAULT 'red'");
    node->replace_models(notes(", colour TEXT DEFAULT 'red'"));
    REQUIRE(node->restart());
  }
  both.cluster.run_until_quiet();
  both.a.write("UPDATE note SET colour=NULL");
  both.cluster.run_for(10min);
  for (const SimNode* node : {&both.a, &both.b}) CHECK(node->text("SELECT ifnull(colour, 'none') FROM note") == "'none'");
}

TEST_CASE("Of two owners of one key the loser is shown once the winner's row is gone and forgotten") {
  Cluster cluster(1);
  const Three t(cluster);
  put_file(t.a, "x", "of A");
  put_file(t.b, "x", "of B");
  everybody_meets(cluster);
  delete_file(t.a, "x");
  cluster.run_for(5min);
  cluster.run_until_quiet();
  SimNode& d = cluster.join("D");
  cluster.let_meet(t.a, d);
  everybody_meets(cluster);
  cluster.run_for(2h);
  for (const SimNode* node : std::array<const SimNode*, 4>{&t.a, &t.b, &t.c, &d}) {
    CAPTURE(node->name());
    CHECK(shown_by(*node) == shown_by(t.b));
    CHECK(node->status().quarantined == 0);
  }
}

}  // namespace starling::sim
