// Rows that refer to rows: they arrive in any order, from any device, and go with their parents.
#include <doctest/doctest.h>

#include "tests/sim/phrases.h"

namespace starling::sim {
namespace {

// Device-owned: a place knows its root item, items know their place and their parent. Shared: folders in folders, and
// marks on items of any device.
std::vector<Model> tree_models() {
  return {Model::from_sql("CREATE TABLE place (id TEXT PRIMARY KEY NOT NULL, root TEXT REFERENCES item(id)"
                          " DEFERRABLE INITIALLY DEFERRED)", Kind::device_owned),
          Model::from_sql("CREATE TABLE item (id TEXT PRIMARY KEY NOT NULL, place TEXT REFERENCES place(id) ON DELETE CASCADE"
                          " DEFERRABLE INITIALLY DEFERRED, parent TEXT REFERENCES item(id) ON DELETE CASCADE"
                          " DEFERRABLE INITIALLY DEFERRED, body BLOB)", Kind::device_owned),
          Model::from_sql("CREATE TABLE folder (id TEXT PRIMARY KEY NOT NULL, parent TEXT REFERENCES folder(id)"
                          " ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED, name TEXT)", Kind::shared),
          Model::from_sql("CREATE TABLE mark (id TEXT PRIMARY KEY NOT NULL, item TEXT REFERENCES item(id)"
                          " DEFERRABLE INITIALLY DEFERRED)", Kind::shared)};
}

SimNode& add(Cluster& cluster, const char* name) {
  return cluster.add(name, device_number(cluster.size() + 1), cluster.size() == 0, tree_models());
}

// A chain of folders below `root`, a few in each level, in one transaction.
void write_folders(SimNode& node, const std::string& root, int depth) {
  node.write([&](Transaction& t) -> Expected<void> {
    (void)t.exec("INSERT INTO folder VALUES (?, NULL, 'root')", root);
    std::string parent = root;
    for (int level = 0; level < depth; ++level) {
      for (const char* child : {"a", "b", "c"}) (void)t.exec("INSERT INTO folder VALUES (?, ?, 'x')", parent + child, parent);
      parent += "a";
    }
    return {};
  });
}

// Children before parents, item after item; each with a body of its own size.
void write_items_backwards(SimNode& node, int count, std::size_t body) {
  node.write([&](Transaction& t) -> Expected<void> {
    for (int i = count; i > 0; --i) {
      const auto done = t.exec("INSERT INTO item VALUES (?, 'p', ?, ?)", numbered("i", i), numbered("i", i - 1),
                               Blob{noise(body, static_cast<std::uint64_t>(i))});
      if (!done) return done.error();
    }
    (void)t.exec("INSERT INTO place VALUES ('p', ?)", numbered("i", 0));
    (void)t.exec("INSERT INTO item VALUES (?, 'p', NULL, NULL)", numbered("i", 0));
    return {};
  });
}

std::size_t dangling(const SimNode& node) { return node.query("PRAGMA foreign_key_check").size(); }

}  // namespace

TEST_CASE("[T13] A tree is deleted by its root: the cascade is one change, and gone on all, also on who joins then") {
  Cluster cluster;
  SimNode& a = add(cluster, "A");
  SimNode& b = add(cluster, "B");
  SimNode& c = add(cluster, "C");
  cluster.let_meet(a, b);
  cluster.let_meet(b, c);
  write_folders(a, "r", 40);
  write_folders(a, "s", 2);
  write_items_backwards(a, 50, 10);
  cluster.run_until_quiet();
  CHECK(c.count("folder") == 121 + 7);
  CHECK(c.count("item") == 51);
  const WireCount before = cluster.wire();
  const LocalCommit gone = b.write("DELETE FROM folder WHERE id='r'");
  CHECK(gone.rows == 121);
  a.write("DELETE FROM place WHERE id='p'");
  cluster.run_until_quiet();
  CHECK(cluster.wire().since(before).entries == 2);  // one transaction, to two devices
  add(cluster, "D");
  cluster.let_meet(c, cluster.node(3));
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    CHECK(cluster.node(i).count("folder") == 7);
    CHECK(cluster.node(i).count("item") + cluster.node(i).count("place") == 0);
    CHECK(dangling(cluster.node(i)) == 0);
  }
  cluster.expect_converged();
}

