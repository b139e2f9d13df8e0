#include "core/replica/adoption.h"

#include <SQLiteCpp/Exception.h>

#include "tests/core/replica/test_node.h"

namespace starling {
namespace {

void behind_the_engine(TestNode& node, const std::string& sql) {
  node.store->begin(TransactionKind::apply);
  Statement(node.store->handle(), sql).run();
  node.store->commit();
}

std::vector<Model> numbered_model() {
  Model model = Model::from_sql("CREATE TABLE place (shelf TEXT NOT NULL, number INTEGER NOT NULL, what, PRIMARY KEY (shelf, number))",
                                Kind::shared);
  model.unique_integers = true;
  return {model};
}

}  // namespace

TEST_CASE("[T5] Adoption: rows that stood in a table become ordinary inserts of this device, once") {
  TestNode node(1);
  behind_the_engine(node, "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n WHERE i<4500)"
                          " INSERT INTO note(id, title) SELECT printf('%05d', i), 'old' FROM n");
  behind_the_engine(node, "INSERT INTO file(id, path) VALUES (x'01', 'old'), (x'02', 'old')");
  const Expected<std::uint64_t> adopted = adopt_existing_rows(*node.store, node.now.wall);
  REQUIRE(adopted);
  CHECK(*adopted == 4502);
  CHECK(node.own().rev == Rev{2});
  CHECK(node.own().seq == Seq{3});  // in bounded transactions
  CHECK(*adopt_existing_rows(*node.store, node.now.wall) == 0);
  CHECK(node.own().seq == Seq{3});
  (void)node.write("UPDATE note SET title='new' WHERE id='00007'");
  TestNode peer(2, false);
  Exchange exchange(node, peer);
  CHECK(peer.number("SELECT count(*) FROM note") == 4500);
  CHECK(peer.text("SELECT title FROM note WHERE id='00007'") == "new");
}

TEST_CASE("Adoption tells how far it has come, after each of its transactions") {
  TestNode node(1);
  behind_the_engine(node, "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n WHERE i<4500)"
                          " INSERT INTO note(id) SELECT printf('%05d', i) FROM n");
  std::string told;
  const auto tell = [&](const Adoption& a) { told += a.table + " " + std::to_string(a.rows) + "/" + std::to_string(a.total) + "; "; };
  CHECK(*adopt_existing_rows(*node.store, node.now.wall, tell) == 4500);
  CHECK(told == "note 2000/4500; note 4000/4500; note 4500/4500; ");
}

TEST_CASE("Adoption: rows with a version are left alone, so one that was interrupted goes on") {
  TestNode node(1);
  (void)node.write("INSERT INTO note(id) VALUES ('known')");
  behind_the_engine(node, "INSERT INTO note(id) VALUES ('a'), ('z')");
  CHECK(*adopt_existing_rows(*node.store, node.now.wall) == 2);
  CHECK(node.number("SELECT count(*) FROM sync_row") == 3);
}

TEST_CASE("Adoption: one that fails half-way leaves no transaction open, and nothing of what it had begun") {
  TestNode node(1);
  behind_the_engine(node, "INSERT INTO note(id) VALUES ('a')");
  behind_the_engine(node, "ALTER TABLE sync_log RENAME TO elsewhere");  // the last that an adoption writes to
  CHECK_THROWS_AS(adopt_existing_rows(*node.store, node.now.wall), SQLite::Exception);
  CHECK_FALSE(node.store->in_transaction());
  CHECK(node.number("SELECT count(*) FROM sync_row") == 0);
  behind_the_engine(node, "ALTER TABLE elsewhere RENAME TO sync_log");
  CHECK(*adopt_existing_rows(*node.store, node.now.wall) == 1);
}

TEST_CASE("Adoption: takes every key that a write takes") {
  TestNode node(1, true, numbered_model());
  (void)node.write("INSERT INTO place VALUES ('A', 1, 'written')");
  behind_the_engine(node, "INSERT INTO place VALUES ('A', 2, 'found')");
  const Expected<std::uint64_t> adopted = adopt_existing_rows(*node.store, node.now.wall);
  REQUIRE_MESSAGE(adopted.has_value(), (adopted ? std::string() : adopted.error().text()));
  CHECK(*adopted == 1);
}

TEST_CASE("Adoption: small rows and a large one within the limits are never put into one transaction beyond them") {
  TestNode node(1);
  behind_the_engine(node, "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n WHERE i<9)"
                          " INSERT INTO note(id, title) SELECT printf('a%05d', i), zeroblob(100000) FROM n");
  behind_the_engine(node, "INSERT INTO note(id, title, body) VALUES ('b', zeroblob(1900000), zeroblob(1000000))");
  const Expected<std::uint64_t> adopted = adopt_existing_rows(*node.store, node.now.wall);
  REQUIRE_MESSAGE(adopted.has_value(), (adopted ? std::string() : adopted.error().text()));
  CHECK(*adopted == 10);
}

}  // namespace starling
