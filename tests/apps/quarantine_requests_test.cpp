// What waits in quarantine, as the command line shows it: rows of tables that a newer version of the application wrote.
#include "apps/common/quarantine_requests.h"

#include <SQLiteCpp/Database.h>
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "core/base/value.h"
#include "tests/apps/temp_folder.h"

namespace starling::test {
namespace {

using nlohmann::json;
using namespace apps;

Bytes typed(std::initializer_list<ValueView> values) {
  ByteWriter w;
  for (const ValueView& v : values) write_value(w, v);
  return w.take();
}

std::string hex(const Bytes& bytes) { return "x'" + to_hex(bytes) + "'"; }

std::vector<Model> models() { return {Model::from_sql("CREATE TABLE note (id TEXT PRIMARY KEY NOT NULL, title TEXT NOT NULL)", Kind::shared)}; }

std::unique_ptr<Node> open(const std::filesystem::path& folder) {
  Config config;
  config.folder = folder;
  config.workspace = "test";
  config.start = Start::create;
  Expected<std::unique_ptr<Node>> node = Node::open(config, models());
  REQUIRE(node);
  return std::move(*node);
}

json ask(Expected<json> (*request)(const Node&, Arguments&), const Node& node, json arguments) {
  Arguments given(arguments);
  Expected<json> answer = request(node, given);
  return answer ? *answer : json{{"error", answer.error().what}};
}

}  // namespace

TEST_CASE("quarantine: what waits is listed and shown with its values, and what may be applied by now is") {
  TempFolder temp;
  const std::filesystem::path folder = temp / "node";
  open(folder).reset();
  {
    SQLite::Database db((folder / "starling.db").string(), SQLite::OPEN_READWRITE);
    const std::string head = "INSERT INTO sync_held(model, key, origin, hlc, seq, op, generation_origin, generation_hlc, fields, row, why) VALUES(";
    db.exec(head + "'memo', " + hex(typed({ValueView::text("m")})) + ", 1, 65536000, 1, 0, 1, 65536000, 2, " + hex(typed({ValueView::text("hello")})) +
            ", 'the model is not registered here')");
    db.exec(head + "'note', " + hex(typed({ValueView::text("n")})) + ", 1, 65536000, 1, 0, 1, 65536000, 2, " + hex(typed({ValueView::null()})) +
            ", 'as it came')");
    db.exec(head + "'note', " + hex(typed({ValueView::text("o")})) + ", 1, 65536000, 1, 0, 1, 65536000, 2, " + hex(typed({ValueView::text("good")})) +
            ", 'as it came')");
    db.exec("INSERT INTO sync_quarantine(model, key, origin, rev, why, deleted, row) VALUES('place', " + hex(typed({ValueView::text("p")})) +
            ", 1, 7, 'the model is not registered here', 0, " + hex(typed({ValueView::of(std::int64_t{5})})) + ")");
  }
  const std::unique_ptr<Node> node = open(folder);  // what can be applied is, at once
  const json list = ask(quarantine_list, *node, json::object());
  REQUIRE(list["quarantine"].size() == 3);
  CHECK(list["more"] == false);
  CHECK(list["kept"] == 0);
  CHECK(list["quarantine"][0]["model"] == "memo");
  CHECK(list["quarantine"][0]["key"] == json::array({"m"}));
  CHECK(list["quarantine"][0]["at_ms"] == 1000);
  CHECK(list["quarantine"][1]["why"].get<std::string>().find("note.title") != std::string::npos);
  CHECK(list["quarantine"][2]["id"] == "1.7");
  CHECK(list["quarantine"][2]["rev"] == 7);
  CHECK(ask(quarantine_list, *node, {{"limit", 1}})["more"] == true);

  const json memo = ask(quarantine_show, *node, {{"item", list["quarantine"][0]["id"]}});
  CHECK(memo["values"] == json::array({"hello"}));
  CHECK(memo["fields"] == json::array({nullptr}));
  const json note = ask(quarantine_show, *node, {{"item", list["quarantine"][1]["id"]}});
  CHECK(note["fields"] == json::array({"title"}));
  CHECK(ask(quarantine_show, *node, {{"item", "1.7"}})["values"] == json::array({5}));
  CHECK(ask(quarantine_show, *node, {{"item", "none"}})["error"] == "nothing of that id is in quarantine");

  json none = json::object();
  Arguments arguments(none);
  CHECK(*quarantine_retry(*node, arguments) == json{{"released", 0}, {"left", 3}});
  CHECK(node->reader()->query("SELECT id FROM note")->size() == 1);
}

}  // namespace starling::test
