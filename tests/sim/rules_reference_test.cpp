// UNIQUE and references among devices that meet in any order: what is shown, what is hidden, and what comes back.
#include <doctest/doctest.h>

#include "core/store/conflict_log.h"
#include "tests/sim/phrases.h"
#include "tests/sim/story.h"

namespace starling::sim {
namespace {

constexpr const char* kAccount = "INSERT INTO account VALUES (?, ?, 0)";
constexpr const char* kTask = "INSERT INTO task VALUES (?, ?, ?, 0)";

struct Trio {
  Cluster cluster;
  SimNode& a;
  SimNode& b;
  SimNode& c;

  explicit Trio(std::uint64_t seed = 1)
      : cluster(seed), a(cluster.create("A")), b(cluster.join("B")), c(cluster.join("C")) {
    cluster.connect_all();
    cluster.run_until_quiet();
  }
  void part() { everybody_parts(cluster); }
  void want_one_address() {  // without knowing of each other; B is the later
    part();
    a.write(kAccount, "a", "x");
    cluster.run_for(5ms);
    b.write(kAccount, "b", "x");
  }
  void meet(std::uint64_t order) {
    const std::pair<SimNode*, SimNode*> pairs[] = {{&a, &b}, {&b, &c}, {&a, &c}};
    for (std::uint64_t i = 0; i < 3; ++i)
      cluster.let_meet(*pairs[(i + order) % 3].first, *pairs[(i + order) % 3].second);
  }
};

std::string shown(const SimNode& node, const std::string& table, const std::string& column) {
  std::string text;
  const Rows rows = node.query("SELECT id, " + column + " FROM " + table + " ORDER BY id");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    ByteWriter value;
    write_value(value, sql_arg(rows.rows[i][1]));
    text += (text.empty() ? "" : " ") + rows.text(i, 0) + "=" + describe_values(value.bytes());
  }
  return text;
}

void expect(Trio& t, const std::string& table, const std::string& column, const std::string& rows) {
  for (const SimNode* node : {&t.a, &t.b, &t.c}) CHECK(shown(*node, table, column) == rows);
  t.cluster.expect_converged();
}

}  // namespace

TEST_CASE(
    "[F41] Trio insert one UNIQUE value: the last stamp stands on all, in any order; the others wait, and are told "
    "of") {
  for (std::uint64_t order = 0; order < 3; ++order) {
    CAPTURE(order);
    Trio t(order + 1);
    t.want_one_address();
    t.cluster.run_for(5ms);
    t.c.write(kAccount, "c", "x");
    t.meet(order);
    expect(t, "account", "address", "c='x'");
    for (const SimNode* node : {&t.a, &t.b, &t.c}) {
      CHECK(node->status().hidden == 2);
      CHECK(node->count("sync_conflict WHERE why='unique' AND field='address'") >= 1);
      CHECK(node->count("sync_hidden WHERE why='UNIQUE (address): account (''c'') is later'") == 2);
    }
    t.a.write(
        "UPDATE account SET address='y' WHERE id='c'");  // the next comes back, and the change of one that waits counts
    t.cluster.run_until_quiet();
    expect(t, "account", "address", "b='x' c='y'");
    t.b.write("DELETE FROM account WHERE id='b'");
    t.cluster.run_until_quiet();
    expect(t, "account", "address", "a='x' c='y'");
    for (const SimNode* node : {&t.a, &t.b, &t.c}) CHECK(node->status().hidden == 0);
  }
}

TEST_CASE("[F41] 5 and 5.0 are one value of an index, '5' is another, NULLs are many: as SQLite has it") {
  Trio t;
  t.part();
  t.a.write("INSERT INTO account VALUES ('a', 5, 0), ('n', NULL, 0)");
  t.cluster.run_for(5ms);
  t.b.write("INSERT INTO account VALUES ('b', 5.0, 0), ('m', NULL, 0), ('s', '5', 0)");
  t.meet(0);
  expect(t, "account", "address", "b=5.0 m=NULL n=NULL s='5'");
}

TEST_CASE(
    "[F41] A row that waits is inserted anew by one who does not see it, and edited by one who has not heard: nothing "
    "is lost silently") {
  Trio t;
  t.want_one_address();
  t.meet(0);
  t.part();
  t.c.write("INSERT INTO account VALUES ('a', 'z', 7)");  // its own 'a', for it sees none
  CHECK(t.c.count("sync_conflict WHERE why='insert' AND field='address'") == 1);
  t.meet(1);
  expect(t, "account", "address", "a='z' b='x'");
}

TEST_CASE("[F41] Newcomers, by log and by snapshot, hide what the others hide") {
  Trio t;
  t.want_one_address();
  t.b.write(kTask, "t", std::monostate{}, "b");
  t.meet(0);
  t.cluster.run_for(1min);  // the log is dropped: whoever joins takes a snapshot
  SimNode& d = t.cluster.join("D");
  t.cluster.let_meet(d, t.c);
  CHECK(shown(d, "account", "address") == "b='x'");
  CHECK(d.status().hidden == 1);
  d.write("DELETE FROM account WHERE id='b'");
  t.cluster.run_until_quiet();
  CHECK(shown(d, "account", "address") == "a='x'");
  expect(t, "account", "address", "a='x'");
}

