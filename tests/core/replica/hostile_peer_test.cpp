// A paired device that is broken or hostile: what it cannot bring about.
#include "core/base/sha256.h"
#include "core/store/ack_store.h"
#include "tests/core/replica/author.h"

namespace starling {
namespace {

Origin stranger(std::uint32_t number) { return {device(200), {Hlc{number}, number}}; }

Errc refusal(const Expected<ApplyResult>& result) {
  REQUIRE_FALSE(result);
  return result.error().code;
}

}  // namespace

TEST_CASE("[N27] Hostile: a change of a row that nobody inserted is refused, and names no origin for us to keep") {
  TestNode node(1);
  Author author(node, 2);
  const std::int64_t origins = node.number("SELECT count(*) FROM sync_origin");
  for (const Op op : {Op::erase, Op::update}) {
    EntryHeader h = author.header();
    h.seq = Seq{1};
    const Stamp never{Hlc::of(200'000'000'000'000, 0), stranger(1)};
    const Bytes values = op == Op::update ? typed({ValueView::text("x")}) : Bytes();
    const FieldMask fields = op == Op::update ? 0b10 : 0;
    CHECK(refusal(author.apply(h, author.encode(h, {{author.model("note"), op, never, typed({ValueView::text("k")}), fields, values}}))) ==
          Errc::corrupt);
  }
  CHECK(node.number("SELECT count(*) FROM sync_row") == 0);
  CHECK(node.number("SELECT count(*) FROM sync_origin") == origins);
}

TEST_CASE("Hostile: one place among the origins is kept for ourselves, however many a peer invents") {
  TestNode node(1);
  Author author(node, 2);
  Applier applier(*node.store);
  node.store->begin(TransactionKind::apply);
  std::size_t taken = 0;
  for (std::uint32_t i = 1; i <= limits::kVectorMax + 10; ++i) {
    StatePage page = author.page(0, 1, {});
    page.origin = stranger(i);
    if (applier.page(page)) ++taken;
  }
  node.store->commit();
  CHECK(taken == limits::kVectorMax - 1);
  (void)node.write("INSERT INTO note(id) VALUES ('ours')");
  CHECK(node.vector().size() == limits::kVectorMax);
  CHECK(sent<Hello>(node.step({PeerUp{1, device(2)}}), 1).size() == 1);
}

TEST_CASE("[N19] Hostile: values that the declaration forbids wait in quarantine; SQLite is never asked, so nobody's step is undone") {
  const auto models = [] {
    return std::vector{Model::from_sql("CREATE TABLE note (id TEXT PRIMARY KEY NOT NULL, n INTEGER NOT NULL) STRICT", Kind::shared)};
  };
  TestNode node(1, true, models());
  Author author(node, 2);
  std::int64_t waiting = 0;
  for (const ValueView& v : {ValueView::null(), ValueView::text("many"), ValueView::of(0.5)}) {
    const EntryHeader h = author.header();
    const Bytes entry = author.encode(h, {{0, Op::insert, h.stamp(), typed({ValueView::of(std::int64_t{++waiting})}), 0b10, typed({v})},
                                          {0, Op::insert, h.stamp(), typed({ValueView::text("k")}), 0b10, typed({v})}});
    CHECK(refusal(author.apply(h, entry)) == Errc::corrupt);  // a key in another form is nobody's version
    const Bytes good = author.encode(h, {{0, Op::insert, h.stamp(), typed({ValueView::text("k" + std::to_string(waiting))}), 0b10, typed({v})}});
    CHECK(author.apply(h, good)->held == 1);
    author.previous = hash128(good);
    CHECK(node.vector().at(author.self).seq == h.seq);
    CHECK(node.number("SELECT count(*) FROM sync_held WHERE why LIKE '%note.n%'") == waiting);
  }
  CHECK(node.number("SELECT count(*) FROM note") == 0);
}

TEST_CASE("Hostile: a peer that shows more origins than there may be is let go, whatever message it does it with") {
  for (const bool by_ack : {false, true}) {
    TestNode node(1);
    (void)meet(node, 1, 2);
    std::optional<Errc> closed;
    for (std::uint32_t round = 0; round < 3 && !closed; ++round) {
      VersionVector many;
      for (std::uint32_t i = 0; i < 9'000; ++i) many.join(stranger(round * 9'000 + i + 1), {Rev{1}, Seq{}, Hlc{}});
      const AckSharedChanges ack{{{{device(2), origin(2).incarnation, round + 1, many}, true}}};
      closed = closed_with(by_ack ? node.receive(1, ack) : node.receive(1, Heartbeat{{}, many, node.now.wall}));
    }
    CHECK(closed == Errc::too_large);
    CHECK(node.store->acks().table().find(device(2))->vector.size() <= limits::kVectorMax);
  }
}

TEST_CASE("Hostile: a revision beyond what anybody reaches is refused where it is decoded or applied") {
  TestNode node(1);
  Author author(node, 2);
  CHECK(refusal(author.apply(author.page(0, limits::kCountMax + 1, {}))) == Errc::corrupt);
}

}  // namespace starling
