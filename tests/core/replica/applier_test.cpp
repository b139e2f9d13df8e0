#include "core/replica/applier.h"

#include <deque>

#include "core/base/sha256.h"
#include "core/store/conflict_log.h"
#include "core/store/quarantine.h"
#include "tests/core/replica/author.h"

namespace starling {
namespace {

Applied outcome(const Expected<ApplyResult>& result) {
  REQUIRE_MESSAGE(result.has_value(), (result ? std::string() : result.error().text()));
  return result->outcome;
}

Errc code(const Expected<ApplyResult>& result) {
  REQUIRE_FALSE(result);
  return result.error().code;
}

}  // namespace

TEST_CASE("Applier: an entry that continues the log is applied, kept as it is, and moves our position") {
  TestNode node(1);
  Author author(node, 2);
  const EntryHeader h = author.header();
  const Bytes key = typed({ValueView::text("n")});
  const Bytes bytes = author.insert(h, key);
  const Expected<ApplyResult> result = author.apply(h, bytes);
  CHECK(outcome(result) == Applied::done);
  CHECK(result->rows == 1);
  REQUIRE(result->event.rows.size() == 1);
  CHECK(result->event.rows[0].key == key);
  CHECK(node.text("SELECT title FROM note WHERE id='n'") == "t");
  CHECK(node.store->log().find(*node.store->origins().find(author.self), Seq{1}) == bytes);
  CHECK(node.vector().at(author.self) == Position{Rev{}, Seq{1}, h.hlc});
  CHECK(node.store->clock().last() >= h.hlc);
}

TEST_CASE("Applier: what lies behind our position is a duplicate, what lies beyond it a gap; neither writes") {
  TestNode node(1);
  Author author(node, 2);
  const EntryHeader first = author.header();
  const Bytes bytes = author.insert(first, typed({ValueView::text("n")}));
  (void)author.apply(first, bytes);
  const std::int64_t before = node.rows_written();
  CHECK(outcome(author.apply(first, bytes)) == Applied::duplicate);
  EntryHeader third = author.header();
  third.seq = Seq{3};
  CHECK(outcome(author.apply(third, author.insert(third, typed({ValueView::text("m")})))) == Applied::gap);
  CHECK(node.rows_written() == before);
}

TEST_CASE("Applier: an entry must carry its own place, follow the one before by hash, and be stamped later") {
  TestNode node(1);
  Author author(node, 2);
  const EntryHeader first = author.header();
  const Bytes bytes = author.insert(first, typed({ValueView::text("n")}));
  (void)author.apply(first, bytes);
  const Bytes key = typed({ValueView::text("m")});
  EntryHeader next = author.header();
  CHECK(code(author.apply(next, author.insert(next, key))) == Errc::identity_conflict);  // hash zero
  next.previous = node.store->origins().last_hash(*node.store->origins().find(author.self));
  EntryHeader wrong = next;
  wrong.hlc = first.hlc;
  CHECK(code(author.apply(wrong, author.insert(wrong, key))) == Errc::corrupt);
  wrong = next;
  wrong.seq = Seq{3};
  const Bytes elsewhere = author.insert(wrong, key);
  wrong.seq = Seq{2};
  CHECK(code(author.apply(wrong, elsewhere)) == Errc::corrupt);
  wrong.origin = origin(3);
  CHECK(code(author.apply({origin(3), Seq{1}, {}, {}, {}}, author.insert(next, key))) == Errc::corrupt);
  CHECK(code(author.apply(next, "not an entry")) == Errc::corrupt);
  CHECK(outcome(author.apply(next, author.insert(next, key))) == Applied::done);
}

TEST_CASE("Applier: what is stamped too far ahead waits, and says until when; what its author had seen comes first") {
  TestNode node(1);
  Author author(node, 2);
  EntryHeader h = author.header();
  const Bytes key = typed({ValueView::text("n")});
  h.hlc = Hlc::of(node.now.wall.ms + limits::kDriftMaxMs + 1, 0);
  const Expected<ApplyResult> early = author.apply(h, author.insert(h, key));
  CHECK(outcome(early) == Applied::wait_clock);
  CHECK(early->until == WallTime{node.now.wall.ms + 1});
  h.hlc = Hlc::of(node.now.wall.ms + limits::kDriftMaxMs, 0);
  h.dependencies.advance_seq(origin(3), Seq{1}, Hlc{5});
  const Expected<ApplyResult> waiting = author.apply(h, author.insert(h, key));
  CHECK(outcome(waiting) == Applied::wait_deps);
  CHECK(waiting->dependencies == h.dependencies);
  CHECK(node.number("SELECT count(*) FROM note") == 0);
  CHECK(node.vector().empty());
}

TEST_CASE("Applier: our own stream from somebody else is refused where it goes beyond ours") {
  TestNode node(1);
  (void)node.write("INSERT INTO note(id) VALUES ('n')");
  Author forger(node, 2);
  forger.self = node.store->self();
  const EntryHeader first = forger.header();
  CHECK(outcome(forger.apply(first, "whatever")) == Applied::duplicate);
  const EntryHeader second = forger.header();
  CHECK(code(forger.apply(second, forger.insert(second, typed({ValueView::text("m")})))) == Errc::not_owner);
  CHECK(outcome(forger.apply(forger.page(0, 0, {}))) == Applied::duplicate);
  CHECK(code(forger.apply(forger.page(0, 1, {}))) == Errc::not_owner);
}

TEST_CASE("Applier: a key that is not canonical is corrupt, and nothing of its entry or page is written") {
  TestNode node(1);
  Author author(node, 2);
  for (const ValueView& bad : {ValueView::of(std::int64_t{5}), ValueView::null(), ValueView::of(0.5)}) {
    const EntryHeader h = author.header();
    author.seq = {};
    const Bytes good = typed({ValueView::text("good")});
    const Bytes key = typed({bad});
    const Bytes values = typed({ValueView::null(), ValueView::null(), ValueView::null()});
    const Bytes bytes = author.encode(h, {{author.model("note"), Op::insert, h.stamp(), good, 0b1110, values},
                                          {author.model("note"), Op::insert, h.stamp(), key, 0b1110, values}});
    CHECK(code(author.apply(h, bytes)) == Errc::corrupt);
    const Bytes file = typed({ValueView::null(), ValueView::null()});
    const Bytes blob = typed({ValueView::blob("good")});
    CHECK(code(author.apply(author.page(0, 2, {{author.model("file"), Rev{1}, false, blob, file},
                                               {author.model("file"), Rev{2}, false, key, file}}))) == Errc::corrupt);
  }
  CHECK(node.number("SELECT count(*) FROM sync_row") == 0);
  CHECK(node.vector().empty());
}

TEST_CASE("Applier: a page is taken where it continues our position, whatever of it lies behind") {
  TestNode node(1);
  Author author(node, 2);
  const ModelIndex file = author.model("file");
  const Bytes values = typed({ValueView::text("p"), ValueView::of(std::int64_t{1})});
  const Bytes one = typed({ValueView::blob("1")});
  const Bytes two = typed({ValueView::blob("2")});
  const Bytes three = typed({ValueView::blob("3")});
  CHECK(outcome(author.apply(author.page(1, 2, {}))) == Applied::gap);
  CHECK(outcome(author.apply(author.page(0, 2, {{file, Rev{1}, false, one, values}, {file, Rev{2}, false, two, values}}))) == Applied::done);
  CHECK(outcome(author.apply(author.page(0, 1, {{file, Rev{1}, true, one, {}}}))) == Applied::duplicate);
  const Expected<ApplyResult> overlap =
      author.apply(author.page(1, 4, {{file, Rev{2}, true, two, {}}, {file, Rev{3}, true, one, {}}, {file, Rev{4}, true, three, {}}}));
  CHECK(outcome(overlap) == Applied::done);
  CHECK(overlap->rows == 2);
  CHECK(node.number("SELECT count(*) FROM file") == 1);  // the second: its revision was known
  CHECK(node.vector().at(author.self).rev == Rev{4});
  CHECK(outcome(author.apply(author.page(4, 9, {}))) == Applied::done);  // nothing left in that range
  CHECK(node.vector().at(author.self).rev == Rev{9});
}

TEST_CASE("Applier: of two owners of one key the lesser device's row stands, in either order; the other is quarantined") {
  for (const bool lesser_first : {true, false}) {
    CAPTURE(lesser_first);
    TestNode node(1);
    Author lesser(node, 2);
    Author greater(node, 3);
    const ModelIndex file = lesser.model("file");
    const Bytes key = typed({ValueView::blob("k")});
    const auto page_of = [&](Author& author, const char* path) {
      const Bytes values = typed({ValueView::text(path), ValueView::null()});
      return author.page(0, 1, {{file, Rev{1}, false, key, values}});
    };
    const StatePage of_lesser = page_of(lesser, "lesser");
    const StatePage of_greater = page_of(greater, "greater");
    CHECK(outcome((lesser_first ? lesser : greater).apply(lesser_first ? of_lesser : of_greater)) == Applied::done);
    CHECK(outcome((lesser_first ? greater : lesser).apply(lesser_first ? of_greater : of_lesser)) == Applied::done);
    CHECK(node.text("SELECT path FROM file") == "lesser");
    CHECK(node.store->quarantine().count() == 1);
    CHECK(node.number("SELECT origin FROM sync_quarantine") == *node.store->origins().find(greater.self));
  }
}

TEST_CASE("Applier: a loser of a key that is no longer there is quarantined as deleted") {
  TestNode node(1);
  Author lesser(node, 2);
  Author greater(node, 3);
  const ModelIndex file = lesser.model("file");
  const Bytes key = typed({ValueView::blob("k")});
  const Bytes values = typed({ValueView::text("path"), ValueView::null()});
  CHECK(outcome(greater.apply(greater.page(0, 1, {{file, Rev{1}, false, key, values}}))) == Applied::done);
  node.store->begin(TransactionKind::apply);
  Statement(node.store->handle(), "DELETE FROM file").run();  // as a trigger might
  node.store->commit();
  CHECK(outcome(lesser.apply(lesser.page(0, 1, {{file, Rev{1}, false, key, values}}))) == Applied::done);
  CHECK(node.number("SELECT deleted FROM sync_quarantine") == 1);
}

TEST_CASE("Applier: a change of a seed, which nobody declared, is corrupt: the row would lack fields") {
  TestNode node(1);
  Author author(node, 2);
  const EntryHeader h = author.header();
  author.seq = {};
  const Bytes key = typed({ValueView::text("n")});
  for (const Op op : {Op::update, Op::erase}) {
    const FieldMask fields = op == Op::update ? 0b10 : 0;
    const Bytes values = op == Op::update ? typed({ValueView::text("t")}) : Bytes();
    const Stamp seed{{}, author.self};
    CHECK(code(author.apply(h, author.encode(h, {{author.model("note"), op, seed, key, fields, values}}))) == Errc::corrupt);
  }
  CHECK(node.number("SELECT count(*) FROM sync_row") == 0);
  CHECK(outcome(author.apply(h, author.insert(h, key))) == Applied::done);
}

TEST_CASE("Applier: an event names so many rows and no more; what it cannot name is there all the same") {
  for (const std::size_t more : {0U, 1U}) {
    TestNode node(1);
    Author author(node, 2);
    const EntryHeader h = author.header();
    const Bytes values = typed({ValueView::null(), ValueView::null(), ValueView::null()});
    std::deque<Bytes> keys;
    std::vector<Change> changes;
    for (std::size_t i = 0; i < limits::kChangeEventRowsMax + more; ++i) {
      keys.push_back(typed({ValueView::text(std::to_string(i))}));
      changes.push_back({author.model("note"), Op::insert, h.stamp(), keys.back(), 0b1110, values});
    }
    const Expected<ApplyResult> result = author.apply(h, author.encode(h, changes));
    CHECK(outcome(result) == Applied::done);
    CHECK(result->event.overflow == (more > 0));
    CHECK(result->event.rows.size() == (more > 0 ? 0 : changes.size()));
    CHECK(result->rows == changes.size());
    CHECK(node.number("SELECT count(*) FROM note") == static_cast<std::int64_t>(changes.size()));
  }
}

TEST_CASE("Applier: an origin more than a workspace may have is refused; those that are known go on") {
  constexpr std::size_t kMost = limits::kVectorMax - 1;  // one place is ours
  TestNode node(1);
  Author known(node, 2);
  Author late(node, 3);
  node.store->begin(TransactionKind::apply);
  for (std::uint64_t birth = 1; birth < kMost; ++birth) {
    node.store->origins().advance_rev(node.store->origins().ordinal(origin(4, birth)), Rev{1});
  }
  node.store->commit();
  const EntryHeader first = known.header();
  const Bytes key = typed({ValueView::text("n")});
  const Bytes bytes = known.insert(first, key);
  CHECK(outcome(known.apply(first, bytes)) == Applied::done);
  CHECK(node.vector().size() == kMost);

  const EntryHeader beyond = late.header();
  CHECK(code(late.apply(beyond, late.insert(beyond, typed({ValueView::text("m")})))) == Errc::too_large);
  CHECK(code(late.apply(late.page(0, 1, {}))) == Errc::too_large);
  CHECK(node.vector().size() == kMost);
  known.previous = hash128(bytes);
  const EntryHeader second = known.header();
  CHECK(outcome(known.apply(second, known.insert(second, typed({ValueView::text("o")})))) == Applied::done);
  CHECK(outcome(known.apply(known.page(0, 1, {}))) == Applied::done);
}

}  // namespace starling