TEST_CASE("[N16] A parent is deleted while another device adds children: all show the same, the children dangle, nothing hangs") {
  for (const bool live : {false, true}) {
    CAPTURE(live);
    Cluster cluster;
    SimNode& a = add(cluster, "A");
    SimNode& b = add(cluster, "B");
    write_folders(a, "r", 3);
    cluster.let_meet(a, b);
    if (!live) cluster.disconnect(a, b);
    for (int i = 0; i < 20; ++i) {
      const std::string id = numbered("new", i);
      if (!b.try_write("INSERT INTO folder VALUES (?, 'ra', 'new')", id)) break;  // the delete has arrived
      if (i == 5) a.write("DELETE FROM folder WHERE id='r'");
      cluster.run_for(3ms);
    }
    cluster.let_meet(a, b);
    const std::int64_t left = a.count("folder");
    CHECK(b.count("folder") == left);
    if (!live) CHECK(left == 20);
    CHECK(a.count("folder WHERE name<>'new'") == 0);
    CHECK(dangling(a) == static_cast<std::size_t>(left));
    cluster.expect_converged();
    b.write("DELETE FROM folder");  // and they can be cleared away
    cluster.run_until_quiet();
    CHECK(a.count("folder") == 0);
    cluster.expect_converged();
  }
}

TEST_CASE("[N17] A child before its parent, in one page and in the next, with a cycle of two models: whole in the end") {
  for (const std::size_t body : {std::size_t{10}, 40 * limits::KiB}) {
    CAPTURE(body);
    Cluster cluster;
    SimNode& a = add(cluster, "A");
    SimNode& b = add(cluster, "B");
    write_items_backwards(a, 40, body);
    cluster.let_meet(a, b);
    CHECK(b.count("item") == 41);
    CHECK(dangling(b) == 0);
    a.write("DELETE FROM place");  // the cycle, by either end
    cluster.run_until_quiet();
    CHECK(b.count("item") == 0);
    cluster.expect_converged();
  }
}

TEST_CASE("[N18] A child before its parent, and the device restarts in between, on whatever page: whole in the end") {
  int midway = 0;
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    CAPTURE(seed);
    Cluster cluster(seed);
    SimNode& a = add(cluster, "A");
    SimNode& b = add(cluster, "B");
    write_items_backwards(a, 60, 40 * limits::KiB);
    cluster.connect(a, b);
    for (int i = 0; i < 4; ++i) {
      cluster.network().cut_after(a, b, 300 * limits::KiB * seed);
      cluster.run_for(200ms);
      const std::int64_t here = b.count("item");
      midway += here > 0 && here < 61 && dangling(b) > 0 ? 1 : 0;
      b.restart();
    }
    cluster.run_until_quiet();
    CHECK(b.count("item") == 61);
    CHECK(dangling(b) == 0);
    cluster.expect_converged();
  }
  CHECK(midway >= 3);
}

TEST_CASE("[N17] A child of another device's row, by another way, before its parent or without it for ever: nothing waits") {
  Cluster cluster;
  SimNode& a = add(cluster, "A");
  SimNode& b = add(cluster, "B");
  SimNode& c = add(cluster, "C");
  cluster.let_meet(a, b);
  cluster.let_meet(a, c);
  b.write("INSERT INTO item VALUES ('goes', NULL, NULL, NULL)");
  cluster.run_until_quiet();
  cluster.disconnect(a, c);
  b.write("INSERT INTO item VALUES ('late', NULL, NULL, ?)", Blob{noise(600 * limits::KiB, 1)});
  cluster.run_until_quiet();
  a.write("INSERT INTO mark VALUES ('1', 'late'), ('2', 'goes')");
  b.write("DELETE FROM item WHERE id='goes'");
  Quality slow;
  slow.bytes_per_second = 300 * limits::KiB;
  cluster.network().set_quality(a, c, slow);
  cluster.connect(a, c);
  while (c.count("mark") < 2) cluster.run_for(1ms);
  CHECK(c.count("item WHERE id='late'") == 0);  // the mark was first
  cluster.run_until_quiet();
  for (const SimNode* node : {&a, &b, &c}) {
    CHECK(node->count("mark JOIN item ON item.id=mark.item") == 1);
    CHECK(dangling(*node) == 1);  // its parent never comes
    CHECK(node->status().waiting.empty());
  }
  cluster.expect_converged();
}

}  // namespace starling::sim
