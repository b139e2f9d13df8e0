#include "core/replica/transaction.h"

#include "tests/core/replica/test_node.h"

namespace starling {
namespace {

// Runs `fn` as a write that must succeed.
LocalCommit run(TestNode& node, const std::function<void(Transaction&)>& fn) {
  Expected<LocalCommit> commit = node.transactions.write(WriteScope::any, [&](Transaction& t) -> Expected<void> {
    fn(t);
    return {};
  }, node.now.wall);
  REQUIRE(commit);
  return std::move(*commit);
}

}  // namespace

TEST_CASE("Transaction: arguments are bound in order and as what they are") {
  TestNode node(1);
  run(node, [](Transaction& t) {
    const Blob blob{Bytes("\0x", 2)};
    CHECK(*t.exec("INSERT INTO note VALUES (?, ?, ?, ?)", "n", blob, nullptr, 7) == 1);
    const Expected<Rows> rows = t.query("SELECT id, title, body, stars, 0.5 FROM note WHERE id=?", std::string("n"));
    REQUIRE(rows);
    CHECK(rows->columns == std::vector<std::string>{"id", "title", "body", "stars", "0.5"});
    REQUIRE(rows->size() == 1);
    const std::vector<SqlValue> expected{std::string("n"), blob, std::monostate{}, std::int64_t{7}, 0.5};
    CHECK((rows->rows[0] == expected));
  });
}

TEST_CASE("Transaction: too few or too many arguments are an error, and bind nothing") {
  TestNode node(1);
  run(node, [](Transaction& t) {
    for (int i = 0; i < 2; ++i) {
      const auto few = t.exec("INSERT INTO note(id, title) VALUES (?, ?)", "n");
      REQUIRE_FALSE(few);
      CHECK(few.error().code == Errc::invalid_argument);
      CHECK_FALSE(t.exec("INSERT INTO note(id, title) VALUES (?, ?)", "n", 1, 2));
      CHECK_FALSE(t.query("SELECT 1", 1));
    }
    CHECK(*t.exec("INSERT INTO note(id, title) VALUES (?, ?)", "n", 1) == 1);
  });
  CHECK(node.text("SELECT title FROM note") == "1");
}

TEST_CASE("Transaction: one call is one statement; a comment behind it is none") {
  TestNode node(1);
  run(node, [](Transaction& t) {
    for (const char* none : {"", "   ", ";", "-- only a comment"}) {
      const auto refused = t.exec(none);
      REQUIRE_FALSE(refused);
      CHECK(refused.error().code == Errc::invalid_argument);
    }
    CHECK_FALSE(t.exec("INSERT INTO note(id) VALUES ('a'); INSERT INTO note(id) VALUES ('b')"));
    CHECK(t.exec("INSERT INTO note(id) VALUES ('c');"));
    CHECK(t.exec("INSERT INTO note(id) VALUES ('d'); -- and a comment"));
    CHECK(t.exec("INSERT INTO note(id) VALUES ('e') /* and another */ ; \n"));
  });
  CHECK(node.text("SELECT group_concat(id, '') FROM note") == "cde");
}

TEST_CASE("Transaction: what SQLite refuses undoes that statement alone, and says which") {
  TestNode node(1);
  const LocalCommit commit = run(node, [](Transaction& t) {
    CHECK(t.exec("INSERT INTO note(id, stars) VALUES ('a', 1)"));
    const auto half = t.exec("INSERT INTO note(id, stars) VALUES ('b', 1), ('a', 2)");
    REQUIRE_FALSE(half);
    CHECK(half.error().code == Errc::constraint);
    CHECK(half.error().where.find("INSERT INTO note") != std::string::npos);
    CHECK_FALSE(t.exec("INSERT INTO nowhere VALUES (1)"));
    CHECK_FALSE(t.query("SELEC 1"));
  });
  CHECK(commit.rows == 1);  // 'b' was there for a moment
  CHECK(node.text("SELECT group_concat(id, '') FROM note") == "a");
}

TEST_CASE("Savepoint: undoes what followed unless it is released, and nests") {
  TestNode node(1);
  const LocalCommit commit = run(node, [](Transaction& t) {
    (void)t.exec("INSERT INTO note(id, stars) VALUES ('kept', 1)");
    {
      Savepoint outer = t.savepoint();
      (void)t.exec("UPDATE note SET stars=2");
      {
        const Savepoint inner = t.savepoint();
        (void)t.exec("DELETE FROM note");
      }
      CHECK(t.query("SELECT stars FROM note")->integer(0) == 2);
      {
        Savepoint inner = t.savepoint();
        (void)t.exec("INSERT INTO note(id) VALUES ('inner')");
        inner.release();
      }
      outer.release();
    }
    const Savepoint undone = t.savepoint();
    (void)t.exec("INSERT INTO note(id) VALUES ('undone')");
    Savepoint released_in_vain = t.savepoint();
    (void)t.exec("INSERT INTO file(id) VALUES (x'01')");
    released_in_vain.release();
  });
  CHECK(commit.rows == 2);
  CHECK(commit.rev_after == Rev{0});
  CHECK(node.text("SELECT group_concat(id || coalesce(stars, ''), ' ') FROM note") == "kept2 inner");
}

TEST_CASE("Transaction: what went through the bare connection is captured as well") {
  TestNode node(1);
  const LocalCommit commit = run(node, [](Transaction& t) {
    CHECK(sqlite3_exec(t.handle(), "INSERT INTO note(id) VALUES ('raw')", nullptr, nullptr, nullptr) == SQLITE_OK);
    CHECK(sqlite3_exec(t.handle(), "COMMIT", nullptr, nullptr, nullptr) != SQLITE_OK);
  });
  CHECK(commit.rows == 1);
  CHECK(commit.seq == Seq{1});
}

}  // namespace starling
