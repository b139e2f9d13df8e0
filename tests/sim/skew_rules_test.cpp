// Quarantine, versions of an application, and UNIQUE: what is hidden, kept or held of one row, together.
#include <doctest/doctest.h>

#include "core/store/row_store.h"
#include "tests/sim/phrases.h"

namespace starling::sim {
namespace {

constexpr char kAccount[] = "CREATE TABLE account (id TEXT PRIMARY KEY NOT NULL, address UNIQUE, plan";

std::vector<Model> old_models() { return {Model::from_sql(std::string(kAccount) + ")", Kind::shared)}; }
std::vector<Model> new_models() { return {Model::from_sql(std::string(kAccount) + ", color TEXT)", Kind::shared)}; }

struct Versions {
  Cluster cluster;
  SimNode& a = cluster.add("A", device_number(1), true, new_models());
  SimNode& b = cluster.add("B", device_number(2), false, old_models());

  void meet() {
    cluster.let_meet(a, b);
    cluster.disconnect(a, b);
  }
  void upgrade() { REQUIRE(b.migrate("ALTER TABLE account ADD COLUMN color TEXT", new_models())); }
};

std::string accounts(const SimNode& node, const std::string& column) {
  return node.text("SELECT group_concat(id || '=' || " + column + ", ' ') FROM (SELECT * FROM account ORDER BY id)");
}

void refuse(SimNode& node, const char* when) {
  node.execute_behind_the_engine(std::string("CREATE TRIGGER picky BEFORE INSERT ON account WHEN ") + when +
                                 " BEGIN SELECT RAISE(ABORT, 'not that one'); END");
  node.restart();
}

void take_anything(SimNode& node) {
  node.execute_behind_the_engine("DROP TRIGGER picky");
  node.restart();
}

}  // namespace

TEST_CASE("Versions: a field that one device does not know is kept of a row that is hidden, and there when it comes back") {
  Versions v;
  v.meet();
  v.a.write("INSERT INTO account VALUES ('old', 'x', 1, 'red')");
  v.cluster.run_for(1s);
  v.b.write("INSERT INTO account VALUES ('new', 'x', 2)");
  v.meet();
  CHECK(v.b.status().hidden == 1);
  CHECK(v.b.store().rows().kept_values() == 1);
  SUBCASE("it comes back, then the upgrade") {
    v.b.write("DELETE FROM account WHERE id='new'");
    v.meet();
    v.upgrade();
    CHECK(accounts(v.b, "color") == "'old=red'");
  }
  SUBCASE("the upgrade, then it comes back") {
    v.upgrade();
    CHECK(v.b.store().rows().kept_values() == 0);
    CHECK(v.b.status().hidden == 1);
    v.b.write("DELETE FROM account WHERE id='new'");
    CHECK(accounts(v.b, "color") == "'old=red'");
  }
  SUBCASE("another row of its key is inserted over it: what was kept of it goes") {
    v.b.write("INSERT INTO account VALUES ('old', 'y', 4)");
    CHECK(v.b.store().rows().kept_values() == 0);
    v.upgrade();
    v.meet();
    CHECK(v.a.text("SELECT color FROM account WHERE id='old'") == "NULL");
  }
  v.meet();
  v.cluster.connect_all();
  v.cluster.run_until_quiet();
  v.cluster.expect_converged();
}

TEST_CASE("A row that SQLite refuses, of a table with UNIQUE: it waits alone, and comes once it may") {
  Pair p;
  p.settle();
  refuse(p.b, "NEW.plan = 13");
  p.settle();
  p.a.write([](Transaction& t) -> Expected<void> {
    for (const char* sql : {"INSERT INTO account VALUES ('1', 'x', 1)", "INSERT INTO account VALUES ('2', 'y', 13)", "INSERT INTO account VALUES ('3', 'z', 3)"})
      if (const Expected<std::int64_t> done = t.exec(sql); !done) return done.error();
    return {};
  });
  p.a.write("UPDATE account SET plan=2 WHERE id='2'");
  p.settle();
  CHECK(accounts(p.b, "plan") == "'1=1 3=3'");
  CHECK(p.b.status().quarantined == 2);
  CHECK(p.b.status().waiting.empty());
  take_anything(p.b);
  p.settle();
  CHECK(accounts(p.b, "plan") == "'1=1 2=2 3=3'");
  p.cluster.expect_converged();
}

TEST_CASE("A change that would show a row that SQLite refuses waits, and nothing of it stands meanwhile") {
  Pair p;
  p.settle();
  p.cluster.disconnect(p.a, p.b);
  p.a.write("INSERT INTO account VALUES ('old', 'x', 13)");
  p.cluster.run_for(1s);
  p.b.write("INSERT INTO account VALUES ('new', 'x', 2)");
  p.cluster.let_meet(p.a, p.b);
  REQUIRE(p.b.status().hidden == 1);
  refuse(p.b, "NEW.plan = 13");
  p.a.write("DELETE FROM account WHERE id='new'");
  p.a.write("INSERT INTO account VALUES ('3', 'z', 3)");
  p.cluster.let_meet(p.a, p.b);
  CHECK(accounts(p.b, "plan") == "'3=3 new=2'");
  CHECK(p.b.status().quarantined == 1);
  CHECK(p.b.status().hidden == 1);
  CHECK(p.b.store().digests().rows() >= 3);
  take_anything(p.b);
  p.cluster.connect_all();
  p.cluster.run_until_quiet();
  CHECK(accounts(p.b, "plan") == "'3=3 old=13'");
  p.cluster.expect_converged();
}

TEST_CASE("Versions: a device that is put back, of an older version, writes its own rows and wipes nothing that it knew") {
  const auto models = [](const char* more) {
    return std::vector<Model>{Model::from_sql(std::string("CREATE TABLE file (id BLOB PRIMARY KEY NOT NULL, path") + more + ")", Kind::device_owned)};
  };
  Cluster cluster;
  SimNode& a = cluster.add("A", device_number(1), true, models(", hash"));
  SimNode& b = cluster.add("B", device_number(2), false, models(""));
  cluster.connect_all();
  cluster.run_until_quiet();
  const Disk::Image before = b.disk().image();
  REQUIRE(b.migrate("ALTER TABLE file ADD COLUMN hash", models(", hash")));
  b.write("INSERT INTO file VALUES (x'01', '/one', 'h1'), (x'02', '/two', 'h2')");
  cluster.run_until_quiet();
  b.put_in(before);
  b.replace_models(models(""));
  b.restart();
  cluster.run_until_quiet();
  CHECK(b.count("file") == 2);
  b.write("UPDATE file SET path='/moved' WHERE id=x'01'");
  cluster.run_until_quiet();
  CHECK(a.text("SELECT group_concat(path || hash, ' ') FROM (SELECT * FROM file ORDER BY id)") == "'/movedh1 /twoh2'");
  REQUIRE(b.migrate("ALTER TABLE file ADD COLUMN hash", models(", hash")));
  cluster.run_until_quiet();
  cluster.expect_converged();
}

}  // namespace starling::sim
