#include "core/replica/transaction_manager.h"

#include "core/store/capture.h"
#include "tests/core/replica/test_node.h"

namespace starling {
namespace {

Expected<LocalCommit> write(TestNode& node, const WriteFn& fn, WriteScope scope = WriteScope::any) {
  return node.transactions.write(scope, fn, node.now.wall);
}

// What a refused write must leave as it was.
struct Untouched {
  TestNode& node;
  VersionVector vector;
  Hlc clock;
  std::int64_t rows;

  explicit Untouched(TestNode& n) : node(n), vector(n.vector()), clock(n.store->clock().last()), rows(count(n)) {}
  static std::int64_t count(const TestNode& n) {
    return n.number("SELECT (SELECT count(*) FROM note) + (SELECT count(*) FROM file) + (SELECT count(*) FROM sync_row)"
                    " + (SELECT count(*) FROM sync_log) + (SELECT count(*) FROM sync_origin)");
  }
  ~Untouched() {
    CHECK(node.vector() == vector);
    CHECK(node.store->clock().last() == clock);
    CHECK(count(node) == rows);
    CHECK_FALSE(node.store->in_transaction());
    CHECK(sqlite3_get_autocommit(node.store->handle()) != 0);
    // And the next write takes the seq, rev and stamp that this one did not use.
    const Position before = node.own();
    const Committed next = node.write("INSERT INTO note(id) VALUES ('next " + std::to_string(before.seq.value) + "')");
    CHECK(next.commit->seq == before.seq.next());
  }
};

}  // namespace

TEST_CASE("TransactionManager: a commit of both classes takes one seq and a rev for each row") {
  TestNode node(1);
  const Expected<LocalCommit> commit = write(node, [](Transaction& t) -> Expected<void> {
    CHECK(*t.exec("INSERT INTO note VALUES ('n', 1, 2, 3), ('m', 1, 2, 3)") == 2);
    CHECK(*t.exec("INSERT INTO file VALUES (x'01', 'p', 1), (x'02', 'p', 1)") == 2);
    return {};
  });
  REQUIRE(commit);
  CHECK(commit->seq == Seq{1});
  CHECK(commit->rev_before == Rev{0});
  CHECK(commit->rev_after == Rev{2});
  CHECK(commit->rows == 4);
  CHECK(commit->entry == node.entry(1));
  CHECK_FALSE(commit->state_body.empty());
  CHECK(commit->changes.local);
  CHECK(commit->changes.rows.size() == 4);
  CHECK(node.own() == Position{Rev{2}, Seq{1}, commit->hlc});
}

TEST_CASE("TransactionManager: an error of the function rolls everything back") {
  TestNode node(1);
  const Untouched untouched(node);
  const Expected<LocalCommit> refused = write(node, [](Transaction& t) -> Expected<void> {
    (void)t.exec("INSERT INTO note(id) VALUES ('n')");
    (void)t.exec("INSERT INTO file(id) VALUES (x'01')");
    return Error{Errc::invalid_argument, "no", "", ""};
  });
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::invalid_argument);
}

TEST_CASE("TransactionManager: an exception of the function rolls everything back and goes on to the caller") {
  TestNode node(1);
  const Untouched untouched(node);
  CHECK_THROWS_AS((void)write(node, [](Transaction& t) -> Expected<void> {
    (void)t.exec("INSERT INTO note(id) VALUES ('n')");
    throw std::runtime_error("the application's own");
  }), std::runtime_error);
}

TEST_CASE("TransactionManager: the wrong class is refused in either direction") {
  TestNode node(1);
  for (const auto& [sql, scope] : {std::pair{"INSERT INTO note(id) VALUES ('n')", WriteScope::device_owned},
                                   std::pair{"INSERT INTO file(id) VALUES (x'01')", WriteScope::shared}}) {
    const Untouched untouched(node);
    const Expected<LocalCommit> refused = node.try_write(sql, scope);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::wrong_class);
    CHECK_FALSE(refused.error().remedy.empty());
  }
}

