// Twin test B: long random histories of many rows. Three to five replicas with skewed clocks that jump write entries of
// several changes, deliver them in any causal order and more than once, and hand each other snapshots. After every
// step the rows that a replica keeps compactly must stand for those of its own reference.
#include <doctest/doctest.h>

#include <deque>

#include "core/base/prng.h"
#include "core/causal/hlc.h"
#include "core/causal/version_vector.h"
#include "tests/core/causal/compact_row.h"
#include "tests/core/causal/some_ids.h"

using namespace starling;

namespace {

constexpr const char* kModel = "album";

struct Entry {
  VersionVector seen;  // by the author, before it
  Stamp stamp;
  Seq seq;
  std::map<Bytes, OwnedChange> changes;  // by key
};

struct Replica {
  Origin origin;
  HlcClock clock;
  WallTime wall;
  FieldIndex fields = 4;  // fewer: an older schema
  VersionVector vector;
  std::deque<Entry> log;  // its own
  std::map<Bytes, CompactRow> rows;
  reference::State full;

  void apply(const Entry& entry) {
    for (const auto& [key, change] : entry.changes) {
      rows[key].apply(change);
      full.apply(kModel, change.change(key), entry.stamp);
      REQUIRE(rows[key].stands_for(full.at({kModel, key})));
    }
    vector.join(entry.stamp.origin, {Rev{}, entry.seq, entry.stamp.hlc});
    clock.observe(entry.stamp.hlc);
  }

  void take_snapshot(const Replica& source) {
    full.join(source.full);
    for (const auto& [key, row] : source.rows) {
      rows[key].take(row);
      REQUIRE(rows[key].stands_for(full.at({kModel, key})));
    }
    vector.join(source.vector);
    clock.observe(vector.greatest_hlc());
  }
};

class World {
 public:
  World(std::uint64_t seed, bool seeds) : random_(seed) {
    replicas_.resize(3 + random_.below(3));
    for (std::size_t i = 0; i < replicas_.size(); ++i) {
      Replica& replica = replicas_[i];
      replica.origin = origin(static_cast<unsigned>(i));
      replica.wall.ms = static_cast<std::int64_t>(1'000 + random_.below(20));
      if (!seeds && i == 2) replica.fields = 2;
      if (seeds && i != 2) create_seeds(replica);
    }
  }

  void run(int steps) {
    for (int i = 0; i < steps; ++i) {
      Replica& replica = any();
      replica.wall.ms += static_cast<std::int64_t>(random_.below(8)) - 2;  // now and then it steps back
      if (random_.chance(40)) {
        write(replica);
      } else if (random_.chance(97)) {
        deliver(any(), replica);
      } else {
        replica.take_snapshot(any());
      }
    }
  }

  void heal() {
    for (bool moved = true; moved;) {
      moved = false;
      for (Replica& author : replicas_) {
        for (Replica& receiver : replicas_) moved |= deliver_next(author, receiver);
      }
    }
    // Seeds are in nobody's log: replicas that differ in them exchange rows.
    for (const Replica& source : replicas_) replicas_[0].take_snapshot(source);
    for (Replica& receiver : replicas_) receiver.take_snapshot(replicas_[0]);
  }

  void check_converged() const {
    const Replica& first = replicas_.front();
    for (const Replica& replica : replicas_) {
      REQUIRE(replica.vector == first.vector);
      REQUIRE(replica.full.visible() == first.full.visible());
      for (const auto& [key, row] : replica.rows) REQUIRE(row.same_as(first.rows.at(key)));
    }
  }

 private:
  Replica& any() { return replicas_[random_.below(replicas_.size())]; }
  Bytes value() { return typed(static_cast<std::int64_t>(random_.below(1'000))); }
  static Bytes key_of(std::uint64_t n) { return typed(static_cast<std::int64_t>(n)); }

  void create_seeds(Replica& replica) {
    for (std::uint64_t n = 0; n < 2; ++n) {
      const Bytes key = key_of(n);
      OwnedChange seed{Op::insert, {}, 0b1111, value() + value() + value() + value(), {}, {}};
      replica.rows[key].apply(seed);
      replica.full.apply(kModel, seed.change(key), {});
    }
  }

  void write(Replica& replica) {
    Entry entry;
    entry.seen = replica.vector;
    entry.stamp = {replica.clock.tick(replica.wall), replica.origin};
    entry.seq = Seq{replica.log.size() + 1};
    for (std::uint64_t n = 1 + random_.below(3); n > 0; --n) {
      const Bytes key = key_of(random_.below(5));
      const CompactRow& row = replica.rows[key];
      const Op op = !row.visible() ? Op::insert : random_.chance(25) ? Op::erase : Op::update;
      std::map<FieldIndex, Bytes> carries;
      for (FieldIndex field = 0; op != Op::erase && field < replica.fields; ++field) {
        if (op == Op::insert || random_.chance(40)) carries[field] = value();
      }
      if (op == Op::update && carries.empty()) continue;  // a no-op is no change
      entry.changes[key] = row.write(op, std::move(carries), entry.stamp, entry.seq);
    }
    replica.apply(entry);
    replica.log.push_back(std::move(entry));
  }

  bool deliver_next(const Replica& author, Replica& receiver) {
    const Seq held = receiver.vector.at(author.origin).seq;
    if (held.value == author.log.size()) return false;
    const Entry& next = author.log[held.value];
    if (!receiver.vector.covers(next.seen)) return false;
    receiver.apply(next);
    return true;
  }

  void deliver(const Replica& author, Replica& receiver) {
    const Seq held = receiver.vector.at(author.origin).seq;
    if (held.value > 0 && random_.chance(20)) {  // a duplicate
      const auto rows = receiver.rows;
      receiver.apply(author.log[random_.below(held.value)]);
      for (const auto& [key, row] : receiver.rows) REQUIRE(row.same_as(rows.at(key)));
    } else {
      deliver_next(author, receiver);
    }
  }

  Prng random_;
  std::vector<Replica> replicas_;
};

void check_worlds(bool seeds) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    World world(seed, seeds);
    world.run(200);
    world.heal();
    world.check_converged();
  }
}

}  // namespace

TEST_CASE("merge: in long random histories every replica shows the reference's rows at every step") {
  check_worlds(false);
}

TEST_CASE("merge: in long random histories with seeds it does so too") { check_worlds(true); }
