#include "core/store/statement.h"

#include <SQLiteCpp/Exception.h>
#include <doctest/doctest.h>

#include <limits>

namespace starling {
namespace {

struct Memory {
  sqlite3* db = nullptr;
  Memory() { REQUIRE(sqlite3_open(":memory:", &db) == SQLITE_OK); }
  ~Memory() { sqlite3_close(db); }
};

}  // namespace

TEST_CASE("Statement: every value comes back as the type and bytes that went in") {
  const Memory memory;
  Statement select(memory.db, "SELECT ?");
  const ValueView values[] = {ValueView::null(), ValueView::of(std::int64_t{0}), ValueView::of(std::numeric_limits<std::int64_t>::min()),
                              ValueView::of(-0.0), ValueView::of(5.0), ValueView::text(""), ValueView::blob(""),
                              ValueView::text({"a\0b", 3}), ValueView::text("\xff"), ValueView::blob({"\0", 1})};
  for (const ValueView& v : values) {
    const ResetGuard guard(select);
    REQUIRE(select.value(v).step());
    ByteWriter in;
    ByteWriter out;
    write_value(in, v);
    write_value(out, select.column_value(0));
    CHECK(in.bytes() == out.bytes());
  }
}

TEST_CASE("Statement: parameters are bound in turn, and from the first again after each run") {
  const Memory memory;
  Statement(memory.db, "CREATE TABLE t (a, b, c)").run();
  Statement insert(memory.db, "INSERT INTO t VALUES (?, ?, ?)");
  ByteWriter two;
  write_value(two, ValueView::text("x"));
  write_value(two, ValueView::null());
  for (int i = 0; i < 3; ++i) insert.integer(i).values(two.bytes()).run();
  Statement count(memory.db, "SELECT count(*) FROM t WHERE b='x' AND c IS NULL");
  REQUIRE(count.step());
  CHECK(count.column_integer(0) == 3);
}

TEST_CASE("Statement: a failure throws, and leaves the statement ready for its next use") {
  const Memory memory;
  Statement(memory.db, "CREATE TABLE t (a UNIQUE, b)").run();
  Statement insert(memory.db, "INSERT INTO t VALUES (?, ?)");
  insert.integer(1).integer(2).run();
  CHECK_THROWS_AS(insert.integer(1).integer(3).run(), SQLite::Exception);
  CHECK_THROWS_AS(insert.integer(5).integer(6).integer(7), SQLite::Exception);  // there is no third
  insert.integer(2).integer(2).run();
  Statement sum(memory.db, "SELECT sum(a*10+b) FROM t");
  REQUIRE(sum.step());
  CHECK(sum.column_integer(0) == 12 + 22);
  CHECK_THROWS_AS(Statement(memory.db, "SELECT * FROM nowhere"), SQLite::Exception);
}

TEST_CASE("Statement: gives what follows the first statement, and nothing where there is none") {
  const Memory memory;
  std::string_view tail;
  const Statement first(memory.db, "SELECT 1; SELECT 2", &tail);
  CHECK(tail == " SELECT 2");
  const Statement none(memory.db, "  -- nothing", &tail);
  CHECK(none.handle() == nullptr);
}

}  // namespace starling
