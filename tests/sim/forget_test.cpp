// Members, acknowledgements, forgetting: what nobody needs goes, what somebody may need stays.
#include <doctest/doctest.h>

#include "core/replica/membership.h"
#include "core/store/member_table.h"
#include "core/store/store.h"
#include "tests/sim/phrases.h"
#include "tests/sim/story.h"

namespace starling::sim {
namespace {

std::int64_t log_of(const SimNode& node) { return node.count("sync_log"); }
std::int64_t tombstones_of(const SimNode& node) {
  return node.query("SELECT count(*) FROM sync_row WHERE dead_seq IS NOT NULL").integer(0);
}

struct Line {
  Cluster cluster;
  SimNode& a;
  SimNode& b;
  SimNode& c;

  explicit Line(std::uint64_t seed = 1)
      : cluster(seed), a(cluster.create("A")), b(cluster.join("B")), c(cluster.join("C")) {
    cluster.let_meet(a, b);
    cluster.let_meet(b, c);  // a line
    cluster.run_for(1min);
  }
  void write_and_delete(SimNode& node) {
    write_notes(node, "n", 0, 50);
    write_files(node, "f", 0, 50);
    node.write("DELETE FROM note WHERE stars < 10");
    node.write("DELETE FROM file WHERE size < 10");
  }
};

}  // namespace

TEST_CASE("[T15] Members: a device that says Hello is admitted by whoever hears it, and all learn of all") {
  Line t;
  for (const SimNode* node : {&t.a, &t.b, &t.c}) {
    CHECK(node->status().members == 3);
    CHECK(node->count("sync_member") == 3);
  }
  CHECK(t.a.noted("admitted device AIAA"));
  CHECK(t.b.noted("admitted device AMAA"));
  CHECK_FALSE(t.a.noted("admitted device AMAA"));  // they never met
  t.cluster.expect_converged();
}

TEST_CASE("Forgetting: what all members hold goes from the log, and then what was deleted, also where two never meet") {
  Line t;
  t.write_and_delete(t.a);
  t.cluster.run_for(1s);
  CHECK(log_of(t.a) > 0);
  CHECK(tombstones_of(t.a) == 20);
  t.cluster.run_for(1min);
  for (const SimNode* node : {&t.a, &t.b, &t.c}) {
    CHECK(log_of(*node) == 0);
    CHECK(tombstones_of(*node) == 0);
    CHECK(node->count("note") == 40);
    CHECK(node->count("file") == 40);
  }
  CHECK(t.a.status().tombstones_dropped == 20);
  t.cluster.expect_converged();
}

TEST_CASE("Forgetting: a workspace of one keeps its log for the first who comes") {
  Cluster cluster;
  SimNode& a = cluster.create("A");
  write_notes(a, "n", 0, 50);
  cluster.run_for(1h);
  CHECK(log_of(a) == 1);
  SimNode& b = cluster.join("B");
  cluster.let_meet(a, b);
  CHECK(b.status().snapshots_taken == 0);
  cluster.expect_converged();
}

TEST_CASE("[N11] A member that acknowledges nothing: all is kept for it, and goes when it has come back") {
  Line t;
  t.cluster.disconnect(t.b, t.c);
  t.write_and_delete(t.a);
  t.cluster.run_for(24h);
  for (const SimNode* node : {&t.a, &t.b}) {
    CHECK(log_of(*node) == 2);
    CHECK(tombstones_of(*node) == 20);
  }
  const std::vector<MemberStatus> members = list_members(t.a.store());
  REQUIRE(members.size() == 3);
  for (const MemberStatus& m : members) {
    CHECK((m.lacks > 0) == (m.device == t.c.device()));
    CHECK((m.oldest.ms > 0) == (m.device == t.c.device()));
  }
  t.cluster.let_meet(t.b, t.c);
  CHECK(t.c.status().snapshots_taken == 0);
  t.cluster.run_for(1min);
  for (const SimNode* node : {&t.a, &t.b, &t.c}) CHECK(log_of(*node) + tombstones_of(*node) == 0);
  t.cluster.expect_converged();
}

TEST_CASE("[N13] A member that is removed: what was kept for it goes, its sessions are refused, what it wrote before stays") {
  Line t;
  write_notes(t.c, "c", 0, 5);
  t.cluster.run_until_quiet();
  t.cluster.disconnect(t.b, t.c);
  t.write_and_delete(t.a);
  t.cluster.run_for(1h);
  REQUIRE(log_of(t.a) > 0);
  CHECK_FALSE(t.a.remove_member(t.a));
  CHECK(t.a.remove_member(t.c));
  CHECK_FALSE(t.a.remove_member(t.c));
  t.cluster.run_for(1min);
  for (const SimNode* node : {&t.a, &t.b}) {
    CHECK(node->status().members == 2);
    CHECK(log_of(*node) + tombstones_of(*node) == 0);
    CHECK(node->count("note") == 40);
  }
  t.cluster.connect(t.b, t.c);
  t.cluster.run_for(1min);
  CHECK(t.b.noted("this device was removed from the workspace"));
  CHECK(t.c.count("note") == 5);
  t.cluster.network().forget_refusals();
  t.c.kill();
  t.cluster.expect_converged();
}

TEST_CASE("A removed device that is admitted again: it goes on under a new life, delivers what it had written, and brings nothing dead back") {
  Line t;
  t.cluster.disconnect(t.b, t.c);
  t.write_and_delete(t.a);
  write_notes(t.c, "lost", 0, 1);
  REQUIRE(t.a.remove_member(t.c));
  t.cluster.run_for(1min);
  REQUIRE(t.b.readmit_member(t.c));
  t.cluster.run_until_quiet();
  t.cluster.connect(t.b, t.c);
  t.cluster.run_for(10s);
  t.cluster.run_until_quiet();
  CHECK(t.b.noted("goes by the name of before"));
  CHECK(t.c.noted("this device was removed and admitted again: it goes on under a new incarnation"));
  t.cluster.network().forget_refusals();
  CHECK(t.c.count("note") == 41);
  CHECK(t.a.count("note WHERE id LIKE 'lost%'") == 1);
  t.cluster.expect_converged();
}

TEST_CASE("[N12] Away for longer than logs are kept, and back with edits of its own: a snapshot, and its edits reach all") {
  Line t;
  write_notes(t.a, "old", 0, 20);
  t.cluster.run_for(1min);
  t.cluster.disconnect(t.b, t.c);
  const Origin life = t.c.store().self();
  write_notes(t.c, "own", 0, 3);
  t.c.write("UPDATE note SET title='of C' WHERE id=?", numbered("old", 11));
  t.c.write("DELETE FROM note WHERE id=?", numbered("old", 12));
  t.write_and_delete(t.a);
  t.a.write("DELETE FROM note WHERE id=?", numbered("old", 13));
  t.cluster.run_for(31 * 24h);
  CHECK(log_of(t.a) == 0);  // by age
  CHECK(log_of(t.c) == 3);  // nobody else has them
  CHECK(tombstones_of(t.a) > 0);  // those wait for C
  t.cluster.let_meet(t.b, t.c);
  t.cluster.run_for(1min);
  CHECK(t.c.status().snapshots_taken == 1);
  CHECK(t.c.store().self() == life);
  for (const SimNode* node : {&t.a, &t.b, &t.c}) {
    CHECK(node->count("note") == 40 + 3 + 8);
    CHECK(node->query("SELECT 1 FROM note WHERE title='of C'").size() == 1);
    CHECK(tombstones_of(*node) == 0);
  }
  t.cluster.expect_converged();
}

TEST_CASE("[F8] One device's clock jumps by a year, and comes back: nothing that somebody lacks is forgotten, nothing dead rises") {
  for (const auto year : {365 * 24h, -365 * 24h}) {
    for (const bool restarts : {true, false}) {
      CAPTURE(year.count());
      CAPTURE(restarts);
      Line t;
      t.cluster.disconnect(t.b, t.c);
      t.write_and_delete(t.a);
      t.cluster.run_for(1min);
      t.a.set_clock_ahead(year);
      if (restarts) t.a.restart();  // else it goes on talking to B
      write_notes(t.a, "own", 0, 1);
      t.cluster.run_for(2h);  // age is looked at once an hour
      for (const SimNode* node : {&t.a, &t.b}) CHECK(tombstones_of(*node) == 20);  // C has not seen them
      CHECK(t.a.count("sync_log WHERE seq=4") == 1);  // nobody else can have it yet
      CHECK(log_of(t.a) == (year > 0h && !restarts ? 1 : 3));  // what B is known to have goes by age
      CHECK(log_of(t.b) == (year < 0h && !restarts ? 3 : 2));
      t.a.set_clock_ahead(0s);
      t.cluster.network().forget_refusals();
      t.cluster.let_meet(t.b, t.c);
      t.cluster.run_for(10min);
      t.cluster.run_until_quiet();
      t.cluster.network().forget_refusals();  // of the life that was ahead
      for (const SimNode* node : {&t.a, &t.b, &t.c}) {
        CHECK(node->count("note") == 41);
        CHECK(node->count("note WHERE id LIKE 'own%'") == 1);
        CHECK(node->count("note WHERE id LIKE 'n%' AND stars < 10") == 0);
        CHECK(node->count("file") == 40);
        CHECK(node->count("file WHERE size < 10") == 0);
        CHECK(log_of(*node) + tombstones_of(*node) == 0);
      }
      t.cluster.expect_converged();
    }
  }
}

TEST_CASE("[F21] A device loses its disk when all have forgotten the log: a snapshot, and its own files are its own again") {
  Line t;
  t.write_and_delete(t.a);
  write_files(t.c, "c", 1000, 5);
  t.cluster.run_for(1min);
  for (const SimNode* node : {&t.a, &t.b, &t.c}) REQUIRE(log_of(*node) + tombstones_of(*node) == 0);
  t.c.wipe();
  write_notes(t.a, "late", 0, 1);
  t.cluster.run_for(1min);
  CHECK(log_of(t.a) == 1);  // what the life before had acknowledged counts for nothing that came later
  t.c.restart();
  t.cluster.run_for(1min);
  CHECK(t.c.status().snapshots_taken == 1);
  CHECK(t.c.count("note") == 41);
  CHECK(t.c.count("file") == 45);
  t.c.write("UPDATE file SET size=7 WHERE size >= 1000");
  t.cluster.run_for(1min);
  for (const SimNode* node : {&t.a, &t.b, &t.c}) {
    CHECK(node->count("file WHERE size = 7") == 5);
    CHECK(log_of(*node) == 0);
  }
  t.cluster.expect_converged();
}

TEST_CASE("[F26] A removed device's rows: nobody else may change them, newcomers get them, and readmitted it has changed them itself") {
  Line t;
  write_files(t.c, "c", 0, 5);
  t.cluster.run_until_quiet();
  t.cluster.disconnect(t.b, t.c);
  REQUIRE(t.a.remove_member(t.c));
  t.cluster.run_for(2min);  // what was kept for it goes
  for (SimNode* node : {&t.a, &t.b}) {
    CHECK(node->count("file") == 5);
    CHECK(log_of(*node) == 0);
    for (const char* sql : {"UPDATE file SET size=9", "DELETE FROM file"}) {
      const Expected<LocalCommit> refused = node->try_write(sql);
      REQUIRE_FALSE(refused);
      CHECK(refused.error().code == Errc::not_owner);
    }
  }
  SimNode& d = t.cluster.join("D");
  t.cluster.let_meet(t.b, d);
  CHECK(d.count("file") == 5);
  t.c.write("UPDATE file SET size=100 WHERE size=1");
  t.c.write("DELETE FROM file WHERE size=2");
  t.c.kill();
  t.cluster.expect_converged();
  t.c.restart();
  REQUIRE(t.b.readmit_member(t.c));
  t.cluster.run_until_quiet();
  t.cluster.connect(t.b, t.c);
  t.cluster.run_for(1min);
  t.cluster.run_until_quiet();
  t.cluster.network().forget_refusals();  // of the life that was removed
  for (const SimNode* node : {&t.a, &t.b, &t.c, &d})
    CHECK(node->text("SELECT group_concat(size) FROM (SELECT size FROM file ORDER BY id)") == "'0,100,3,4'");
  t.cluster.expect_converged();
}

TEST_CASE("A backup from before a delete, put back when the delete is forgotten: what it shows too much goes") {
  Line t;
  t.write_and_delete(t.a);
  write_files(t.a, "gone", 1000, 5);
  write_notes(t.a, "gone", 1000, 5);
  t.cluster.run_for(1min);
  const Disk::Image old = image_of(t.c);
  t.cluster.run_until_quiet();
  t.a.write("DELETE FROM file WHERE size >= 1000");
  t.a.write("DELETE FROM note WHERE stars >= 1000");
  t.cluster.run_for(1min);
  REQUIRE(tombstones_of(t.a) == 0);
  t.cluster.disconnect(t.b, t.c);
  put_back(t.c, old, Copy::by_backup);
  CHECK(t.c.count("file") == 45);
  write_notes(t.c, "new", 0, 1);
  t.cluster.connect(t.b, t.c);
  t.cluster.run_for(1min);
  for (const SimNode* node : {&t.a, &t.b, &t.c}) {
    CHECK(node->count("file") == 40);
    CHECK(node->count("note") == 41);
  }
  t.cluster.expect_converged();
}

}  // namespace starling::sim
