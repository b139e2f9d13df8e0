// Seeds (docs/adr/0017-seeds.md) among devices that join late, by a log or by a snapshot.
#include <doctest/doctest.h>

#include "tests/sim/phrases.h"
#include "tests/sim/story.h"

namespace starling::sim {
namespace {

std::vector<Model> folders() {
  return {Model::from_sql("CREATE TABLE folder (id TEXT PRIMARY KEY NOT NULL, title TEXT)", Kind::shared).seed("'inbox', 'Inbox'").seed("'bin', 'Bin'")};
}

}  // namespace

TEST_CASE("A seed that was deleted, inserted by hand and deleted again stays deleted for those who join by a snapshot, and for whoever joins them") {
  Cluster cluster;
  SimNode& a = cluster.add("A", device_number(1), true, folders());
  SimNode& b = cluster.add("B", device_number(2), false, folders());
  cluster.connect_all();
  cluster.run_until_quiet();
  a.write("DELETE FROM folder WHERE id='bin'");
  a.write("INSERT INTO folder VALUES ('bin', 'Mine')");
  a.write("DELETE FROM folder WHERE id='bin'");
  cluster.run_for(5min);  // the log is forgotten, and tombstones are
  SimNode& c = cluster.add("C", device_number(3), false, folders());
  cluster.let_meet(b, c);
  cluster.run_for(5min);
  CHECK(c.status().snapshots_taken == 1);
  SimNode& d = cluster.add("D", device_number(4), false, folders());
  cluster.let_meet(c, d);
  cluster.connect_all();
  cluster.run_until_quiet();
  for (const SimNode* node : std::vector<const SimNode*>{&a, &b, &c, &d}) {
    CAPTURE(node->name());
    CHECK(node->text("SELECT group_concat(id || title) FROM folder") == "'inboxInbox'");
    CHECK(digest_of(*node) == digest_of(a));
  }
  CHECK(cluster.complaints().empty());
}

}  // namespace starling::sim
