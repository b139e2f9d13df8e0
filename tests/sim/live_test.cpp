// Two connected devices: what one writes, the other shows.
#include <doctest/doctest.h>

#include "tests/sim/phrases.h"

namespace starling::sim {

TEST_CASE("[T1] Two devices: a device-owned row of the one appears on the other") {
  Pair p;
  p.a.write("INSERT INTO file VALUES (x'01', '/etc/hosts', 120, NULL)");
  p.settle();
  CHECK(p.b.text("SELECT path FROM file WHERE id=x'01'") == "'/etc/hosts'");
  p.a.write("UPDATE file SET size=121 WHERE id=x'01'");
  p.settle();
  CHECK(p.b.text("SELECT size FROM file WHERE id=x'01'") == "121");
  p.a.write("DELETE FROM file WHERE id=x'01'");
  p.settle();
  CHECK(p.b.count("file") == 0);
  p.cluster.expect_converged();
}

TEST_CASE("[T2] Two devices: a shared row of the one appears on the other, and may be changed there") {
  Pair p;
  p.a.write("INSERT INTO note VALUES ('n', 'hello', 'world', 5, 0.5)");
  p.settle();
  CHECK(p.b.text("SELECT title FROM note WHERE id='n'") == "'hello'");
  p.b.write("UPDATE note SET title='bonjour' WHERE id='n'");
  p.settle();
  CHECK(p.a.text("SELECT title FROM note WHERE id='n'") == "'bonjour'");
  p.cluster.expect_converged();
}

TEST_CASE("Two devices: a live change takes one message each way, and no more") {
  Pair p;
  const WireCount before = p.cluster.wire();
  p.a.write("INSERT INTO note VALUES ('n', 'hello', 'world', 5, 0.5)");
  p.settle();
  const WireCount d = p.cluster.wire().since(before);
  CHECK(d.of("SharedChange").messages == 1);
  CHECK(d.of("AckSharedChanges").messages == 2);  // the author's announcement and the receiver's acknowledgement
  CHECK(d.total.messages == 3);
  CHECK(d.entries == 1);
}

TEST_CASE("[T3] Two devices: both may write at once, in both classes") {
  Pair p;
  for (int i = 0; i < 20; ++i) {
    write_notes(p.a, "a", i, 1);
    write_files(p.a, "a", i, 1);
    write_notes(p.b, "b", i, 1);
    write_files(p.b, "b", i, 1);
    p.cluster.run_for(5ms);
  }
  p.settle();
  CHECK(p.a.count("note") == 40);
  CHECK(p.a.count("file") == 40);
  p.cluster.expect_converged();
}

TEST_CASE("Two devices: a transaction of many rows appears on the other as one change") {
  Pair p;
  const std::size_t before = p.b.changes().size();
  write_notes(p.a, "n", 0, 500);
  p.settle();
  REQUIRE(p.b.changes().size() == before + 1);
  CHECK(p.b.changes().back().rows.size() == 500);
  CHECK(p.b.changes().back().origin.device == p.a.device());
  p.cluster.expect_converged();
}

TEST_CASE("Two devices: a transaction that changes nothing in the end leaves no trace") {
  Pair p;
  write_notes(p.a, "n", 0, 1);
  p.settle();
  const WireCount before = p.cluster.wire();
  const VersionVector vector = p.a.vector();
  p.a.write("UPDATE note SET stars=stars");
  p.a.write([](Transaction& t) -> Expected<void> {
    (void)t.exec("INSERT INTO note VALUES ('x', 1, 2, 3, 4)");
    (void)t.exec("DELETE FROM note WHERE id='x'");
    return {};
  });
  p.settle();
  CHECK(p.a.vector() == vector);
  CHECK(p.cluster.wire().since(before).total.messages == 0);
}

TEST_CASE("[T11][T13] Two devices: links between rows arrive with both ends, foreign keys on") {
  Pair p;
  p.a.write([](Transaction& t) -> Expected<void> {
    (void)t.exec("INSERT INTO note VALUES ('n', 'title', 'body', 1, 1.0)");
    (void)t.exec("INSERT INTO label VALUES ('red', 'Red'), ('blue', 'Blue')");
    (void)t.exec("INSERT INTO note_label VALUES ('n', 'red', 1), ('n', 'blue', 2)");
    return {};
  });
  p.settle();
  CHECK(p.b.count("note_label JOIN note ON note.id=note JOIN label ON label.id=label") == 2);
  CHECK_FALSE(p.b.try_write("INSERT INTO note_label VALUES ('n', 'green', 3)"));  // enforced for local writes
  p.b.write("DELETE FROM note WHERE id='n'");
  p.settle();
  CHECK(p.a.count("note_label") == 0);  // the cascade was captured
  CHECK(p.a.query("PRAGMA foreign_key_check").empty());
  p.cluster.expect_converged();
}

TEST_CASE("Two devices: a link whose other end was deleted meanwhile dangles on both, and nothing is held") {
  Pair p;
  p.a.write("INSERT INTO note VALUES ('n', 'title', 'body', 1, 1.0)");
  p.a.write("INSERT INTO label VALUES ('red', 'Red')");
  p.settle();
  p.part();
  p.a.write("DELETE FROM note WHERE id='n'");
  p.b.write("INSERT INTO note_label VALUES ('n', 'red', 1)");
  p.meet();
  CHECK(p.a.count("note_label") == 1);
  CHECK(p.b.count("note") == 0);
  p.cluster.expect_converged();
}

TEST_CASE("[N6] An idle pair: says little more than one heartbeat each in 30 seconds") {
  Pair p;
  write_notes(p.a, "n", 0, 100);
  write_files(p.b, "f", 0, 100);
  p.settle();
  p.cluster.run_for(1min);
  const WireCount before = p.cluster.wire();
  p.cluster.run_for(10min);
  const WireCount d = p.cluster.wire().since(before);
  CHECK(d.of("Heartbeat").messages == d.total.messages);
  CHECK(d.total.messages == 40);
  MESSAGE("an idle pair: " << d.total.bytes / 10 << " bytes a minute");
  CHECK(d.total.bytes / 10 <= 512);
}

}  // namespace starling::sim
