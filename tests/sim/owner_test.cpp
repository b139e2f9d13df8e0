// Device-owned rows: only the owner writes, and everybody checks.
#include <doctest/doctest.h>

#include "proto/state_page.h"
#include "tests/sim/phrases.h"

namespace starling::sim {
namespace {

Bytes file_values(const char* path) {
  ByteWriter w;
  write_value(w, ValueView::text(path));
  write_value(w, ValueView::of(std::int64_t{1}));
  write_value(w, ValueView::null());
  return w.take();
}

Bytes file_key(BytesView id) {
  ByteWriter w;
  write_value(w, ValueView::blob(id));
  return w.take();
}

// A page that says: this row of `origin`, at the revision after `from`.
StateChange page_of(const SimNode& node, const Origin& origin, Rev from, BytesView id, const char* path) {
  const Schema& schema = node.store().schema();
  const Bytes key = file_key(id);
  const Bytes values = file_values(path);
  StatePageWriter writer(schema);
  writer.add({schema.index_of(*schema.find("file")), from.next(), false, key, values});
  return StateChange{{origin, from, from.next(), Rev{}, writer.finish()}};
}

Rev rev_of(const SimNode& node, const Origin& origin) { return node.vector().at(origin).rev; }

}  // namespace

TEST_CASE("[T12] An owner's row: another device's write is refused where it is made, and leaves no trace") {
  Pair p;
  p.a.write("INSERT INTO file VALUES (x'01', 'mine', 1, NULL)");
  p.settle();
  const VersionVector before = p.b.vector();
  for (const char* sql : {"UPDATE file SET size=2", "DELETE FROM file", "INSERT OR REPLACE INTO file VALUES (x'01', 'taken', 1, NULL)"}) {
    const Expected<LocalCommit> refused = p.b.try_write(sql);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::not_owner);
  }
  CHECK(p.b.text("SELECT path || size FROM file") == "'mine1'");
  CHECK(p.b.vector() == before);
  p.b.write("INSERT INTO file VALUES (x'02', 'of B', 1, NULL)");
  p.settle();
  p.cluster.expect_converged();
}

TEST_CASE("An owner's row: once deleted, its key still is the owner's") {
  Pair p;
  p.a.write("INSERT INTO file VALUES (x'01', 'mine', 1, NULL)");
  p.a.write("DELETE FROM file");
  p.settle();
  const Expected<LocalCommit> refused = p.b.try_write("INSERT INTO file VALUES (x'01', 'taken', 1, NULL)");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::not_owner);
  p.a.write("INSERT INTO file VALUES (x'01', 'mine again', 1, NULL)");
  p.settle();
  CHECK(p.b.text("SELECT path FROM file") == "'mine again'");
  p.cluster.expect_converged();
}

TEST_CASE("[N27] A forged page: changes of our own stream from somebody else end the session") {
  Pair p;
  p.b.write("INSERT INTO file VALUES (x'01', 'of B', 1, NULL)");
  p.settle();
  const Origin b = p.b.store().self();
  p.cluster.network().inject(p.b, p.a, page_of(p.a, b, rev_of(p.b, b), "\x01", "forged"));
  p.settle();
  REQUIRE(p.cluster.network().refusals().size() == 1);
  CHECK(p.cluster.network().refusals()[0].find("as if this device had made them") != std::string::npos);
  CHECK(p.b.text("SELECT path FROM file") == "'of B'");
  p.cluster.network().forget_refusals();
  p.settle();
  p.cluster.expect_converged();
}

TEST_CASE("[N27] A forged page: a greater device's row for an owner's key waits in quarantine") {
  Cluster cluster;
  SimNode& a = cluster.create("A");
  SimNode& b = cluster.join("B");
  SimNode& forger = cluster.join("C");
  cluster.let_meet(a, b);
  cluster.let_meet(b, forger);
  a.write("INSERT INTO file VALUES (x'01', 'of A', 1, NULL)");
  cluster.run_until_quiet();
  cluster.network().inject(b, forger, page_of(forger, forger.store().self(), Rev{}, "\x01", "forged"));
  cluster.run_until_quiet();
  CHECK(b.text("SELECT path FROM file") == "'of A'");
  CHECK(b.status().quarantined == 1);
  CHECK(b.text("SELECT why FROM sync_quarantine").find("key collision") != std::string::npos);
}

TEST_CASE("Two owners of one key: each keeps its own at home, everyone else shows the lesser device's, by any way") {
  Cluster cluster;
  SimNode& a = cluster.create("A");
  SimNode& b = cluster.join("B");
  SimNode& c = cluster.join("C");
  SimNode& d = cluster.join("D");
  cluster.let_meet(a, b);
  cluster.disconnect(a, b);
  a.write("INSERT INTO file VALUES (x'01', 'of A', 1, NULL)");
  b.write("INSERT INTO file VALUES (x'01', 'of B', 1, NULL), (x'02', 'of B', 1, NULL)");
  cluster.let_meet(a, b);
  cluster.let_meet(a, c);
  cluster.disconnect(a, b);
  cluster.let_meet(b, d);  // D meets only the device that does not show A's row
  CHECK(a.text("SELECT path FROM file WHERE id=x'01'") == "'of A'");
  CHECK(b.text("SELECT path FROM file WHERE id=x'01'") == "'of B'");
  CHECK(c.text("SELECT path FROM file WHERE id=x'01'") == "'of A'");
  CHECK(d.text("SELECT path FROM file WHERE id=x'01'") == "'of A'");
  for (const SimNode* owner : {&a, &b}) CHECK(d.vector().at(owner->store().self()).rev == c.vector().at(owner->store().self()).rev);
  for (SimNode* node : {&a, &b, &c, &d}) CHECK(node->status().quarantined == 1);
  b.write("UPDATE file SET path='of B, changed'");
  cluster.let_meet(c, b);
  CHECK(c.text("SELECT path FROM file WHERE id=x'01'") == "'of A'");
  CHECK(c.text("SELECT path FROM file WHERE id=x'02'") == "'of B, changed'");
}

TEST_CASE("A write for one class refuses the other, and leaves no trace") {
  Cluster cluster;
  SimNode& a = cluster.create("A");
  const auto both = [](Transaction& t) -> Expected<void> {
    (void)t.exec("INSERT INTO note(id) VALUES ('n')");
    (void)t.exec("INSERT INTO file(id) VALUES (x'01')");
    return {};
  };
  for (const WriteScope scope : {WriteScope::shared, WriteScope::device_owned}) {
    const Expected<LocalCommit> refused = a.try_write(both, scope);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::wrong_class);
  }
  CHECK(a.vector().empty());
  a.write(both);
  CHECK(a.vector().at(a.store().self()) == Position{Rev{1}, Seq{1}, a.store().clock().last()});
}

}  // namespace starling::sim
