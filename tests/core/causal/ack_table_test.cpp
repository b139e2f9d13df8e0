#include "core/causal/ack_table.h"

#include <doctest/doctest.h>

#include <limits>
#include <vector>

#include "core/base/prng.h"
#include "tests/core/causal/some_ids.h"

using namespace starling;

namespace {

constexpr Seq kAll{std::numeric_limits<std::uint64_t>::max()};

Acknowledgement ack(unsigned member, std::uint64_t birth, std::uint64_t version, VersionVector vector = {}) {
  return {device(member), {Hlc{birth}, 0}, version, std::move(vector)};
}

VersionVector holding(const Origin& origin, std::uint64_t seq) {
  VersionVector v;
  v.join(origin, {Rev{}, Seq{seq}, Hlc{seq}});
  return v;
}

// The twin: keeps every command ever given, and works all answers out from the start.
class Chronicle {
 public:
  bool take(const Acknowledgement& ack, bool delta) {
    const auto members = now();
    const auto found = members.find(ack.member);
    const bool taken =
        found != members.end() && newer(ack, found->second) && (!delta || ack.incarnation == found->second.incarnation);
    if (taken) commands_.push_back({delta ? Command::Kind::take_delta : Command::Kind::take_full, ack});
    return taken;
  }
  void add(const DeviceId& member) { commands_.push_back({Command::Kind::add, {member, {}, 0, {}}}); }
  void remove(const DeviceId& member) { commands_.push_back({Command::Kind::remove, {member, {}, 0, {}}}); }

  [[nodiscard]] std::map<DeviceId, Acknowledgement> now() const {
    std::map<DeviceId, Acknowledgement> members;
    for (const auto& [kind, ack] : commands_) {
      if (kind == Command::Kind::remove) members.erase(ack.member);
      if (kind == Command::Kind::add && members.count(ack.member) == 0) members[ack.member] = ack;
      if (kind == Command::Kind::take_full) members[ack.member] = ack;
      if (kind == Command::Kind::take_delta) {
        VersionVector vector = members[ack.member].vector;
        vector.join(ack.vector);
        members[ack.member] = ack;
        members[ack.member].vector = vector;
      }
    }
    return members;
  }

  [[nodiscard]] bool all_have(const Origin& origin, Seq seq) const {
    for (const auto& [member, ack] : now()) {
      const bool author = member == origin.device && ack.incarnation <= origin.incarnation;
      if (!author && ack.vector.at(origin).seq < seq) return false;
    }
    return true;
  }

 private:
  struct Command {
    enum class Kind { add, remove, take_full, take_delta } kind;
    Acknowledgement ack;
  };

  static bool newer(const Acknowledgement& a, const Acknowledgement& b) {
    return a.incarnation > b.incarnation || (a.incarnation == b.incarnation && a.version > b.version);
  }

  std::vector<Command> commands_;
};

void random_command(Prng& random, AckTable& table, Chronicle& chronicle) {
  const auto member = static_cast<unsigned>(1 + random.below(4));
  if (random.chance(10)) {
    table.add_member(device(member));
    chronicle.add(device(member));
  } else if (random.chance(4)) {
    table.remove_member(device(member));
    chronicle.remove(device(member));
  } else {
    VersionVector vector;
    for (unsigned author = 1; author <= 4; ++author) {
      const std::uint64_t seq = random.below(6);
      if (random.chance(60)) vector.join(origin(author), {Rev{random.below(6)}, Seq{seq}, Hlc{seq}});
    }
    const bool delta = random.chance(50);
    const Acknowledgement news = ack(member, 1 + random.below(10) / 8, random.below(20), vector);
    REQUIRE(table.take(news, delta) == chronicle.take(news, delta));
  }
}

}  // namespace

