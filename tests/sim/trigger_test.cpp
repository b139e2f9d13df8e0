// Triggers of the application: they run where a change is written and where it is applied, and do the same in both places.
#include <doctest/doctest.h>

#include "tests/sim/phrases.h"

namespace starling::sim {
namespace {

struct WithTriggers : Pair {
  explicit WithTriggers(std::initializer_list<const char*> statements) {
    for (SimNode* node : {&a, &b}) {
      for (const char* sql : statements) node->execute_behind_the_engine(sql);
      node->restart();
    }
    settle();
  }
};

}  // namespace

TEST_CASE("A trigger on a table of its own: does on apply what it does on a write, conflict clauses included") {
  WithTriggers p({"CREATE TABLE word (word TEXT PRIMARY KEY, uses INTEGER DEFAULT 0)",
                  "CREATE TRIGGER words AFTER INSERT ON note BEGIN"
                  " INSERT OR IGNORE INTO word(word) VALUES (NEW.title);"
                  " UPDATE word SET uses=uses+1 WHERE word=NEW.title; END",
                  "CREATE TRIGGER owned AFTER INSERT ON file BEGIN INSERT OR REPLACE INTO word VALUES ('file', NEW.size); END"});
  for (int i = 0; i < 40; ++i) p.a.write("INSERT INTO note(id, title) VALUES (?, 'same')", numbered("n", i));
  write_notes(p.a, "many", 0, 40);
  write_files(p.a, "f", 0, 40);
  p.settle();
  for (SimNode* node : {&p.a, &p.b}) {
    CHECK(node->text("SELECT uses FROM word WHERE word='same'") == "40");
    CHECK(node->text("SELECT uses FROM word WHERE word='title'") == "40");
    CHECK(node->text("SELECT uses FROM word WHERE word='file'") == "39");
  }
  p.cluster.expect_converged();
}

TEST_CASE("A trigger on a synchronised table that asks starling_applying() runs once, where the change was written") {
  WithTriggers p({"CREATE TRIGGER labels AFTER INSERT ON note WHEN NOT starling_applying()"
                  " BEGIN INSERT INTO label(id) VALUES (NEW.id); END"});
  write_notes(p.a, "a", 0, 5);
  write_notes(p.b, "b", 0, 5);
  p.settle();
  CHECK(p.a.count("label") == 10);
  p.cluster.expect_converged();
}

TEST_CASE("A trigger on a synchronised table that does not ask: the row that it makes is nobody's, and may be written still") {
  WithTriggers p({"CREATE TRIGGER labels AFTER INSERT ON note BEGIN INSERT OR IGNORE INTO label(id) VALUES (NEW.id); END"});
  p.a.write("INSERT INTO note(id) VALUES ('n')");
  p.settle();
  p.part();
  p.b.write("DELETE FROM note");
  p.b.write("DELETE FROM label");
  p.a.write("DELETE FROM note");
  p.a.write("INSERT INTO note(id) VALUES ('n')");  // B's trigger will make the label that B has deleted
  p.meet();
  REQUIRE(p.b.count("label") == 1);
  p.b.write("UPDATE label SET title='written'");
  p.settle();
  CHECK(p.a.text("SELECT title FROM label") == "'written'");
  p.b.write("DELETE FROM label");
  p.settle();
  CHECK(p.a.count("label") == 0);
  p.cluster.expect_converged();
}

TEST_CASE("A trigger on a synchronised table that does not ask: a row that it makes before the peer's comes is replaced by it") {
  WithTriggers p({"CREATE TRIGGER notes AFTER INSERT ON label BEGIN INSERT INTO note(id, title) VALUES (NEW.id, 'made'); END"});
  p.a.write("INSERT INTO label(id) VALUES ('x'), ('y')");
  p.a.write("UPDATE note SET title='changed' WHERE id='x'");
  p.settle();
  CHECK(p.b.text("SELECT group_concat(id || title) FROM note") == "'xchanged,ymade'");
  p.cluster.expect_converged();
}

}  // namespace starling::sim
