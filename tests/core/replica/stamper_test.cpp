#include "core/base/sha256.h"
#include "proto/entry.h"
#include "proto/state_page.h"
#include "tests/core/replica/test_node.h"

namespace starling {
namespace {

struct Read {
  Bytes bytes;
  DecodedEntry entry;
};

Read read(TestNode& node, std::uint64_t seq) {
  Bytes bytes = node.entry(seq);
  Expected<DecodedEntry> entry = decode_entry(bytes, node.store->schema());
  REQUIRE(entry);
  return {std::move(bytes), std::move(*entry)};
}

std::string shown(TestNode& node, const Change& c) {
  static constexpr const char* kOps[] = {"insert ", "update ", "erase "};
  return kOps[static_cast<int>(c.op)] + node.store->schema().models[c.model].name + " " + describe_values(c.key) + " " +
         std::to_string(c.fields) + " " + describe_values(c.values);
}

}  // namespace

TEST_CASE("Stamper: an insert carries all its fields, an update those that differ, a delete none") {
  TestNode node(1);
  (void)node.write("INSERT INTO note(id, title) VALUES ('n', 't')");
  (void)node.write("UPDATE note SET title='t', body='b', stars=2");
  (void)node.write("DELETE FROM note");
  const Read insert = read(node, 1);
  REQUIRE(insert.entry.changes.size() == 1);
  CHECK(shown(node, insert.entry.changes[0]) == "insert note 'n' 14 't', NULL, NULL");
  CHECK(shown(node, read(node, 2).entry.changes[0]) == "update note 'n' 12 'b', 2");
  CHECK(shown(node, read(node, 3).entry.changes[0]) == "erase note 'n' 0 ");
  const Stamp generation = insert.entry.header.stamp();
  for (const std::uint64_t seq : {1, 2, 3}) CHECK(read(node, seq).entry.changes[0].generation == generation);
}

TEST_CASE("Stamper: entries are numbered, chained, and their stamps increase even when time does not") {
  TestNode node(1);
  for (int i = 0; i < 3; ++i) {
    (void)node.write("INSERT INTO note(id) VALUES (" + std::to_string(i) + ")");
    node.now.wall.ms -= 1000;
  }
  Hash128 previous;
  Hlc hlc;
  for (const std::uint64_t seq : {1, 2, 3}) {
    const Read r = read(node, seq);
    CHECK(r.entry.header.origin == node.store->self());
    CHECK(r.entry.header.seq == Seq{seq});
    CHECK(r.entry.header.previous == previous);
    CHECK(r.entry.header.hlc > hlc);
    previous = hash128(r.bytes);
    hlc = r.entry.header.hlc;
  }
  CHECK(node.own().hlc == hlc);
}

TEST_CASE("Stamper: one transaction has one stamp, and a write of device-owned rows alone takes none") {
  TestNode node(1);
  const Committed owned = node.write("INSERT INTO file(id) VALUES (x'01')");
  CHECK(owned.commit->hlc == Hlc{});
  CHECK(owned.commit->seq == Seq{});
  const Committed shared = node.write("INSERT INTO note(id) VALUES ('a'), ('b'), ('c')");
  CHECK(shared.commit->seq == Seq{1});
  for (const Change& c : read(node, 1).entry.changes) CHECK(c.generation == Stamp{shared.commit->hlc, node.store->self()});
}

TEST_CASE("Stamper: an entry depends on what its author has seen since its last, and on nothing twice") {
  TestNode a(1);
  TestNode b(2, false);
  Exchange exchange(a, b);
  exchange.run({a.write("INSERT INTO note(id) VALUES ('a')")}, {b.write("INSERT INTO file(id) VALUES (x'01')")});
  exchange.run({}, {b.write("INSERT INTO note(id) VALUES ('b1')")});
  exchange.run({}, {b.write("INSERT INTO note(id) VALUES ('b2')")});
  exchange.run({a.write("UPDATE note SET stars=1")});
  VersionVector on_a;
  on_a.advance_seq(a.store->self(), Seq{2}, read(a, 2).entry.header.hlc);  // behind the admission of B
  CHECK(read(b, 1).entry.header.dependencies == on_a);
  CHECK(read(b, 2).entry.header.dependencies.empty());
  VersionVector on_b;
  on_b.advance_seq(b.store->self(), Seq{2}, read(b, 2).entry.header.hlc);
  CHECK(read(a, 3).entry.header.dependencies == on_b);  // of B's state nothing: the log does not wait for it
}

TEST_CASE("Stamper: each device-owned row takes the next revision, and the page lists exactly those") {
  TestNode node(1);
  (void)node.write("INSERT INTO file(id, path) VALUES (x'01', 'a'), (x'02', 'b')");
  const Committed c = node.write("UPDATE file SET size=7 WHERE id=x'01'");
  CHECK(c.commit->rev_before == Rev{2});
  CHECK(c.commit->rev_after == Rev{3});
  const auto page = decode_state_page(c.commit->state_body, Rev{2}, Rev{3}, node.store->schema());
  REQUIRE(page);
  REQUIRE(page->rows.size() == 1);
  CHECK(describe_values(page->rows[0].values) == "'a', 7");  // all fields: state has no history
  CHECK_FALSE(page->rows[0].deleted);
  CHECK(node.number("SELECT rev FROM sync_row WHERE rev IS NOT NULL ORDER BY rev DESC") == 3);
  CHECK(node.number("SELECT count(*) FROM sync_row WHERE rev IS NOT NULL") == 2);
}

TEST_CASE("Stamper: a key change is a delete and an insert; insert and delete in one transaction is nothing") {
  TestNode node(1);
  (void)node.write("INSERT INTO note(id, title) VALUES ('a', 't')");
  const Committed moved = node.write("UPDATE note SET id='b'");
  CHECK(moved.commit->rows == 2);
  std::vector<std::string> changes;
  const Read r = read(node, 2);
  for (const Change& c : r.entry.changes) changes.push_back(shown(node, c));
  std::sort(changes.begin(), changes.end());
  CHECK(changes == std::vector<std::string>{"erase note 'a' 0 ", "insert note 'b' 14 't', NULL, NULL"});
  CHECK(node.write("UPDATE note SET id='b'").commit->rows == 0);
  CHECK(node.own().seq == Seq{2});
}

TEST_CASE("Stamper: a row that was deleted is opened anew by the next insert") {
  TestNode node(1);
  (void)node.write("INSERT INTO note(id) VALUES ('n')");
  (void)node.write("DELETE FROM note");
  const Committed again = node.write("INSERT INTO note(id) VALUES ('n')");
  const ModelIndex note = node.store->schema().index_of(*node.store->schema().find("note"));
  ByteWriter key;
  write_value(key, ValueView::text("n"));
  const std::optional<RowVersion> version = node.store->rows().version(note, key.bytes());
  REQUIRE(version);
  CHECK((*version == RowVersion{{again.commit->hlc, node.store->self()}, std::nullopt, {}}));
}

}  // namespace starling
