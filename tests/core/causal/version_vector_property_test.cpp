#include <doctest/doctest.h>

#include <map>
#include <tuple>
#include <vector>

#include "core/causal/version_vector.h"
#include "tests/core/causal/some_ids.h"
#include "tests/damage.h"
#include "tests/property.h"

using namespace starling;

namespace {

// The twin: a map and nothing else. An origin stands for a number, and entry n of it was written at one time only.
using Twin = std::map<unsigned, std::pair<std::uint64_t, std::uint64_t>>;  // rev, seq; absent: neither

using Held = std::tuple<unsigned, std::uint64_t, std::uint64_t>;

Origin origin_of(unsigned n) { return origin(1 + n / 2, 1 + n % 2); }  // two incarnations of each device
Hlc hlc_of(unsigned n, std::uint64_t seq) { return seq == 0 ? Hlc{} : Hlc{100 * seq + n}; }

Position position_of(unsigned n, const Twin& twin) {
  const auto found = twin.find(n);
  if (found == twin.end()) return {};
  return {Rev{found->second.first}, Seq{found->second.second}, hlc_of(n, found->second.second)};
}

VersionVector vector_of(const Twin& twin) {
  VersionVector v;
  for (const auto& [n, held] : twin) v.join(origin_of(n), position_of(n, twin));
  return v;
}

Twin joined(const Twin& a, const Twin& b) {
  Twin both = a;
  for (const auto& [n, held] : b) {
    both[n].first = std::max(both[n].first, held.first);
    both[n].second = std::max(both[n].second, held.second);
  }
  return both;
}

bool within(const Twin& small, const Twin& great) {
  for (const auto& [n, held] : small) {
    const auto found = great.find(n);
    if (found == great.end() || held.first > found->second.first || held.second > found->second.second) return false;
  }
  return true;
}

VersionVector join(VersionVector a, const VersionVector& b) {
  a.join(b);
  return a;
}

// Few origins and low numbers, so that two of them meet, cross and agree often.
rc::Gen<Twin> any_twin() {
  const auto count = rc::gen::inRange<std::uint64_t>(0, 5);
  const auto one = rc::gen::tuple(rc::gen::inRange(0U, 6U), count, count);
  const auto twin_of = [](const std::vector<Held>& all) {
    Twin twin;
    for (const auto& [n, rev, seq] : all) {
      if (rev + seq > 0) twin[n] = {rev, seq};
    }
    return twin;
  };
  return rc::gen::map(rc::gen::resize(8, rc::gen::container<std::vector<Held>>(one)), twin_of);
}

Bytes written(const VersionVector& vector) {
  ByteWriter w;
  write_vector(w, vector);
  return w.take();
}

}  // namespace

TEST_SUITE_BEGIN("property");

TEST_CASE("VersionVector: join is that of a map, and a semilattice") {
  property(10'000, [] {
    const Twin x = *any_twin(), y = *any_twin(), z = *any_twin();
    const VersionVector a = vector_of(x), b = vector_of(y), c = vector_of(z);
    RC_ASSERT(join(a, b) == vector_of(joined(x, y)));
    RC_ASSERT(join(a, b) == join(b, a));
    RC_ASSERT(join(join(a, b), c) == join(a, join(b, c)));
    RC_ASSERT(join(a, a) == a);
    RC_ASSERT(join(a, VersionVector()) == a);
  });
}

TEST_CASE("VersionVector: covers is that of a map, a partial order, and join is its least upper bound") {
  property(20'000, [] {
    const Twin x = *any_twin(), y = *any_twin();
    const VersionVector a = vector_of(x), b = vector_of(y), above = vector_of(joined(joined(x, y), *any_twin()));
    RC_ASSERT(a.covers(b) == within(y, x));
    RC_ASSERT(a.covers(a));
    RC_ASSERT((a.covers(b) && b.covers(a)) == (a == b));
    RC_ASSERT(above.covers(a) && above.covers(b) && above.covers(join(a, b)));
    if (a.covers(b)) RC_ASSERT(join(a, b) == a);
    for (const auto& [origin, position] : b) {
      const Stamp stamp{position.hlc, origin};
      RC_ASSERT(a.covers(stamp) == (position.seq <= a.at(origin).seq));
    }
  });
}

TEST_CASE("VersionVector: what changed since an older one brings it up to date, and holds nothing else") {
  property(20'000, [] {
    const Twin x = *any_twin(), y = *any_twin();
    const VersionVector now = vector_of(x), older = vector_of(y), news = now.changed_since(older);
    RC_ASSERT(join(older, news) == join(older, now));
    RC_ASSERT(now.covers(news));
    for (const auto& [origin, position] : news) RC_ASSERT(!older.at(origin).covers(position));
    RC_ASSERT(news.empty() == older.covers(now));
  });
}

TEST_CASE("VersionVector: equal ones have equal hashes and bytes, others others; bytes come back") {
  property(10'000, [] {
    const VersionVector a = vector_of(*any_twin()), b = vector_of(*any_twin());
    RC_ASSERT((a == b) == (written(a) == written(b)));
    RC_ASSERT((a == b) == (a.hash() == b.hash()));
    const Bytes bytes = written(a);
    ByteReader reader(bytes);
    RC_ASSERT(read_vector(reader) == a);
    RC_ASSERT(reader.done());
  });
}

TEST_CASE("read_vector: damaged bytes fail, or are the bytes of another vector") {
  property(20'000, [] {
    const Bytes bad = damaged(written(vector_of(*any_twin())), *any_damage());
    ByteReader reader(bad);
    const VersionVector got = read_vector(reader);
    if (reader.failed()) {
      RC_ASSERT(got.empty());
    } else {
      RC_ASSERT(written(got) + Bytes(reader.rest()) == bad);
    }
  });
}

TEST_SUITE_END();
