// Rules of identity: one name must not stand for two histories, and what either of them holds must not be lost.
#include <doctest/doctest.h>

#include "tests/sim/story.h"

namespace starling::sim {
namespace {

// B has written two entries since its disk was copied; all know them. Then it writes others in their place.
std::string writes_in_their_place(Cluster& cluster, Copy copy, int entries) {
  const Three t(cluster);
  insert_note(t.b, "0", "before");
  everybody_meets(cluster);
  const Disk::Image old = image_of(t.b);
  insert_note(t.b, "1", "then");
  insert_note(t.b, "2", "then");
  cluster.run_until_quiet();
  everybody_parts(cluster);
  put_back(t.b, old, copy);
  std::string expected = "note 0=before, note 1=then, note 2=then";
  for (int i = 0; i < entries; ++i) {
    const std::string id = std::to_string(5 + i);
    insert_note(t.b, id, "now");
    expected += ", note " + id + "=now";
  }
  everybody_meets(cluster);
  return expected;
}

// B tells A an entry and is restored; it tells C others in its place, and is not heard of again.
void tell_two_histories(Cluster& cluster, const Three& t, Copy copy, int entries = 1) {
  const Disk::Image old = image_of(t.b);
  insert_note(t.b, "1", "told A");
  cluster.let_meet(t.a, t.b);
  everybody_parts(cluster);
  put_back(t.b, old, copy);
  for (int i = 0; i < entries; ++i) insert_note(t.b, std::to_string(2 + i), "told C");
  cluster.let_meet(t.b, t.c);
  everybody_parts(cluster);
  t.b.kill();
  cluster.let_meet(t.a, t.c);
}

std::string told_two_histories(Cluster& cluster, Copy copy) {
  const Three t(cluster);
  tell_two_histories(cluster, t, copy);
  cluster.run_for(2min);  // heartbeats compare what each holds
  return "note 1=told A, note 2=told C";
}

}  // namespace

TEST_CASE("[reuse-backup] A backup is put back and writes entries where peers know others: both histories stand everywhere") {
  for (int entries = 0; entries <= 3; ++entries) {
    CAPTURE(entries);
    tell("reuse-backup", [entries](Cluster& cluster) { return writes_in_their_place(cluster, Copy::by_backup, entries); });
  }
}

TEST_CASE("[reuse-copy] A copy by hand is put back and writes entries where peers know others, fewer, as many or more: both"
          " histories stand everywhere") {
  for (int entries = 0; entries <= 3; ++entries) {
    CAPTURE(entries);
    tell("reuse-copy", [entries](Cluster& cluster) { return writes_in_their_place(cluster, Copy::by_hand, entries); });
  }
}

TEST_CASE("[reuse-image] A machine's image is put back and writes entries where peers know others: both histories stand everywhere") {
  for (int entries = 0; entries <= 3; ++entries) {
    CAPTURE(entries);
    tell("reuse-image", [entries](Cluster& cluster) { return writes_in_their_place(cluster, Copy::by_image, entries); });
  }
}

TEST_CASE("[split-backup] A backup is put back, and its two histories were told to different devices, which meet: both stand") {
  tell("split-backup", [](Cluster& cluster) { return told_two_histories(cluster, Copy::by_backup); });
}

TEST_CASE("[split-copy] A copy by hand is put back, and its two histories were told to different devices, which meet: both"
          " stand") {
  tell("split-copy", [](Cluster& cluster) { return told_two_histories(cluster, Copy::by_hand); });
}

TEST_CASE("[split-image][F9] An image is put back, its two histories were told to different devices, and it is not heard of again: who"
          " meets the longer one holds the stream and says so, what does not build upon it goes on") {
  Cluster cluster;
  const Three t(cluster);
  const Origin split = t.b.store().self();
  tell_two_histories(cluster, t, Copy::by_image, 2);
  cluster.run_for(5min);
  REQUIRE(t.a.status().waiting.size() == 1);
  CHECK(t.a.status().waiting[0].origin == split);
  CHECK(t.a.noted("that device may have been cloned or restored"));
  CHECK(shown_by(t.a) == "note 1=told A");
  CHECK(shown_by(t.c) == "note 2=told C, note 3=told C");
  insert_note(t.a, "5", "of A");
  insert_note(t.c, "6", "of C");
  put_file(t.a, "f", "of A");
  put_file(t.c, "g", "of C");
  cluster.run_until_quiet();
  CHECK(shown_by(t.a) == "note 1=told A, note 5=of A, file f=of A, file g=of C");  // C's note had seen what A cannot take in,
  REQUIRE(t.a.status().waiting.size() == 2);                                        // and waits in sight, too
  CHECK(shown_by(t.c) == "note 2=told C, note 3=told C, note 5=of A, note 6=of C, file f=of A, file g=of C");
  const WireCount before = cluster.wire();
  cluster.run_for(1h);
  CHECK(cluster.wire().since(before).of("SharedChangeRequest").messages <= 7);  // once in ten minutes
  CHECK(cluster.network().refusals().empty());
}

TEST_CASE("[clone] A disk is copied into a second machine, and both write: what both wrote stands everywhere") {
  tell("clone", [](Cluster& cluster) {
    const Three t(cluster);
    const Disk::Image old = image_of(t.b);
    SimNode& clone = cluster.add("B's clone", t.b.device(), false);
    put_back(clone, old, Copy::by_hand);
    insert_note(t.b, "1", "of B");
    insert_note(clone, "2", "of its clone");
    cluster.let_meet(t.a, t.b);
    everybody_parts(cluster);
    cluster.let_meet(t.a, clone);
    everybody_parts(cluster);
    for (SimNode* node : {&t.b, &clone, &t.c}) cluster.let_meet(t.a, *node);
    return "note 1=of B, note 2=of its clone";
  });
}

TEST_CASE("[clone-owner] A disk is copied into a second machine, and both write rows that the device owns: what both wrote"
          " stands everywhere") {
  tell("clone-owner", [](Cluster& cluster) {
    const Three t(cluster);
    SimNode& clone = cluster.add("B's clone", t.b.device(), false);
    put_back(clone, image_of(t.b), Copy::by_hand);
    put_file(t.b, "1", "of B");
    cluster.let_meet(t.a, t.b);
    everybody_parts(cluster);
    put_file(clone, "2", "of its clone");
    put_file(clone, "3", "of its clone");
    cluster.let_meet(t.a, clone);
    everybody_parts(cluster);
    for (SimNode* node : {&t.b, &clone, &t.c}) cluster.let_meet(t.a, *node);
    return "file 1=of B, file 2=of its clone, file 3=of its clone";
  });
}

TEST_CASE("[R7] One backup is put back twice: what each life wrote stands everywhere") {
  tell("R7", [](Cluster& cluster) {
    const Three t(cluster);
    put_file(t.b, "f", "first life");
    everybody_meets(cluster);
    const Disk::Image old = image_of(t.b);
    put_back(t.b, old, Copy::by_backup);
    insert_note(t.b, "2", "second life");
    put_file(t.b, "f", "second life");
    everybody_meets(cluster);
    everybody_parts(cluster);
    put_back(t.b, old, Copy::by_backup);
    insert_note(t.b, "3", "third life");
    put_file(t.b, "f", "third life");
    everybody_meets(cluster);
    return "note 2=second life, note 3=third life, file f=third life";
  });
}

TEST_CASE("[R7-behind] One backup is put back twice, the second time with a clock behind the first: what each life wrote"
          " stands everywhere") {
  tell("R7-behind", [](Cluster& cluster) {
    const Three t(cluster);
    const Disk::Image old = image_of(t.b);
    cluster.run_for(10min);
    put_back(t.b, old, Copy::by_backup);
    insert_note(t.b, "2", "second life");
    everybody_meets(cluster);
    everybody_parts(cluster);
    t.b.set_clock_ahead(-5min);
    put_back(t.b, old, Copy::by_backup);
    insert_note(t.b, "3", "third life");
    everybody_meets(cluster);
    return "note 2=second life, note 3=third life";
  });
}

}  // namespace starling::sim
