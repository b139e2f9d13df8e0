// Rules of forgetting: until when a delete must be known, for a row that it beats may still be on its way.
//
// In each, the delete beats an insert of the same key that is older than the row that the delete saw.
#include <doctest/doctest.h>

#include "tests/sim/story.h"

namespace starling::sim {
namespace {

// The older insert is made at `author`; the newer row and its delete, at `deleter`.
void insert_and_delete_over(SimNode& author, SimNode& deleter) {
  author.set_clock_ahead(-1min);
  const LocalCommit older = insert_note(author, "a", "older");
  REQUIRE(insert_note(deleter, "a", "newer").hlc > older.hlc);
  delete_note(deleter, "a");
}

// What is under way when the time is over is lost.
void meet_for(Cluster& cluster, SimNode& a, SimNode& b, Duration time) {
  cluster.connect(a, b);
  cluster.run_for(time);
  cluster.disconnect(a, b);
}

}  // namespace

TEST_CASE("[R3a] A device acknowledges a delete before it has sent its own insert: the insert is dead everywhere, wherever"
          " they were cut off") {
  for (auto met = 5ms; met <= 100ms; met += 5ms) {
    CAPTURE(met.count());
    tell("R3a", [met](Cluster& cluster) {
      const Three t(cluster);
      insert_and_delete_over(t.c, t.b);
      cluster.let_meet(t.a, t.b);
      everybody_parts(cluster);
      meet_for(cluster, t.b, t.c, met);
      meet_for(cluster, t.a, t.b, met);
      meet_for(cluster, t.a, t.c, met);
      everybody_meets(cluster);
      return "";
    }, 1);
  }
}

TEST_CASE("[R3a'] A device that is gone has told its insert to one alone, who knows of the delete: the insert is dead where"
          " it comes last") {
  tell("R3a'", [](Cluster& cluster) {
    const Three t(cluster);
    insert_and_delete_over(t.c, t.a);
    cluster.let_meet(t.b, t.c);
    t.c.kill();
    cluster.let_meet(t.a, t.b);
    return "";
  });
}

TEST_CASE("[R3b] One device no longer talks with another, a third one still does, and relays an insert of it: it is dead") {
  tell("R3b", [](Cluster& cluster) {
    const Three t(cluster);
    insert_and_delete_over(t.c, t.a);
    cluster.let_meet(t.a, t.b);
    cluster.disconnect(t.a, t.b);
    cluster.let_meet(t.b, t.c);  // B has acknowledged the delete before it hears of the insert
    cluster.disconnect(t.b, t.c);
    t.c.kill();
    cluster.let_meet(t.a, t.b);
    return "";
  });
}

TEST_CASE("[R3c] A device that was away hears of a delete and of an older insert by different ways: in either order it is"
          " dead") {
  for (const bool insert_first : {true, false}) {
    CAPTURE(insert_first);
    tell("R3c", [insert_first](Cluster& cluster) {
      const Three t(cluster);
      SimNode& away = cluster.join("D");
      cluster.let_meet(t.a, away);
      everybody_parts(cluster);
      insert_and_delete_over(t.c, t.a);
      cluster.let_meet(insert_first ? t.c : t.a, away);
      everybody_parts(cluster);
      cluster.let_meet(insert_first ? t.a : t.c, away);
      everybody_meets(cluster);
      return "";
    });
  }
}

TEST_CASE("[horizon] A member comes back after a month, with changes of its own, to one that knows all: nothing that was"
          " deleted rises, nothing of its own is lost") {
  tell("horizon", [](Cluster& cluster) {
    const Three t(cluster);
    for (const char* id : {"deleted", "edited", "kept"}) insert_note(t.a, id, "first");
    put_file(t.a, "deleted", "first");
    put_file(t.a, "kept", "first");
    put_file(t.c, "own", "first");
    everybody_meets(cluster);
    everybody_parts(cluster);

    insert_note(t.c, "new", "of C");
    update_note(t.c, "edited", "of C");
    update_note(t.c, "deleted", "too late");
    put_file(t.c, "own", "second");
    cluster.run_for(1s);
    delete_note(t.a, "deleted");
    update_note(t.a, "kept", "second");
    delete_file(t.a, "deleted");
    write_bulk_notes(t.a);
    cluster.let_meet(t.a, t.b);
    everybody_parts(cluster);
    cluster.run_for(24h * 31);
    cluster.let_meet(t.b, t.c);
    CHECK(shown_by(t.b) == shown_by(t.c));
    everybody_meets(cluster);
    return "note edited=of C, note kept=second, note new=of C, 30 bulk notes, file kept=first, file own=second";
  });
}

}  // namespace starling::sim
