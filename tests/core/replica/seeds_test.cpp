#include "core/replica/seeds.h"

#include "core/replica/adoption.h"
#include "core/replica/quarantine_release.h"
#include "tests/core/replica/test_node.h"

namespace starling {
namespace {

constexpr const char* kFolder = "CREATE TABLE folder (id TEXT PRIMARY KEY NOT NULL, title TEXT, colour TEXT DEFAULT 'grey', place INTEGER)";

std::vector<Model> folders(const std::string& title = "Inbox") {
  return {Model::from_sql(kFolder, Kind::shared).seed("'inbox', '" + title + "', 'blue', 0").seed("'bin', 'Bin', 'grey', '1'")};
}

void seed(TestNode& node) {
  const Expected<void> created = create_seeds(*node.store, node.now.wall);
  REQUIRE_MESSAGE(created.has_value(), (created ? std::string() : created.error().text()));
  (void)node.step({ModelsReplaced{}});  // what was not pushed is told from here on
}

std::string shown(const TestNode& node) {
  return node.text("SELECT group_concat(id || ':' || title || ':' || ifnull(colour, '-') || ':' || place, ' ') FROM (SELECT * FROM folder ORDER BY id)");
}

void both_show(const TestNode& a, const TestNode& b, const std::string& what) {
  CHECK(shown(a) == what);
  CHECK(shown(b) == what);
  CHECK(a.vector() == b.vector());
  CHECK(a.store->digests().hash() == b.store->digests().hash());
}

}  // namespace

TEST_CASE("[N28] Seeds that both sides created are one row; edits of them merge by field, and none loses") {
  TestNode a(1, true, folders());
  TestNode b(2, false, folders());
  seed(a);
  seed(b);
  CHECK(shown(b) == "bin:Bin:grey:1 inbox:Inbox:blue:0");  // at once, before it has met anybody
  (void)a.step({a.write("UPDATE folder SET title='Eingang' WHERE id='inbox'")});
  (void)b.step({b.write("UPDATE folder SET colour='red' WHERE id='inbox'")});
  Exchange exchange(a, b);
  exchange.run();
  both_show(a, b, "bin:Bin:grey:1 inbox:Eingang:red:0");
  CHECK(a.number("SELECT count(*) FROM sync_conflict") == 0);
  CHECK(b.number("SELECT count(*) FROM sync_conflict") == 0);
  seed(a);
  seed(b);
  CHECK(a.own().seq == Seq{3});  // the seeds, the edit, the admission: they are told once
}

TEST_CASE("Seeds: what was deleted anywhere stays deleted, also on a device that creates it later") {
  TestNode a(1, true, folders());
  seed(a);
  (void)a.step({a.write("DELETE FROM folder WHERE id='bin'")});
  TestNode b(2, false, folders());
  seed(b);
  Exchange exchange(a, b);
  exchange.run();
  both_show(a, b, "inbox:Inbox:blue:0");
  exchange.run({}, {b.write("INSERT INTO folder VALUES ('bin', 'Mine', NULL, 5)")});  // by hand it may come back
  both_show(a, b, "bin:Mine:-:5 inbox:Inbox:blue:0");
}

TEST_CASE("Seeds: a device whose application declares none gets them, and may change them") {
  TestNode a(1, true, folders());
  seed(a);
  TestNode b(2, false, {Model::from_sql(kFolder, Kind::shared)});
  seed(b);
  Exchange exchange(a, b);
  exchange.run();
  both_show(a, b, "bin:Bin:grey:1 inbox:Inbox:blue:0");
  exchange.run({}, {b.write("UPDATE folder SET place=7 WHERE id='bin'")});
  both_show(a, b, "bin:Bin:grey:7 inbox:Inbox:blue:0");
}

TEST_CASE("Seeds: one that was refused here, and beaten since, is remembered as one: its tombstone stays") {
  TestNode a(1, true, {Model::from_sql("CREATE TABLE folder (id TEXT PRIMARY KEY NOT NULL, title TEXT)", Kind::shared).seed("'bin', NULL")});
  TestNode b(2, false, {Model::from_sql("CREATE TABLE folder (id TEXT PRIMARY KEY NOT NULL, title TEXT NOT NULL)", Kind::shared)});
  seed(a);
  Exchange exchange(a, b);
  exchange.run({a.write("DELETE FROM folder")});
  exchange.run({a.write("INSERT INTO folder VALUES ('bin', 'Mine')")});
  CHECK(b.number("SELECT count(*) FROM sync_held") == 3);
  (void)release_quarantine(*b.store, b.now.wall, Ended::wait);
  CHECK(b.number("SELECT count(*) FROM sync_held") == 0);
  CHECK(b.text("SELECT title FROM folder") == "Mine");
  CHECK(b.number("SELECT count(*) FROM sync_row WHERE seed=1") == 1);
}

TEST_CASE("Seeds: two versions of an application that declare different values agree on the greater") {
  TestNode a(1, true, folders("Inbox"));
  TestNode b(2, false, folders("In tray"));
  seed(a);
  seed(b);
  Exchange exchange(a, b);
  exchange.run();
  both_show(a, b, "bin:Bin:grey:1 inbox:In tray:blue:0");  // typed bytes: the longer text is the greater
}

TEST_CASE("Seeds: a row that stood in the table is the seed, and what differs in it is an edit") {
  TestNode a(1, true, folders());
  seed(a);
  (void)a.step({a.write("UPDATE folder SET colour='red' WHERE id='inbox'")});
  TestNode b(2, false, folders());
  b.store->begin(TransactionKind::apply);
  Statement(b.store->handle(), "INSERT INTO folder VALUES ('inbox', 'Post', 'blue', 0), ('own', 'Own', 'green', 9)").run();
  b.store->commit();
  seed(b);
  CHECK(*adopt_existing_rows(*b.store, b.now.wall) == 1);
  (void)b.step({ModelsReplaced{}});
  Exchange exchange(a, b);
  exchange.run();
  both_show(a, b, "bin:Bin:grey:1 inbox:Post:red:0 own:Own:green:9");
}

TEST_CASE("Seeds: one that is no row of its table is refused, with the reason, and nothing stays of it") {
  const auto refused = [](const std::string& values, Kind kind = Kind::shared) {
    TestNode node(1, true, {Model::from_sql(kFolder, kind)});
    std::vector<Model> models = {Model::from_sql(kFolder, kind).seed("'ok', 'x', 'y', 0").seed(values)};
    node.store->begin(TransactionKind::migration);
    const Expected<void> replaced = node.store->replace_models(models);
    if (!replaced) return replaced.error().what;
    node.store->commit();
    const Expected<void> created = create_seeds(*node.store, node.now.wall);
    CHECK(node.number("SELECT count(*) FROM folder") == 0);
    CHECK(node.number("SELECT count(*) FROM sync_row") == 0);
    return created ? std::string("created") : created.error().what;
  };
  CHECK(refused("'one', 'two'").find("3 columns") == std::string::npos);
  CHECK(refused("'one', 'two'").find("a declared seed is no row of this table") == 0);
  CHECK(refused("NULL, 'two', 'three', 4").find("a declared seed is no row of this table") == 0);
  CHECK(refused("'ok', 'two', 'three', 4").find("another seed has its key") != std::string::npos);
  CHECK(refused("'a', 'two', 'three', 4), ('b', 'two', 'three', 4").find("it is several rows") != std::string::npos);
  CHECK(refused("'a', 'two', 'three', 4", Kind::device_owned).find("only shared models have seeds") == 0);
}

}  // namespace starling