TEST_CASE("TransactionManager: statements that must not run inside a transaction are refused, the rest goes on") {
  TestNode node(1);
  for (const std::string sql : {"CREATE TABLE x (y)", "DROP TABLE note", "ALTER TABLE note ADD COLUMN z", "ATTACH ':memory:' AS x",
                          "COMMIT", "ROLLBACK", "BEGIN", "PRAGMA foreign_keys=OFF", "PRAGMA journal_mode=DELETE",
                          "DELETE FROM sync_log", "UPDATE sync_row SET rev=1", "SELECT load_extension('x')"}) {
    CAPTURE(sql);
    const Expected<LocalCommit> commit = write(node, [&](Transaction& t) -> Expected<void> {
      const auto refused = t.exec(sql);
      REQUIRE_FALSE(refused);
      CHECK(refused.error().code == Errc::forbidden);
      const auto done = t.exec("INSERT INTO note(id) VALUES (?)", sql);
      return done ? Expected<void>() : Expected<void>(done.error());
    });
    REQUIRE(commit);
    CHECK(commit->rows == 1);
  }
}

TEST_CASE("TransactionManager: a reference that is still broken at the end is the application's error, not the machine's") {
  TestNode node(1, true, {Model::from_sql("CREATE TABLE parent (id TEXT PRIMARY KEY NOT NULL)", Kind::shared),
                          Model::from_sql("CREATE TABLE child (id TEXT PRIMARY KEY NOT NULL, parent TEXT REFERENCES parent(id)"
                                          " DEFERRABLE INITIALLY DEFERRED)", Kind::shared)});
  const Expected<LocalCommit> refused = node.try_write("INSERT INTO child VALUES ('c', 'nobody')");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::constraint);
  CHECK(node.vector().empty());
  CHECK(node.number("SELECT count(*) FROM child") == 0);
  (void)node.write("INSERT INTO parent VALUES ('p')");
  (void)node.write("INSERT INTO child VALUES ('c', 'p')");
  CHECK(node.own().seq == Seq{2});
}

TEST_CASE("TransactionManager: what SQLite itself rolls back is an error, also if the function does not notice") {
  TestNode node(1);
  (void)node.write("INSERT INTO note(id) VALUES ('n')");
  const Untouched untouched(node);
  const Expected<LocalCommit> refused = write(node, [](Transaction& t) -> Expected<void> {
    (void)t.exec("INSERT INTO note(id) VALUES ('m')");
    CHECK_FALSE(t.exec("INSERT OR ROLLBACK INTO note(id) VALUES ('n')"));
    CHECK_FALSE(t.exec("INSERT INTO note(id) VALUES ('o')"));  // there is no transaction any more
    CHECK_FALSE(t.query("SELECT 1"));
    return {};
  });
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::constraint);
}

TEST_CASE("TransactionManager: a transaction within a transaction is a bug, and the outer one is rolled back") {
  TestNode node(1);
  const Untouched untouched(node);
  CHECK_THROWS_AS((void)write(node, [&](Transaction& t) -> Expected<void> {
    (void)t.exec("INSERT INTO note(id) VALUES ('n')");
    (void)node.try_write("INSERT INTO note(id) VALUES ('m')");
    return {};
  }), InvariantBroken);
}

TEST_CASE("TransactionManager: a key, value or transaction beyond the limits is refused as a whole") {
  TestNode node(1);
  for (const std::string sql : {"INSERT INTO note(id) VALUES (printf('%.*c', 2000, 'k'))",
                          "INSERT INTO note(id, title) VALUES ('n', zeroblob(2100000))",
                          "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n WHERE i<34)"
                          " INSERT INTO note(id, title) SELECT i, zeroblob(2000000) FROM n",
                          "INSERT INTO file(id, path, size) VALUES (x'01', zeroblob(2000000), zeroblob(2000000))"}) {
    CAPTURE(sql);
    const Untouched untouched(node);
    const Expected<LocalCommit> refused = node.try_write(sql);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::too_large);
  }
}

TEST_CASE("TransactionManager: a device-owned transaction may be larger than a page; then it is pulled, not pushed") {
  TestNode node(1);
  const Committed big = node.write("INSERT INTO file(id, path) SELECT CAST(value AS BLOB), zeroblob(1000000)"
                                   " FROM json_each('[\"a\",\"b\",\"c\",\"d\"]')");
  CHECK(big.commit->rev_after == Rev{4});
  CHECK(big.commit->state_body.empty());
  const Committed entry = node.write("INSERT INTO note(id, title) VALUES ('n', hex(zeroblob(200000)))");
  CHECK(entry.commit->entry.empty());
  CHECK(node.entry(1).size() > 400'000);
}

}  // namespace starling
