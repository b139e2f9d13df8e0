// Rows that changed behind the engine's back: found, told, and healed by whoever has them.
#include <doctest/doctest.h>

#include "core/store/digest_table.h"
#include "core/store/row_store.h"
#include "tests/sim/phrases.h"

namespace starling::sim {
namespace {

constexpr Duration kPass = 10min;

// As a failing disk or another program would, past hooks and guards.
void damage(Cluster& cluster, SimNode& node, const char* sql) {
  cluster.ledger().expect_damage(node);
  Store& store = node.store();
  store.begin(TransactionKind::apply);
  Statement(store.handle(), sql).run();
  REQUIRE(sqlite3_changes(store.handle()) == 1);
  store.commit();
}

struct Devices {
  Cluster cluster;
  std::vector<SimNode*> nodes;

  explicit Devices(std::size_t count, Duration pass = kPass) {
    for (std::size_t i = 0; i < count; ++i) {
      NodeConfig config;
      config.name = std::string(1, static_cast<char>('A' + i));
      config.device = device_number(i);
      config.create = i == 0;
      config.models = sim_models();
      config.scrub_pass = pass;
      nodes.push_back(&cluster.add(config));
    }
    cluster.connect_all();
    cluster.run_until_quiet();
    write_notes(*nodes[0], "n", 0, 300);
    write_files(*nodes[0], "f", 0, 300);
    cluster.run_until_quiet();
  }
  SimNode& operator[](std::size_t i) { return *nodes[i]; }
};

std::uint64_t repaired(const std::vector<SimNode*>& nodes) {
  std::uint64_t rows = 0;
  for (const SimNode* node : nodes) rows += node->status().repaired;
  return rows;
}

}  // namespace

TEST_CASE("Scrub: a value that changed behind the engine's back is found and healed within a pass, and told") {
  Devices d(2);
  damage(d.cluster, d[1], "UPDATE note SET title='rotten' WHERE id='n000007'");
  d.cluster.run_for(kPass + 1min);
  CHECK(d[1].noted("damaged: note ('n000007') has other values than were written"));
  CHECK(d[1].noted("as it was written again: note ('n000007')"));
  CHECK(d[1].text("SELECT title FROM note WHERE id='n000007'") == "'title'");
  CHECK(d[1].status().damaged == 0);
  CHECK(repaired(d.nodes) == 1);
  d.cluster.expect_converged();
}

TEST_CASE("Scrub: rows that were deleted behind it come back, shared ones and another device's") {
  Devices d(2);
  damage(d.cluster, d[1], "DELETE FROM note WHERE id='n000007'");
  damage(d.cluster, d[1], "DELETE FROM file WHERE id=CAST('f000009' AS BLOB)");
  damage(d.cluster, d[1], "UPDATE file SET path='rotten' WHERE id=CAST('f000011' AS BLOB)");
  d.cluster.run_for(kPass + 1min);
  CHECK(d[1].count("note") == 300);
  CHECK(d[1].count("file") == 300);
  CHECK(repaired(d.nodes) == 3);
  CHECK(d[1].status().damaged == 0);
  d.cluster.expect_converged();
}

TEST_CASE("Scrub: the owner's own row is healed by a peer that has it at that revision") {
  Devices d(2);
  damage(d.cluster, d[0], "UPDATE file SET path='rotten' WHERE id=CAST('f000011' AS BLOB)");
  damage(d.cluster, d[0], "DELETE FROM file WHERE id=CAST('f000012' AS BLOB)");
  d.cluster.run_for(kPass + 1min);
  CHECK(repaired(d.nodes) == 2);
  CHECK(d[0].status().damaged == 0);
  d.cluster.expect_converged();
}

TEST_CASE("Scrub: nobody to ask: the damage stays reported, and is healed when somebody comes") {
  Devices d(2);
  d.cluster.disconnect(d[0], d[1]);
  damage(d.cluster, d[1], "UPDATE note SET title='rotten' WHERE id='n000007'");
  d.cluster.run_for(kPass + 1min);
  CHECK(d[1].status().damaged == 1);
  d.cluster.run_for(kPass);
  CHECK(d[1].status().damaged == 1);
  d.cluster.connect(d[0], d[1]);
  d.cluster.run_for(1min);
  CHECK(d[1].status().damaged == 0);
  d.cluster.expect_converged();
}

TEST_CASE("Scrub: a device that is on for a short while at a time comes round all the same") {
  Devices d(2, 24h);
  damage(d.cluster, d[1], "UPDATE note SET title='rotten' WHERE id='n000299'");
  for (int i = 0; i < 30; ++i) {
    d.cluster.run_for(2min);  // one slice in each life
    d[1].restart();
  }
  d.cluster.run_for(2min);
  CHECK(d[1].noted("damaged: note ('n000299')"));
  CHECK(d[1].status().damaged == 0);
  d.cluster.expect_converged();
}

TEST_CASE("Scrub: a row that was put in behind the engine's back is told of, and stays") {
  Devices d(2);
  damage(d.cluster, d[1], "INSERT INTO note(id) VALUES ('stranger')");
  d.cluster.run_for(kPass + 1min);
  CHECK(d[1].noted("note ('stranger') was written behind the engine's back"));
  CHECK(d[1].status().damaged == 1);
  CHECK(d[0].count("note") == 300);
  d[1].write("UPDATE note SET title='known now' WHERE id='stranger'");  // told like any other from here on
  d.cluster.run_for(2min);
  CHECK(d[1].status().damaged == 0);
  d.cluster.expect_converged();
}

TEST_CASE("A damaged row that is changed is no good row: neither its own device nor another passes it for one") {
  for (const int writer : {0, 1}) {
    CAPTURE(writer);
    Devices d(2, 24h);  // no scrub comes in between
    damage(d.cluster, d[1], "UPDATE note SET body='rotten' WHERE id='n000007'");
    d[static_cast<std::size_t>(writer)].write("UPDATE note SET title='changed' WHERE id='n000007'");
    d.cluster.run_for(5min);
    CHECK(d[1].text("SELECT body FROM note WHERE id='n000007'") == d[0].text("SELECT body FROM note WHERE id='n000007'"));
    CHECK(d[0].text("SELECT body FROM note WHERE id='n000007'") != "'rotten'");
    CHECK(d[1].text("SELECT title FROM note WHERE id='n000007'") == "'changed'");
    CHECK(repaired(d.nodes) == 1);
    d.cluster.expect_converged();
  }
}

namespace {

// A row goes with its version, as a bug of the engine might lose it.
void forget_row(Cluster& cluster, SimNode& node, const char* model, const ValueView& id, const Origin& owner) {
  cluster.ledger().expect_damage(node);
  Store& store = node.store();
  const ModelIndex m = store.schema().index_of(*store.schema().find(model));
  ByteWriter key;
  write_value(key, id);
  store.begin(TransactionKind::apply);
  store.rows().erase_row(m, key.bytes());
  Statement(store.handle(), "DELETE FROM sync_row WHERE key=?").blob(key.bytes()).run();
  REQUIRE(store.rows().recount(m, owner));
  store.commit();
}

}  // namespace

TEST_CASE("A damaged row of another device's is not handed on: whoever asks gets it once it is healed, and asks patiently") {
  Devices d(2);
  SimNode& c = d.cluster.join("C");
  damage(d.cluster, d[1], "UPDATE file SET path='rotten' WHERE id=CAST('f000200' AS BLOB)");
  d.cluster.disconnect(d[0], d[1]);
  d.cluster.connect(d[1], c);
  const WireCount before = d.cluster.wire();
  d.cluster.run_for(20min);
  CHECK(c.count("file") == 200);
  MESSAGE("asked " << d.cluster.wire().since(before).of("StateRequest").messages << " times in 20 minutes");
  CHECK(d.cluster.wire().since(before).of("StateRequest").messages < 300);
  d.cluster.connect(d[0], d[1]);
  d.cluster.run_for(kPass);
  d.cluster.expect_converged();
  CHECK(c.count("file") == 300);
}

TEST_CASE("Digests: both sides see at once that they differ: one compares, one repair") {
  for (const std::size_t damaged : {0, 1}) {
    CAPTURE(damaged);
    Devices d(2, 24h);
    forget_row(d.cluster, d[damaged], "note", ValueView::text("n000007"), {});
    const WireCount before = d.cluster.wire();
    d.cluster.run_for(damaged == 0 ? 40s : 2min);
    CHECK(d[0].noted("holds the same changes and other rows"));
    CHECK(d[1].noted("holds the same changes and other rows"));
    CHECK(d[damaged].count("note") == 300);
    CHECK(repaired(d.nodes) == 1);
    const WireCount said = d.cluster.wire().since(before);
    CHECK(said.of("DigestRequest").messages == (damaged == 0 ? 3 : 6));
    d.cluster.expect_converged();
  }
}

TEST_CASE("Digests: of three, the one that lacks a row gets it once") {
  Devices d(3, 24h);
  forget_row(d.cluster, d[1], "note", ValueView::text("n000007"), {});
  forget_row(d.cluster, d[2], "file", ValueView::blob("f000008"), d[0].store().self());
  d.cluster.run_for(5min);
  CHECK(d[1].count("note") == 300);
  CHECK(d[2].count("file") == 300);
  CHECK(repaired(d.nodes) == 2);
  d.cluster.expect_converged();
}

TEST_CASE("Digests: one that is wrong itself is counted anew") {
  Devices d(2, 24h);
  Store& store = d[1].store();
  store.begin(TransactionKind::apply);
  store.digests().add(store.rows().group_of(store.schema().index_of(*store.schema().find("note")), {}), 7, 99);
  store.commit();
  d.cluster.run_for(3min);
  CHECK(d[1].noted("a digest was wrong, and was counted anew"));
  CHECK(repaired(d.nodes) == 0);
  d.cluster.expect_converged();
}

TEST_CASE("Digests: two that never agree ask each other ever more rarely") {
  Devices d(2, 24h);
  for (SimNode* node : d.nodes) damage(d.cluster, *node, "UPDATE sync_row SET sum=sum+1 WHERE model=(SELECT number FROM sync_model WHERE name='note') AND key=(SELECT min(key) FROM sync_row WHERE"
                                                     " model=(SELECT number FROM sync_model WHERE name='note'))");
  damage(d.cluster, d[1], "UPDATE sync_digest SET ranges=zeroblob(2056) WHERE origin=0 AND model=(SELECT number FROM sync_model WHERE name='note')");
  d[1].restart();
  d.cluster.run_for(24h);
  CHECK(d.cluster.wire().of("DigestRequest").messages < 400);
}

}  // namespace starling::sim