TEST_CASE("[N10] AckTable: answers as if it kept all acknowledgements ever, under random commands") {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    CAPTURE(seed);
    Prng random(seed);
    AckTable table;
    Chronicle chronicle;
    for (int i = 0; i < 60; ++i) {
      random_command(random, table, chronicle);
      const auto expected = chronicle.now();
      REQUIRE(table.all() == expected);
      for (unsigned n = 1; n <= 4; ++n) {
        const Acknowledgement* found = table.find(device(n));
        REQUIRE((found != nullptr) == (expected.count(device(n)) == 1));
        if (found != nullptr) REQUIRE(*found == expected.at(device(n)));

        const Seq least = table.acknowledged_by_all(origin(n));
        if (expected.empty()) REQUIRE(least == kAll);
        REQUIRE(chronicle.all_have(origin(n), least));
        if (least != kAll) REQUIRE_FALSE(chronicle.all_have(origin(n), least.next()));
      }
    }
  }
}

TEST_CASE("[N10] AckTable: an older or equal version changes nothing, a later incarnation may go back") {
  AckTable table;
  table.add_member(device(1));
  CHECK(table.take(ack(1, 5, 3, holding(origin(9), 50)), false));
  CHECK_FALSE(table.take(ack(1, 5, 3, holding(origin(9), 60)), false));
  CHECK_FALSE(table.take(ack(1, 5, 2, holding(origin(9), 60)), false));
  CHECK_FALSE(table.take(ack(1, 4, 9, holding(origin(9), 60)), false));
  CHECK(table.acknowledged_by_all(origin(9)) == Seq{50});
  CHECK(table.take(ack(1, 6, 1, holding(origin(9), 20)), false));  // restored from a backup
  CHECK(table.acknowledged_by_all(origin(9)) == Seq{20});
}

TEST_CASE("AckTable: a full acknowledgement replaces, a delta adds, and needs its own incarnation to stand on") {
  AckTable table;
  table.add_member(device(1));
  CHECK_FALSE(table.take(ack(1, 5, 1, holding(origin(8), 10)), true));
  CHECK(table.take(ack(1, 5, 1, holding(origin(8), 10)), false));
  CHECK(table.take(ack(1, 5, 2, holding(origin(9), 20)), true));
  CHECK(table.acknowledged_by_all(origin(8)) == Seq{10});
  CHECK(table.acknowledged_by_all(origin(9)) == Seq{20});
  CHECK_FALSE(table.take(ack(1, 6, 1, holding(origin(9), 30)), true));
  CHECK(table.take(ack(1, 5, 3, holding(origin(9), 20)), false));  // it has started the other stream over
  CHECK(table.acknowledged_by_all(origin(8)) == Seq{0});
}

TEST_CASE("AckTable: counts members only, each from the day it was added, with nothing") {
  AckTable table;
  CHECK(table.acknowledged_by_all(origin(9)) == kAll);
  CHECK_FALSE(table.take(ack(1, 5, 1, holding(origin(9), 10)), false));
  table.add_member(device(1));
  CHECK(table.acknowledged_by_all(origin(9)) == Seq{0});
  CHECK(table.take(ack(1, 5, 1, holding(origin(9), 10)), false));
  table.add_member(device(1));  // nothing is lost by adding it again
  CHECK(table.acknowledged_by_all(origin(9)) == Seq{10});
  table.add_member(device(2));
  CHECK(table.acknowledged_by_all(origin(9)) == Seq{0});
  table.remove_member(device(2));
  CHECK(table.acknowledged_by_all(origin(9)) == Seq{10});
  table.remove_member(device(1));
  CHECK_FALSE(table.take(ack(1, 5, 2, holding(origin(9), 20)), false));  // late: it is no member any more
  CHECK(table.find(device(1)) == nullptr);
}

TEST_CASE("AckTable: an author holds all of its log, until it acknowledges under a later incarnation") {
  AckTable table;
  table.add_member(device(1));
  CHECK(table.acknowledged_by_all(origin(1, 5)) == kAll);
  table.add_member(device(2));
  CHECK(table.take(ack(2, 5, 1, holding(origin(1, 5), 30)), false));
  CHECK(table.acknowledged_by_all(origin(1, 5)) == Seq{30});
  CHECK(table.take(ack(1, 5, 1), false));
  CHECK(table.acknowledged_by_all(origin(1, 5)) == Seq{30});
  CHECK(table.take(ack(1, 6, 1, holding(origin(1, 5), 20)), false));  // restored: it pulls its own log like any other
  CHECK(table.acknowledged_by_all(origin(1, 5)) == Seq{20});
}