TEST_CASE(
    "[F40][N17] A child whose parent was deleted elsewhere: cascade hides it and what is below it, until it is moved") {
  for (std::uint64_t order = 0; order < 3; ++order) {
    CAPTURE(order);
    Trio t(order + 1);
    t.a.write("INSERT INTO task VALUES ('p', NULL, NULL, 0), ('q', NULL, NULL, 0)");
    t.cluster.run_until_quiet();
    t.part();
    t.a.write("DELETE FROM task WHERE id='p'");
    t.b.write("INSERT INTO task VALUES ('child', 'p', NULL, 0), ('grandchild', 'child', NULL, 0)");
    t.meet(order);
    expect(t, "task", "parent", "q=NULL");
    for (const SimNode* node : {&t.a, &t.b, &t.c}) CHECK(node->status().hidden == 2);
    t.c.write(kTask, "p", std::monostate{}, std::monostate{});  // its parent is there again
    t.cluster.run_until_quiet();
    expect(t, "task", "parent", "child='p' grandchild='child' p=NULL q=NULL");
    for (const SimNode* node : {&t.a, &t.b, &t.c}) CHECK(node->status().hidden == 0);
  }
}

TEST_CASE("[F40] A reference of set_null shows NULL while its parent is not there, and keeps its value") {
  Trio t;
  t.a.write(kAccount, "p", "x");
  t.a.write(kTask, "t", std::monostate{}, std::monostate{});
  t.cluster.run_until_quiet();
  t.part();
  t.a.write("DELETE FROM account WHERE id='p'");
  t.b.write("UPDATE task SET account='p' WHERE id='t'");
  t.meet(0);
  expect(t, "task", "account", "t=NULL");
  for (const SimNode* node : {&t.a, &t.b, &t.c}) CHECK(node->status().nulled == 1);
  t.c.write("UPDATE task SET done=1");  // an edit of another column leaves it
  t.cluster.run_until_quiet();
  t.c.write(kAccount, "p", "y");
  t.cluster.run_until_quiet();
  expect(t, "task", "account", "t='p'");
  for (const SimNode* node : {&t.a, &t.b, &t.c}) CHECK(node->status().nulled == 0);
}

TEST_CASE(
    "[F40] Two moves that make a circle: no parent is missing, so all of it is shown, and it goes with what it hangs "
    "on") {
  Trio t;
  t.a.write("INSERT INTO task VALUES ('r', NULL, NULL, 0), ('x', 'r', NULL, 0), ('y', 'r', NULL, 0)");
  t.cluster.run_until_quiet();
  t.part();
  t.a.write("UPDATE task SET parent='y' WHERE id='x'");
  t.b.write("UPDATE task SET parent='x' WHERE id='y'");
  t.meet(2);
  expect(t, "task", "parent", "r=NULL x='y' y='x'");
  t.c.write("DELETE FROM task WHERE id='x'");  // SQLite takes the circle
  t.cluster.run_until_quiet();
  expect(t, "task", "parent", "r=NULL");
}

TEST_CASE("[F40][F41] A parent that loses its UNIQUE value takes what refers to it along, and brings it back") {
  Trio t;
  t.part();
  t.a.write(kAccount, "p", "x");
  t.a.write(kTask, "t", std::monostate{}, "p");
  t.cluster.run_for(5ms);
  t.b.write(kAccount, "q", "x");
  t.meet(0);
  expect(t, "task", "account", "t=NULL");
  t.b.write("UPDATE account SET address='free' WHERE id='q'");
  t.cluster.run_until_quiet();
  expect(t, "task", "account", "t='p'");
}

TEST_CASE("[F40] What is kept while its parent is gone stays on all, and dangles there; it is not hidden") {
  Trio t;
  t.a.write("INSERT INTO note(id) VALUES ('n')");
  t.a.write("INSERT INTO label(id) VALUES ('l')");
  t.cluster.run_until_quiet();
  t.part();
  t.a.write("DELETE FROM label WHERE id='l'");
  t.b.write("INSERT INTO note_label VALUES ('n', 'l', 1)");
  t.meet(0);
  for (const SimNode* node : {&t.a, &t.b, &t.c}) {
    CHECK(node->count("note_label") == 1);
    CHECK(node->query("PRAGMA foreign_key_check").size() == 1);
    CHECK(node->status().hidden + node->status().nulled == 0);
  }
  t.cluster.expect_converged();
}

TEST_CASE("[F41] A local write meets SQLite's own refusal for what is shown, and none for what waits") {
  Trio t;
  t.want_one_address();
  t.meet(0);
  const Expected<LocalCommit> refused = t.c.try_write(kAccount, "c", "x");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::constraint);
  t.c.write(
      [](Transaction& tx) -> Expected<void> {  // in one transaction: the winner goes, the row that waited comes back
        const auto done = tx.exec("DELETE FROM account WHERE id='b'");
        return done ? Expected<void>() : Expected<void>(done.error());
      });
  CHECK(shown(t.c, "account", "address") == "a='x'");
  t.cluster.run_until_quiet();
  expect(t, "account", "address", "a='x'");
}

}  // namespace starling::sim
