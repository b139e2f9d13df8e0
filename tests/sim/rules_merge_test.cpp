// Rules of merging: what becomes of one row that several devices change without knowing of each other.
#include <doctest/doctest.h>

#include "core/replica/migration.h"
#include "tests/sim/story.h"

namespace starling::sim {
namespace {

bool kept_as_conflict(const SimNode& node, const std::string& value) {
  return !node.query("SELECT 1 FROM sync_conflict WHERE instr(CAST(value AS TEXT), '" + value + "') > 0").empty();
}

std::vector<Model> notes(const char* columns) {
  return {Model::from_sql("CREATE TABLE note (id TEXT PRIMARY KEY NOT NULL, title" + std::string(columns) + ")", Kind::shared),
          Model::from_sql("CREATE TABLE file (id BLOB PRIMARY KEY NOT NULL, path BLOB)", Kind::device_owned)};
}

// The application is updated: its notes have a body from now on.
void give_notes_a_body(SimNode& node) {
  const std::vector<Model> models = notes(", body TEXT DEFAULT 'blank'");
  const auto ddl = [](Transaction& t) -> Expected<void> {
    const auto done = t.exec("ALTER TABLE note ADD COLUMN body TEXT DEFAULT 'blank'");
    return done ? Expected<void>() : Expected<void>(done.error());
  };
  REQUIRE(migrate(node.store(), ddl, models, node.wall()));
  node.replace_models(models);
  node.restart();
}

// A row that stood in the table before it was synchronised.
void adopt_note(SimNode& node, const std::string& id, const std::string& title) {
  adopt(node, {"INSERT INTO note(id, title) VALUES ('" + id + "', '" + title + "')"});
}

}  // namespace

TEST_CASE("[older-insert] A delete and a concurrent insert that is older than the row that the delete saw: the insert is"
          " dead, and it is said") {
  tell("older-insert", [](Cluster& cluster) {
    const Three t(cluster);
    t.b.set_clock_ahead(-1min);
    const LocalCommit older = insert_note(t.b, "a", "older");
    const LocalCommit newer = insert_note(t.a, "a", "newer");
    REQUIRE(older.hlc < newer.hlc);
    delete_note(t.a, "a");
    everybody_meets(cluster);
    CHECK(kept_as_conflict(t.a, "older"));
    CHECK(kept_as_conflict(t.b, "older"));
    return "";
  });
}

TEST_CASE("[newer-insert] A delete and a concurrent insert that is newer than the row that the delete saw: the insert stands") {
  tell("newer-insert", [](Cluster& cluster) {
    const Three t(cluster);
    t.a.set_clock_ahead(-1min);
    const LocalCommit older = insert_note(t.a, "a", "older");
    delete_note(t.a, "a");
    const LocalCommit newer = insert_note(t.b, "a", "newer");
    REQUIRE(older.hlc < newer.hlc);
    everybody_meets(cluster);
    return "note a=newer";
  });
}

TEST_CASE("[late-delete] A delete, stamped later than anything, of a row that another device has deleted and made again: the"
          " new row stands") {
  tell("late-delete", [](Cluster& cluster) {
    const Three t(cluster);
    insert_note(t.a, "a", "first life");
    everybody_meets(cluster);
    everybody_parts(cluster);
    delete_note(t.b, "a");
    const LocalCommit reborn = insert_note(t.b, "a", "second life");
    t.c.set_clock_ahead(1min);
    REQUIRE(delete_note(t.c, "a").hlc > reborn.hlc);
    everybody_meets(cluster);
    return "note a=second life";
  });
}

TEST_CASE("[R10] An insert by an application of before, without a field that others have: the field reads as its default,"
          " not as the row that the insert replaced") {
  tell("R10", [](Cluster& cluster) {
    SimNode& a = cluster.add("A", DeviceId{{1}}, true, notes(""));
    SimNode& b = cluster.add("B", DeviceId{{2}}, false, notes(""));
    cluster.let_meet(a, b);
    everybody_parts(cluster);
    give_notes_a_body(a);
    a.set_clock_ahead(-1min);
    a.write("INSERT INTO note VALUES ('n', 'complete', 'body'), ('m', 'complete', 'body')");
    a.write("UPDATE note SET body='another body' WHERE id='n'");
    insert_note(b, "n", "without a body");
    give_notes_a_body(b);
    everybody_meets(cluster);
    return "note m=complete/body, note n=without a body/blank";
  });
}

TEST_CASE("[R11] An update of a row's earlier life, however late its stamp: it changes nothing of the later life, and is"
          " kept as a conflict") {
  tell("R11", [](Cluster& cluster) {
    const Three t(cluster);
    insert_note(t.a, "n", "first life");
    everybody_meets(cluster);
    everybody_parts(cluster);
    t.b.set_clock_ahead(1min);
    const LocalCommit update = update_note(t.b, "n", "of the first life");
    delete_note(t.a, "n");
    REQUIRE(insert_note(t.a, "n", "second life").hlc < update.hlc);
    cluster.let_meet(t.b, t.c);  // C sees the update first, A last
    everybody_meets(cluster);
    for (const SimNode* node : {&t.a, &t.b, &t.c}) CHECK(kept_as_conflict(*node, "of the first life"));
    return "note n=second life";
  });
}

TEST_CASE("[R12] A row that two devices had before its table was synchronised: one of them stands whole, and edits of the"
          " other are kept as conflicts") {
  tell("R12", [](Cluster& cluster) {
    SimNode& a = cluster.create("A");
    SimNode& b = cluster.join("B");
    a.set_clock_ahead(-1min);
    adopt_note(a, "n", "as A had it");
    a.write("UPDATE note SET title='edited at A', body='added at A'");
    adopt_note(b, "n", "as B had it");
    everybody_meets(cluster);
    cluster.join("C");
    everybody_meets(cluster);
    CHECK(kept_as_conflict(b, "edited at A"));  // where it lost; A and C hear of B's row as of a later time
    return "note n=as B had it";
  });
}

}  // namespace starling::sim
