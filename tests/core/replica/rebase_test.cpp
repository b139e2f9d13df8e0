#include "core/replica/rebase.h"

#include "core/base/sha256.h"
#include "core/replica/applier.h"
#include "core/store/sync_state.h"
#include "tests/core/replica/author.h"

namespace starling {
namespace {

// A device that has caught up with nobody yet, and a member whose log comes to it.
struct Newcomer {
  TestNode node{2, false};
  Author member{node, 1};
  Stamp born;  // of the member's row

  static Bytes key(const char* id) { return typed({ValueView::text(id)}); }

  EntryHeader next() {
    EntryHeader h = member.header();
    h.previous = member.previous;
    return h;
  }
  void take(const EntryHeader& h, const Bytes& entry) {
    const Expected<ApplyResult> applied = member.apply(h, entry);
    REQUIRE_MESSAGE(applied.has_value(), (applied ? std::string() : applied.error().text()));
    member.previous = hash128(entry);
  }
  void member_inserts(const char* id) {
    const EntryHeader h = next();
    born = h.stamp();
    take(h, member.insert(h, key(id)));
  }
  void member_changes(const char* id, Op op, FieldMask fields, const Bytes& values) {
    const EntryHeader h = next();
    take(h, member.encode(h, {{member.model("note"), op, born, key(id), fields, values}}));
  }
  // Later than all that was written; gives how many entries it makes.
  std::size_t rebase() {
    node.now.wall.ms += 60'000;
    node.store->begin(TransactionKind::apply);
    Applier applier(*node.store);
    const std::vector<LocalCommit> commits = starling::rebase(*node.store, applier, node.now.wall).commits;
    node.store->commit();
    CHECK_FALSE(node.store->state().provisional());
    CHECK(node.own().seq == Seq{commits.size()});
    CHECK(node.number("SELECT count(DISTINCT seq) FROM sync_log WHERE origin=" + std::to_string(node.store->self_ordinal())) ==
          static_cast<std::int64_t>(commits.size()));
    for (const LocalCommit& commit : commits) CHECK(commit.hlc.ms() == node.now.wall.ms);
    return commits.size();
  }
  std::string told(std::uint64_t seq) {
    static constexpr const char* kOps[] = {"insert ", "update ", "erase "};
    const Bytes bytes = node.entry(seq);
    const DecodedEntry entry = decode_entry(bytes, node.store->schema()).value();
    std::string text;
    for (const Change& c : entry.changes) {
      text += (text.empty() ? "" : "; ") + std::string(kOps[static_cast<int>(c.op)]) + describe_values(c.key) + " " +
              std::to_string(c.fields) + " " + describe_values(c.values) + (c.generation == born ? " of the member's" : "");
      CHECK((c.op != Op::insert || c.generation == entry.header.stamp()));
    }
    return text;
  }
  [[nodiscard]] std::optional<RowVersion> version(const char* id) const {
    return node.store->rows().version(member.model("note"), key(id));
  }
};

}  // namespace

TEST_CASE("rebase: rows that we inserted are one insert each, as they now stand, in one entry under the first number") {
  Newcomer n;
  (void)n.node.write("INSERT INTO note(id, title) VALUES ('a', 't'), ('b', 'u')");
  (void)n.node.write("UPDATE note SET title='T', stars=3 WHERE id='a'");
  CHECK(n.node.own().seq == Seq{2});
  CHECK(n.rebase() == 1);
  CHECK(n.told(1) == "insert 'a' 14 'T', NULL, 3; insert 'b' 14 'u', NULL, NULL");
  CHECK(n.version("a")->fields.empty());
  CHECK(n.version("a")->generation.hlc == n.node.own().hlc);
  CHECK(n.node.text("SELECT title FROM note WHERE id='a'") == "T");
}

TEST_CASE("rebase: of another's row the fields that we changed are told, those alone, and what we saw goes with them") {
  Newcomer n;
  n.member_inserts("a");
  n.node.now.wall.ms += 1000;
  (void)n.node.write("UPDATE note SET title='T', stars=3");
  n.member_changes("a", Op::update, 0b1000, typed({ValueView::of(std::int64_t{5})}));
  CHECK(n.node.text("SELECT title || stars FROM note") == "T3");  // ours is later
  CHECK(n.rebase() == 1);
  CHECK(n.told(1) == "update 'a' 10 'T', 3 of the member's");
  const Bytes entry = n.node.entry(1);
  CHECK(decode_entry_header(entry)->dependencies.at(n.member.self).seq == Seq{2});
}

TEST_CASE("rebase: what was beaten meanwhile stays beaten, and a row in another generation is not ours to change") {
  Newcomer n;
  n.member_inserts("a");
  (void)n.node.write("UPDATE note SET title='T'");
  n.member.ms += 10'000;
  SUBCASE("by a later value") {
    n.member_changes("a", Op::update, 0b10, typed({ValueView::text("later")}));
    CHECK(n.rebase() == 0);
    CHECK(n.node.text("SELECT title FROM note") == "later");
  }
  SUBCASE("by a delete") {
    n.member_changes("a", Op::erase, 0, {});
    CHECK(n.rebase() == 0);
    CHECK(n.node.number("SELECT count(*) FROM note") == 0);
  }
  SUBCASE("by the row anew") {
    n.member_changes("a", Op::erase, 0, {});
    n.member_inserts("a");
    CHECK(n.rebase() == 0);
    CHECK(n.node.text("SELECT title FROM note") == "t");
  }
}

TEST_CASE("rebase: another's row that we deleted is deleted, in the generation that we saw") {
  Newcomer n;
  n.member_inserts("a");
  (void)n.node.write("DELETE FROM note");
  CHECK(n.rebase() == 1);
  CHECK(n.told(1) == "erase 'a' 0  of the member's");
  CHECK(n.version("a")->death == Death{n.node.store->self(), Seq{1}});
  CHECK(n.version("a")->generation == n.born);
  CHECK(n.node.number("SELECT count(*) FROM note") == 0);
}

TEST_CASE("rebase: a row of our own that we deleted is inserted and deleted, lest an older one of somebody else's show") {
  Newcomer n;
  (void)n.node.write("INSERT INTO note(id, title) VALUES ('a', 't'), ('b', 'u')");
  (void)n.node.write("DELETE FROM note WHERE id='a'");
  CHECK(n.rebase() == 2);
  CHECK(n.told(1) == "insert 'a' 14 't', NULL, NULL; insert 'b' 14 'u', NULL, NULL");
  CHECK(n.told(2) == "erase 'a' 0 ");
  CHECK(n.version("a")->death == Death{n.node.store->self(), Seq{2}});
  CHECK(n.node.text("SELECT group_concat(id) FROM note") == "b");
}

TEST_CASE("rebase: a row of ours that counts as dead, or was forgotten, was written later than that, and stands again") {
  Newcomer n;
  (void)n.node.write("INSERT INTO note(id, title) VALUES ('a', 't')");
  (void)n.node.write("UPDATE note SET stars=4");
  SUBCASE("dead, for the member deleted a later one under the same key") {
    n.member.ms += 10'000;
    n.member_inserts("a");
    n.member_changes("a", Op::erase, 0, {});
    REQUIRE(n.version("a")->death);
  }
  SUBCASE("forgotten") {
    n.node.store->begin(TransactionKind::apply);
    n.node.store->rows().erase_row(n.member.model("note"), n.key("a"));
    n.node.store->rows().forget(n.member.model("note"), n.key("a"));
    n.node.store->commit();
  }
  CHECK(n.node.number("SELECT count(*) FROM note") == 0);
  CHECK(n.rebase() == 1);
  CHECK(n.told(1) == "insert 'a' 14 't', NULL, 4");
  CHECK(n.node.text("SELECT title || stars FROM note") == "t4");
  CHECK_FALSE(n.version("a")->death);
}

TEST_CASE("rebase: a transaction that is kept in parts is told anew like any other") {
  Newcomer n;
  (void)n.node.write("INSERT INTO note(id, title) VALUES ('a', 't')");
  (void)n.node.write("WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 400)"
                     " INSERT INTO note(id, title) SELECT 'large ' || n, randomblob(1000) FROM i");
  REQUIRE(n.node.store->log().size(n.node.store->self_ordinal(), Seq{2}) > limits::kPartMax);
  (void)n.node.write("UPDATE note SET title='T' WHERE id='a'");
  CHECK(n.rebase() == 1);
  const Bytes bytes = n.node.entry(1);
  CHECK(decode_entry(bytes, n.node.store->schema())->changes.size() == 401);
  CHECK(n.node.text("SELECT title FROM note WHERE id='a'") == "T");
}

TEST_CASE("rebase: nothing written, nothing told; device-owned rows are none of it") {
  Newcomer n;
  (void)n.node.write("INSERT INTO file(id, path) VALUES (x'01', 'p')");
  CHECK(n.rebase() == 0);
  CHECK(n.node.own().rev == Rev{1});
  CHECK(n.node.write("INSERT INTO note(id) VALUES ('a')").commit->seq == Seq{1});
}

}  // namespace starling
