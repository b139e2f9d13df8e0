#include "core/causal/version_vector.h"

#include <doctest/doctest.h>

#include <set>
#include <vector>

#include "core/base/limits.h"
#include "core/base/prng.h"
#include "tests/core/causal/some_ids.h"

using namespace starling;

namespace {

// The twin: what a node holds, thing by thing. The (origin, seq) of each log entry, the (origin, rev) of each revision.
struct Holdings {
  using Things = std::set<std::pair<Origin, std::uint64_t>>;
  Things entries;
  Things revisions;

  static void hold(Things& things, const Origin& origin, std::uint64_t up_to) {
    for (std::uint64_t n = 1; n <= up_to; ++n) things.insert({origin, n});
  }
  static std::uint64_t greatest(const Things& things, const Origin& origin) {
    std::uint64_t most = 0;
    for (const auto& [author, n] : things) most = author == origin ? n : most;
    return most;
  }
  static bool includes(const Things& things, const Things& others) {
    for (const auto& thing : others) {
      if (things.count(thing) == 0) return false;
    }
    return true;
  }
  void join(const Holdings& other) {
    entries.insert(other.entries.begin(), other.entries.end());
    revisions.insert(other.revisions.begin(), other.revisions.end());
  }
  [[nodiscard]] bool covers(const Holdings& other) const {
    return includes(entries, other.entries) && includes(revisions, other.revisions);
  }
};

// Entry n of an origin was written at this time, everywhere.
Hlc hlc_of(const Origin& origin, std::uint64_t n) { return n == 0 ? Hlc{} : Hlc{10 * n + origin.device.raw[0]}; }

struct Node {
  VersionVector vector;
  Holdings held;
};

const Origin kOrigins[] = {origin(1), origin(2, 1), origin(2, 2), origin(3)};

void check(const Node& node) {
  Hlc greatest;
  std::size_t size = 0;
  for (const Origin& origin : kOrigins) {
    const std::uint64_t seq = Holdings::greatest(node.held.entries, origin);
    const std::uint64_t rev = Holdings::greatest(node.held.revisions, origin);
    REQUIRE(node.vector.at(origin) == Position{Rev{rev}, Seq{seq}, hlc_of(origin, seq)});
    for (std::uint64_t n = 1; n < 12; ++n) {
      REQUIRE(node.vector.covers(Stamp{hlc_of(origin, n), origin}) == (node.held.entries.count({origin, n}) == 1));
    }
    if (greatest < hlc_of(origin, seq)) greatest = hlc_of(origin, seq);
    size += seq + rev > 0 ? 1 : 0;
  }
  REQUIRE(node.vector.greatest_hlc() == greatest);
  REQUIRE(node.vector.size() == size);
  REQUIRE(node.vector.empty() == (size == 0));

  ByteWriter w;
  write_vector(w, node.vector);
  ByteReader r(w.bytes());
  REQUIRE(read_vector(r) == node.vector);
  REQUIRE(r.done());
}

void check_pair(const Node& a, const Node& b) {
  REQUIRE(a.vector.covers(b.vector) == a.held.covers(b.held));
  const bool equal = a.held.covers(b.held) && b.held.covers(a.held);
  REQUIRE((a.vector == b.vector) == equal);
  REQUIRE((a.vector.hash() == b.vector.hash()) == equal);

  const VersionVector news = a.vector.changed_since(b.vector);
  for (const Origin& origin : kOrigins) {
    const bool more = Holdings::greatest(a.held.entries, origin) > Holdings::greatest(b.held.entries, origin) ||
                      Holdings::greatest(a.held.revisions, origin) > Holdings::greatest(b.held.revisions, origin);
    REQUIRE(news.at(origin) == (more ? a.vector.at(origin) : Position{}));
  }
  VersionVector through_news = b.vector;
  through_news.join(news);
  VersionVector through_all = b.vector;
  through_all.join(a.vector);
  REQUIRE(through_news == through_all);
}

void random_command(Prng& random, Node& node, const Node& other) {
  const Origin& origin = kOrigins[random.below(std::size(kOrigins))];
  const std::uint64_t seq = Holdings::greatest(node.held.entries, origin) + random.below(3);
  const std::uint64_t rev = Holdings::greatest(node.held.revisions, origin) + random.below(3);
  const std::uint64_t any_seq = random.below(8);
  const std::uint64_t any_rev = random.below(8);
  switch (random.below(4)) {
    case 0:
      node.vector.advance_seq(origin, Seq{seq}, hlc_of(origin, seq));
      Holdings::hold(node.held.entries, origin, seq);
      break;
    case 1:
      node.vector.advance_rev(origin, Rev{rev});
      Holdings::hold(node.held.revisions, origin, rev);
      break;
    case 2:
      node.vector.join(origin, {Rev{any_rev}, Seq{any_seq}, hlc_of(origin, any_seq)});
      Holdings::hold(node.held.entries, origin, any_seq);
      Holdings::hold(node.held.revisions, origin, any_rev);
      break;
    default: node.vector.join(other.vector); node.held.join(other.held);
  }
}

// What write_vector would write for these, valid or not.
Bytes written(const std::vector<std::pair<Origin, Position>>& positions) {
  ByteWriter w;
  w.varint(positions.size());
  for (const auto& [origin, position] : positions) {
    write_origin(w, origin);
    for (const std::uint64_t v : {position.rev.value, position.seq.value, position.hlc.packed}) w.varint(v);
  }
  return w.take();
}

bool readable(BytesView bytes) {
  ByteReader r(bytes);
  const VersionVector vector = read_vector(r);
  CHECK((r.done() || vector.empty()));
  return r.done();
}

}  // namespace

