// A query that a user typed: any value comes out, nothing is written, and it ends.
#include "apps/common/sql_query.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "models/models.h"
#include "tests/apps/temp_folder.h"

namespace starling::test {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

constexpr char kEndless[] = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";

struct Fixture {
  TempFolder temp;
  std::unique_ptr<Node> node = open();

  [[nodiscard]] std::unique_ptr<Node> open() const {
    Config config;
    config.folder = temp / "data";
    Expected<std::unique_ptr<Node>> opened = Node::open(config, models::built_in());
    REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().text()));
    return std::move(*opened);
  }
  [[nodiscard]] Expected<json> run(const std::string& query, const apps::ProgressFn& progress = {},
                                   const apps::SqlBounds& bounds = {}) const {
    return apps::run_sql(*node->reader(), query, progress, bounds);
  }
};

}  // namespace

TEST_CASE("sql: every kind of value, and bytes that are no text") {
  const Fixture f;
  const Expected<json> answer =
      f.run("SELECT NULL AS \"no\", 7, -1.5, 'text', x'00ff', CAST(x'636166e9' AS TEXT) AS odd");
  REQUIRE_MESSAGE(answer.has_value(), (answer ? "" : answer.error().text()));
  CHECK((*answer)["columns"] == json{"no", "7", "-1.5", "'text'", "x'00ff'", "odd"});
  CHECK((*answer)["rows"] == json{{nullptr, 7, -1.5, "text", {{"hex", "00ff"}}, {{"hex", "636166e9"}}}});
  CHECK((*answer)["more"] == false);
  CHECK(f.run("SELECT 1 WHERE 0")->at("rows").empty());
}

TEST_CASE("sql: a write is refused, whether its table is synchronised or ours or nobody's") {
  const Fixture f;
  for (const char* query : {"INSERT INTO tag(name, created_ms) VALUES('x', 0)", "DELETE FROM sync_conflict",
                            "CREATE TABLE mine(a)", "PRAGMA journal_mode = DELETE", "ATTACH 'x.db' AS x", "BEGIN"}) {
    CAPTURE(std::string(query));
    const Expected<json> answer = f.run(query);
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().code == Errc::forbidden);
    CHECK(answer.error().what.find("only reads") != std::string::npos);
    CHECK(answer.error().remedy.find("commands") != std::string::npos);
  }
  for (const char* query : {"", "SELECT 1; SELECT 2", "SELEC", "SELECT nothing FROM tag", "SELECT ?"}) {
    CAPTURE(std::string(query));
    const Expected<json> answer = f.run(query);
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().remedy != "");
  }
}

TEST_CASE("sql: an endless query ends: by the size of its answer, by time, or because nobody waits for it") {
  const Fixture f;
  apps::SqlBounds bounds;
  bounds.answer_bytes = 1000;
  const Expected<json> cut = f.run(kEndless, {}, bounds);
  REQUIRE(cut.has_value());
  CHECK((*cut)["more"] == true);
  CHECK((*cut)["rows"].dump().size() <= 1002);
  CHECK((*cut)["rows"].size() > 100);

  const std::string no_rows = std::string(kEndless) + " WHERE i < 0";
  bounds.time = 50ms;
  const Expected<json> late = f.run(no_rows, {}, bounds);
  REQUIRE_FALSE(late.has_value());
  CHECK(late.error().code == Errc::busy);

  int told = 0;
  const Expected<json> left = f.run(no_rows, [&told](const json& progress) {
    CHECK(progress["rows"] == 0);
    return ++told < 2;
  });
  CHECK_FALSE(left.has_value());
  CHECK(told == 2);
}

}  // namespace starling::test
