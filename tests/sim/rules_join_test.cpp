// Rules of joining: what a device takes in while everybody goes on, and its source changes, lags behind or dies.
#include <doctest/doctest.h>

#include "tests/sim/story.h"

namespace starling::sim {
namespace {

bool is_in_the_middle(const SimNode& joiner) {
  return joiner.count("note") < kBulk && !joiner.status().initial_sync_completed;
}

// A source and a peer that know one note and the bulk; they are apart, and a third device joins from the source.
struct JoinUnderWay {
  SimNode& source;
  SimNode& peer;
  SimNode& joiner;

  JoinUnderWay(Cluster& cluster, std::string_view id, std::string_view title)
      : source(cluster.create("S")), peer(cluster.join("P")), joiner(begin(cluster, id, title)) {}

 private:
  SimNode& begin(Cluster& cluster, std::string_view id, std::string_view title) const {
    write_bulk_notes(source);
    insert_note(source, id, title);
    cluster.let_meet(source, peer);
    everybody_parts(cluster);
    SimNode& third = cluster.join("J");
    begin_transfer(cluster, source, third);
    return third;
  }
};

}  // namespace

TEST_CASE("[R1a] A row changes at the source while a device joins from it: what the joiner says of that row later is later"
          " for all") {
  tell("R1a", [](Cluster& cluster) {
    const JoinUnderWay t(cluster, "b", "first");
    REQUIRE(is_in_the_middle(t.joiner));
    update_note(t.source, "b", "second");
    cluster.run_until_quiet();
    everybody_parts(cluster);
    t.joiner.set_clock_ahead(-1min);
    update_note(t.joiner, "b", "third");
    cluster.let_meet(t.joiner, t.peer);  // who knows of the first alone
    CHECK(shown_by(t.peer) == shown_by(t.joiner));
    everybody_meets(cluster);
    return "note b=third, 30 bulk notes";
  });
}

TEST_CASE("[R1b] A source writes a row while a device joins from it, and dies for ever: the joiner gets whole, and the row"
          " is nowhere") {
  tell("R1b", [](Cluster& cluster) {
    const JoinUnderWay t(cluster, "a", "known");
    insert_note(t.source, "b", "known to nobody else");
    cluster.run_for(5ms);
    REQUIRE(is_in_the_middle(t.joiner));
    t.source.kill();
    everybody_meets(cluster);
    return "note a=known, 30 bulk notes";
  });
}

TEST_CASE("[R1b'] A source makes a deleted row again while a device catches up from it, and dies for ever: an older insert"
          " of the row is still dead") {
  tell("R1b'", [](Cluster& cluster) {
    SimNode& source = cluster.create("S");
    SimNode& peer = cluster.join("P");
    SimNode& late = cluster.join("J");
    SimNode& other = cluster.join("E");
    everybody_meets(cluster);
    everybody_parts(cluster);
    other.set_clock_ahead(-2min);
    const LocalCommit oldest = insert_note(other, "b", "oldest");
    REQUIRE(insert_note(source, "b", "first life").hlc > oldest.hlc);
    delete_note(source, "b");
    cluster.let_meet(source, late);
    everybody_parts(cluster);
    write_bulk_notes(source);
    cluster.let_meet(source, peer);
    everybody_parts(cluster);

    begin_transfer(cluster, source, late);
    insert_note(source, "b", "known to nobody else");
    cluster.run_for(5ms);
    REQUIRE(late.count("note") < kBulk);
    source.kill();
    cluster.let_meet(late, other);
    CHECK(other.query("SELECT 1 FROM note WHERE id='b'").empty());
    everybody_meets(cluster);
    return "30 bulk notes";
  });
}

TEST_CASE("[R1c] A device joins from one that knows much, goes on with one that knows nothing, and has a row of its own: all"
          " rows stay") {
  tell("R1c", [](Cluster& cluster) {
    SimNode& poor = cluster.create("T");
    SimNode& rich = cluster.join("S");
    cluster.let_meet(poor, rich);
    everybody_parts(cluster);
    insert_note(poor, "t", "of T");
    write_bulk_notes(rich);
    insert_note(rich, "a", "of S");

    SimNode& joiner = cluster.join("J");
    insert_note(joiner, "b", "of J");
    begin_transfer(cluster, rich, joiner);
    REQUIRE(is_in_the_middle(joiner));
    cluster.disconnect(rich, joiner);
    cluster.let_meet(joiner, poor);
    CHECK(joiner.query("SELECT 1 FROM note WHERE id='b'").size() == 1);
    CHECK(shown_by(joiner) == shown_by(poor));
    everybody_meets(cluster);
    return "note a=of S, note b=of J, note t=of T, 30 bulk notes";
  });
}

TEST_CASE("[R1d] A device whose clock is behind joins after a row was deleted, and makes the row again: it stands everywhere") {
  tell("R1d", [](Cluster& cluster) {
    SimNode& a = cluster.create("A");
    SimNode& b = cluster.join("B");
    cluster.let_meet(a, b);
    insert_note(a, "a", "first life");
    const LocalCommit gone = delete_note(a, "a");
    cluster.run_until_quiet();

    SimNode& joiner = cluster.join("J");
    joiner.set_clock_ahead(-1min);
    cluster.let_meet(a, joiner);
    REQUIRE(joiner.wall().ms < gone.hlc.ms());
    CHECK(insert_note(joiner, "a", "second life").hlc > gone.hlc);
    everybody_meets(cluster);
    return "note a=second life";
  });
}

TEST_CASE("[R4] A device joins where a delete is not known yet, and inserts the row with an older stamp: the row is dead"
          " everywhere") {
  tell("R4", [](Cluster& cluster) {
    const Three t(cluster);
    const LocalCommit newer = insert_note(t.b, "a", "newer");
    delete_note(t.b, "a");

    SimNode& joiner = cluster.join("D");
    t.a.set_clock_ahead(-1min);  // who admits it
    joiner.set_clock_ahead(-1min);
    cluster.let_meet(t.a, joiner);  // neither knows of the delete
    cluster.disconnect(t.a, joiner);
    REQUIRE(insert_note(joiner, "a", "older").hlc < newer.hlc);
    cluster.let_meet(t.a, t.b);  // all whom B knows of have heard of the delete
    cluster.let_meet(t.c, t.b);
    cluster.let_meet(joiner, t.b);
    everybody_meets(cluster);
    return "";
  });
}

TEST_CASE("[R8] A device cannot take a row in yet, and another joins from it: the row is missing for nobody in the end, and"
          " who has it keeps it") {
  tell("R8", [](Cluster& cluster) {
    const Three t(cluster);
    t.b.execute_behind_the_engine("CREATE TRIGGER picky BEFORE INSERT ON note BEGIN SELECT RAISE(ABORT, 'not now'); END");
    t.b.restart();
    insert_note(t.a, "n", "refused by B");
    put_file(t.a, "f", "taken by B");
    cluster.let_meet(t.a, t.b);
    cluster.let_meet(t.a, t.c);
    everybody_parts(cluster);
    t.a.kill();

    SimNode& joiner = cluster.join("J");
    cluster.let_meet(joiner, t.b);
    everybody_parts(cluster);
    cluster.let_meet(joiner, t.c);
    CHECK(t.c.count("note") == 1);
    t.b.execute_behind_the_engine("DROP TRIGGER picky");
    t.b.restart();
    everybody_meets(cluster);
    return "note n=refused by B, file f=taken by B";
  });
}

}  // namespace starling::sim
