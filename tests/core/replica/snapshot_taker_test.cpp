// Snapshots as a peer played by the test sends them.
#include "core/replica/snapshot_taker.h"

#include "core/base/sha256.h"
#include "core/store/snapshot_stage.h"
#include "proto/snapshot_page.h"
#include "tests/core/replica/author.h"

namespace starling {
namespace {

constexpr SessionId kPeer = 7;

struct Story {
  TestNode node{1};
  Author author{node, 2};
  Applier applier{*node.store};
  SnapshotTaker taker{*node.store, applier};
  SnapshotHead head;
  std::vector<Bytes> keys, values;
  std::vector<SnapshotRow> notes;
  SnapshotRange notes_range{{}, true};

  // The author has written three entries, the last just now.
  Story() {
    keys.reserve(10);
    values.reserve(10);
    head.logs.push_back({author.self, Seq{3}, at(0), hash128("entry"), {}});
    taker.need(source());
    REQUIRE(taker.plan());
  }

  [[nodiscard]] PeerSession source() const {
    PeerSession s;
    s.id = kPeer;
    for (const ModelSchema& m : node.store->schema().models) s.models.insert(m.name);
    return s;
  }
  [[nodiscard]] Hlc at(std::int64_t ms) const { return Hlc::of(node.now.wall.ms + ms, 0); }
  void add(const char* id, RowVersion version = {}) {
    if (version.generation == Stamp{}) version.generation = {at(-10), author.self};
    keys.push_back(typed({ValueView::text(id)}));
    values.push_back(version.death ? Bytes() : typed({ValueView::text(std::string("title ") + id), ValueView::null(), ValueView::null()}));
    notes.push_back({keys.back(), version, values.back()});
  }
  [[nodiscard]] std::vector<Bytes> bodies() const {
    const Schema& schema = node.store->schema();
    const auto page = [&](const char* name, std::span<const SnapshotRow> rows, const SnapshotRange& range) {
      return encode_snapshot_page(schema, schema.index_of(*schema.find(name)), rows, range);
    };
    return {encode_snapshot_head(head), page("link", {}, {{}, true}), page("note", notes, notes_range), page("sync_member", {}, {{}, true})};
  }
  Expected<void> take(const SnapshotPage& page, SessionId from = kPeer) {
    node.store->begin(TransactionKind::apply);
    const auto taken = taker.take(from, page, node.now.wall);
    if (!taken) {
      node.store->rollback();
      return taken.error();
    }
    node.store->commit();
    return {};
  }
  [[nodiscard]] SnapshotPage page(std::size_t index) const {
    const std::vector<Bytes> all = bodies();
    return {hash128(all[0]), index, hash128(all[index]), all[index], index + 1 == all.size()};
  }
  Expected<void> take_all() {
    for (std::size_t i = 0; i < 4; ++i)
      if (const Expected<void> taken = take(page(i)); !taken) return taken;
    return {};
  }
  void merge() {
    while (taker.merging()) {
      node.store->begin(TransactionKind::apply);
      (void)taker.merge_more(node.now.wall);
      node.store->commit();
    }
  }
  [[nodiscard]] std::string ids() const { return node.text("SELECT group_concat(id) FROM (SELECT id FROM note ORDER BY id)"); }
};

std::optional<Errc> code(const Expected<void>& taken) { return taken ? std::nullopt : std::optional(taken.error().code); }

}  // namespace

TEST_CASE("SnapshotTaker: rows show once all pages are here, and with the last slice we stand at its vector") {
  Story s;
  s.add("a");
  s.add("b", {{s.at(-10), s.author.self}, Death{s.author.self, Seq{2}}, {}});
  s.add("c", {{s.at(-10), s.author.self}, std::nullopt, {{1, {s.at(-5), s.author.self}}}});
  (void)s.node.write("INSERT INTO note(id) VALUES ('ours')");
  for (std::size_t i = 0; i < 3; ++i) {
    REQUIRE(s.take(s.page(i)));
    CHECK(s.ids() == "ours");
  }
  REQUIRE(s.take(s.page(3)));
  CHECK(s.taker.merging());
  CHECK(s.node.vector().at(s.author.self).seq == Seq{});
  CHECK(s.node.store->known().at(s.author.self).seq == Seq{3});
  s.merge();
  CHECK(s.ids() == "a,c,ours");
  CHECK(s.node.vector().at(s.author.self) == Position{Rev{}, Seq{3}, s.at(0)});
  const Ordinal author = *s.node.store->origins().find(s.author.self);
  CHECK(s.node.store->origins().horizon(author).seq == Seq{3});
  CHECK(s.node.store->origins().last_hash(author) == hash128("entry"));
  for (std::size_t i : {0U, 1U, 2U}) CHECK(s.node.store->rows().version(s.author.model("note"), s.keys[i]) == s.notes[i].version);
  CHECK(s.node.store->snapshot().kept().empty());
}

TEST_CASE("SnapshotTaker: what it covers and does not list has died; what we cover and do not have has died here") {
  Story s;
  EntryHeader h = s.author.header();
  h.hlc = s.at(-10);
  REQUIRE(s.author.apply(h, s.author.insert(h, typed({ValueView::text("x")}))));
  s.add("y", {{s.at(-11), s.author.self}, std::nullopt, {}});
  s.add("z", {{s.at(-9), s.author.self}, std::nullopt, {}});
  CHECK(s.ids() == "x");
  REQUIRE(s.take_all());
  s.merge();
  CHECK(s.ids() == "z");
}

TEST_CASE("SnapshotTaker: a page that does not follow, as after others were dropped on their way, ends the asking; what has come stays") {
  Story s;
  s.add("a");
  REQUIRE(s.take(s.page(0)));
  SnapshotPage late = s.page(1);
  SUBCASE("a page was left out") { late = s.page(2); }
  SUBCASE("of another snapshot") { late.snapshot.raw[0] ^= 1; }
  SUBCASE("nothing, and we do not have it") { late.body.clear(); }
  CHECK(s.take(late));
  CHECK_FALSE(s.taker.ended(kPeer));
  CHECK(s.take(s.page(1)));  // no longer asked for
  CHECK(s.node.number("SELECT count(*) FROM sync_snapshot") == 1);
  s.taker.need(s.source());
  REQUIRE(s.taker.plan());
  REQUIRE(s.take_all());
  s.merge();
  CHECK(s.ids() == "a");
}

TEST_CASE("[N27] SnapshotTaker: a page that is not what it says ends the session and leaves nothing merged") {
  Story s;
  s.add("a");
  s.add("b");
  REQUIRE(s.take(s.page(0)));
  SnapshotPage bad = s.page(1);
  SUBCASE("another hash") { bad.hash.raw[0] ^= 1; }
  SUBCASE("it ends before its last model") { bad.last = true; }
  SUBCASE("no page at all") {
    bad.body = "nonsense";
    bad.hash = hash128(bad.body);
  }
  CHECK(code(s.take(bad)) == Errc::corrupt);
  CHECK_FALSE(s.taker.merging());
  CHECK(s.node.number("SELECT count(*) FROM note") == 0);
  CHECK(s.node.number("SELECT count(*) FROM sync_snapshot") == 1);
}

TEST_CASE("[N27] SnapshotTaker: rows with changes beyond the vector are refused: no stamp of the future, no invented origin") {
  Story s;
  const Stamp born{s.at(-10), s.author.self}, future{s.at(1), s.author.self}, invented{s.at(-10), origin(99)};
  SUBCASE("") { s.add("a", {future, std::nullopt, {}}); }
  SUBCASE("") { s.add("a", {invented, std::nullopt, {}}); }
  SUBCASE("") { s.add("a", {born, std::nullopt, {{1, future}}}); }
  SUBCASE("") { s.add("a", {born, std::nullopt, {{1, {s.at(-5), origin(99)}}}}); }
  SUBCASE("") { s.add("a", {born, Death{s.author.self, Seq{4}}, {}}); }
  SUBCASE("") { s.add("a", {born, Death{origin(99), Seq{1}}, {}}); }
  CHECK(code(s.take_all()) == Errc::corrupt);
  CHECK_FALSE(s.taker.merging());
  CHECK_FALSE(s.node.store->origins().find(origin(99)));
}

TEST_CASE("SnapshotTaker: one whose clock is ahead waits as a whole; one that knows more of us than we do is refused") {
  Story s;
  SUBCASE("the clock") {
    s.head.logs[0].hlc = s.at(limits::kDriftMaxMs + 1);
    CHECK(s.take(s.page(0)));
    CHECK_FALSE(s.taker.ended(kPeer));  // to be asked for again
    CHECK(s.take(s.page(1)));           // no longer asked for
    CHECK(s.node.number("SELECT count(*) FROM sync_snapshot") == 1);
  }
  SUBCASE("ourselves") {
    s.head.logs.insert(s.head.logs.begin() + (s.node.store->self() < s.author.self ? 0 : 1), {s.node.store->self(), Seq{1}, s.at(-1), {}, {}});
    CHECK(code(s.take(s.page(0))) == Errc::corrupt);
  }
  SUBCASE("somebody else's page") {
    CHECK(s.take(s.page(0), kPeer + 1));
    CHECK(s.node.number("SELECT count(*) FROM sync_snapshot") == 0);
  }
}

}  // namespace starling