TEST_CASE("VersionVector: tells what a set of all things held would tell, under random commands") {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    CAPTURE(seed);
    Prng random(seed);
    Node nodes[3];
    for (int i = 0; i < 40; ++i) {
      Node& node = nodes[random.below(3)];
      Node& other = nodes[random.below(3)];
      random_command(random, node, other);
      check(node);
      check_pair(node, other);
      check_pair(other, node);
    }
  }
}

TEST_CASE("VersionVector: going back is a bug, as is a clock that does not go with the seq") {
  VersionVector v;
  v.advance_seq(origin(1), Seq{5}, Hlc{50});
  v.advance_rev(origin(1), Rev{3});
  v.advance_seq(origin(1), Seq{5}, Hlc{50});
  v.advance_rev(origin(1), Rev{3});
  const VersionVector before = v;
  CHECK_THROWS_AS(v.advance_rev(origin(1), Rev{2}), InvariantBroken);
  CHECK_THROWS_AS(v.advance_seq(origin(1), Seq{4}, Hlc{60}), InvariantBroken);
  CHECK_THROWS_AS(v.advance_seq(origin(1), Seq{5}, Hlc{51}), InvariantBroken);
  CHECK_THROWS_AS(v.advance_seq(origin(1), Seq{6}, Hlc{50}), InvariantBroken);
  CHECK_THROWS_AS(v.advance_seq(origin(2), Seq{1}, Hlc{}), InvariantBroken);
  CHECK(v == before);
}

TEST_CASE("VersionVector: when positions disagree, the clock stays with its seq, in either order") {
  const Position ahead{Rev{1}, Seq{5}, Hlc{50}};
  const Position odd{Rev{9}, Seq{4}, Hlc{99}};
  for (const bool first : {true, false}) {
    VersionVector v;
    v.join(origin(1), first ? ahead : odd);
    v.join(origin(1), first ? odd : ahead);
    CHECK(v.at(origin(1)) == Position{Rev{9}, Seq{5}, Hlc{50}});
  }
}

TEST_CASE("VersionVector: holding nothing of an origin is the same as not knowing it") {
  VersionVector v;
  v.join(origin(1), {});
  v.advance_rev(origin(1), Rev{});
  v.advance_seq(origin(1), Seq{}, Hlc{});
  CHECK(v.empty());
  CHECK(v == VersionVector{});
  CHECK(v.covers(Stamp{Hlc{}, origin(1)}));  // a seed
  CHECK_FALSE(v.covers(Stamp{Hlc{1}, origin(1)}));
}

TEST_CASE("read_vector: refuses what write_vector does not write") {
  const Position good{Rev{1}, Seq{2}, Hlc{3}};
  CHECK(readable(written({})));
  CHECK(readable(written({{origin(1), good}, {origin(1, 2), good}, {origin(2), good}})));
  CHECK(readable(written({{origin(1), {Rev{1}, {}, {}}}})));

  CHECK_FALSE(readable(written({{origin(2), good}, {origin(1), good}})));
  CHECK_FALSE(readable(written({{origin(1), good}, {origin(1), good}})));
  CHECK_FALSE(readable(written({{origin(1), {}}})));
  CHECK_FALSE(readable(written({{origin(1), {Rev{1}, Seq{1}, Hlc{}}}})));
  CHECK_FALSE(readable(written({{origin(1), {Rev{1}, Seq{}, Hlc{1}}}})));

  const Bytes whole = written({{origin(1), good}, {origin(2), good}});
  for (std::size_t length = 0; length < whole.size(); ++length)
    CHECK_FALSE(readable(BytesView(whole).substr(0, length)));
}

TEST_CASE("read_vector: reads as many origins as the limit allows, and not one more") {
  std::vector<std::pair<Origin, Position>> positions;
  for (std::uint64_t i = 0; i < limits::kVectorMax; ++i) positions.push_back({origin(1, i), {Rev{1}, {}, {}}});
  CHECK(readable(written(positions)));
  positions.push_back({origin(2), {Rev{1}, {}, {}}});
  CHECK_FALSE(readable(written(positions)));
}
