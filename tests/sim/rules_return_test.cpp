// Rules of returning: with an older disk, or from a wrong clock, when everybody else has gone on.
#include <doctest/doctest.h>

#include <stdexcept>

#include "core/store/ack_store.h"
#include "tests/sim/story.h"

namespace starling::sim {
namespace {

// All know the row, B's disk is copied, A deletes the row, all hear of it; B's disk is what it was.
void delete_while_b_forgets(Cluster& cluster, const Three& t, Copy copy) {
  insert_note(t.a, "a", "deleted since");
  everybody_meets(cluster);
  const Disk::Image old = image_of(t.b);
  delete_note(t.a, "a");
  cluster.run_until_quiet();
  everybody_parts(cluster);
  put_back(t.b, old, copy);
}

// A row was inserted and deleted since the backup, so a restored device has never heard of it.
std::string restored_and_writes(Cluster& cluster, Copy copy, std::chrono::milliseconds clock) {
  const Three t(cluster);
  const Disk::Image old = image_of(t.b);
  insert_note(t.a, "a", "deleted since");
  const LocalCommit gone = delete_note(t.a, "a");
  everybody_meets(cluster);
  everybody_parts(cluster);
  put_back(t.b, old, copy);
  t.b.set_clock_ahead(clock);
  const LocalCommit written = insert_note(t.b, "a", "written after the restore");
  REQUIRE((written.hlc < gone.hlc) == (clock < 0ms));
  everybody_meets(cluster);
  return "note a=written after the restore";
}

// B has acknowledged an entry of A, loses it with its disk, and cannot take it in again for now.
std::string restored_and_lacks_an_entry(Cluster& cluster, Copy copy) {
  const Three t(cluster);
  const Disk::Image old = image_of(t.b);
  const LocalCommit lost = insert_note(t.a, "n", "of A");
  everybody_meets(cluster);
  everybody_parts(cluster);
  put_back(t.b, old, copy);
  t.b.set_clock_ahead(-10min);  // so that what A says waits here, and is not acknowledged
  cluster.let_meet(t.a, t.b);
  const Acknowledgement* acknowledged = t.a.store().acks().table().find(t.b.device());
  if (acknowledged->vector.at(t.a.store().self()).seq >= lost.seq)
    throw std::runtime_error("A counts on B for an entry that B has lost");
  t.b.set_clock_ahead(0ms);
  t.b.restart();
  everybody_meets(cluster);
  return "note n=of A";
}

}  // namespace

TEST_CASE("[R2a] A restored device shows a row that was deleted since, and meets the one that deleted it: the row goes") {
  tell_of_each_copy("R2a", [](Cluster& cluster, Copy copy) {
    const Three t(cluster);
    delete_while_b_forgets(cluster, t, copy);
    REQUIRE(shown_by(t.b) == "note a=deleted since");
    insert_note(t.b, "b", "new");
    cluster.let_meet(t.b, t.a);
    CHECK(shown_by(t.b) == "note b=new");
    everybody_meets(cluster);
    return "note b=new";
  });
}

TEST_CASE("[R2b] A restored device shows a row that was deleted since, and is all that a third one meets: the row does not"
          " rise there") {
  tell_of_each_copy("R2b", [](Cluster& cluster, Copy copy) {
    const Three t(cluster);
    delete_while_b_forgets(cluster, t, copy);
    insert_note(t.b, "b", "new");
    cluster.let_meet(t.b, t.c);
    CHECK(shown_by(t.b) == "note b=new");
    CHECK(shown_by(t.c) == "note b=new");
    everybody_meets(cluster);
    return "note b=new";
  });
}

TEST_CASE("[R2c] A restored device changes a row that was deleted since: the row goes, and the change is kept as a conflict") {
  tell_of_each_copy("R2c", [](Cluster& cluster, Copy copy) {
    const Three t(cluster);
    delete_while_b_forgets(cluster, t, copy);
    update_note(t.b, "a", "too late");
    everybody_meets(cluster);
    CHECK(t.b.status().conflicts == 1);
    return "";
  });
}

TEST_CASE("[R5a] A restored device inserts a row, before it meets anybody, that others have deleted since: its row stands"
          " everywhere") {
  tell_of_each_copy("R5a", [](Cluster& cluster, Copy copy) { return restored_and_writes(cluster, copy, 0ms); });
}

TEST_CASE("[R5a-behind] A restored device, its clock behind, inserts such a row, so that its stamp lies before the delete:"
          " its row stands all the same, for it was written later") {
  tell("R5a-behind", [](Cluster& cluster) { return restored_and_writes(cluster, Copy::by_backup, -1min); });
  tell("R5a-behind-copy", [](Cluster& cluster) { return restored_and_writes(cluster, Copy::by_hand, -1min); });
  tell("R5a-behind-image", [](Cluster& cluster) { return restored_and_writes(cluster, Copy::by_image, -1min); });
}

TEST_CASE("[ack-backup] A backup is put back and lacks an entry that the device had acknowledged: nobody counts on that any more") {
  tell("ack-backup", [](Cluster& cluster) { return restored_and_lacks_an_entry(cluster, Copy::by_backup); });
}

TEST_CASE("[ack-copy] A copy by hand is put back and lacks an entry that the device had acknowledged: nobody counts on that any"
          " more") {
  tell("ack-copy", [](Cluster& cluster) { return restored_and_lacks_an_entry(cluster, Copy::by_hand); });
}

TEST_CASE("[ack-image] A machine's image is put back and lacks an entry that the device had acknowledged: nobody counts on that"
          " any more") {
  tell("ack-image", [](Cluster& cluster) { return restored_and_lacks_an_entry(cluster, Copy::by_image); });
}

TEST_CASE("[R5c] Two restored devices write, and meet each other before anybody else: what they wrote and what they had lost"
          " stands everywhere") {
  tell("R5c", [](Cluster& cluster) {
    const Three t(cluster);
    const Disk::Image old_a = image_of(t.a);
    const Disk::Image old_b = image_of(t.b);
    insert_note(t.a, "1", "lost by A");
    insert_note(t.b, "2", "lost by B");
    everybody_meets(cluster);
    everybody_parts(cluster);
    put_back(t.a, old_a, Copy::by_backup);
    put_back(t.b, old_b, Copy::by_backup);
    insert_note(t.a, "3", "new at A");
    insert_note(t.b, "4", "new at B");
    cluster.let_meet(t.a, t.b);
    CHECK(shown_by(t.a) == "note 3=new at A, note 4=new at B");
    everybody_meets(cluster);
    return "note 1=lost by A, note 2=lost by B, note 3=new at A, note 4=new at B";
  });
}

TEST_CASE("[R6] A member away for long changes what others change, deletes what others keep, and keeps what others delete:"
          " it needs no new start for that") {
  tell("R6", [](Cluster& cluster) {
    const Three t(cluster);
    for (const char* id : {"1", "2", "3"}) insert_note(t.a, id, "first");
    everybody_meets(cluster);
    everybody_parts(cluster);
    const Origin before = t.c.store().self();
    update_note(t.c, "1", "of C");
    delete_note(t.c, "2");
    insert_note(t.c, "4", "of C");
    cluster.run_for(24h * 31);
    t.a.write("UPDATE note SET body='of A' WHERE id='1'");
    delete_note(t.a, "3");
    cluster.let_meet(t.a, t.b);
    t.c.restart();
    insert_note(t.c, "5", "of C");
    everybody_meets(cluster);
    CHECK(t.c.store().self() == before);
    return "note 1=of C/of A, note 4=of C, note 5=of C";
  });
}

TEST_CASE("[R9][F2] A device writes with its clock hours ahead, and the clock is set right: what it wrote reaches the others"
          " within minutes, and wins over no later edit") {
  tell("R9", [](Cluster& cluster) {
    const Three t(cluster);
    t.b.set_clock_ahead(3h);
    insert_note(t.b, "1", "by the wrong clock");
    t.b.set_clock_ahead(0s);
    insert_note(t.b, "2", "by the right clock");
    everybody_meets(cluster);
    cluster.run_for(10min);
    for (const SimNode* node : {&t.a, &t.b, &t.c}) CHECK(shown_by(*node) == "note 1=by the wrong clock, note 2=by the right clock");
    update_note(t.a, "1", "edited by A");
    cluster.run_until_quiet();
    const LocalCommit next = update_note(t.b, "2", "edited by B");
    CHECK(next.hlc.ms() <= t.b.wall().ms + limits::kDriftMaxMs);
    cluster.run_until_quiet();
    for (const SimNode* node : {&t.a, &t.b, &t.c}) CHECK(node->status().conflicts == 0);
    return "note 1=edited by A, note 2=edited by B";
  });
}

}  // namespace starling::sim
