// The merge rule as properties: whatever three replicas do with one row, the order in which they hear of it makes no
// difference, hearing it again neither, and snapshots join like sets. The twin is the reference merge.
//
// A history is a list of steps, and every list is a history: what a step asks for is fitted to what is there. So a
// failure shrinks to the few steps that matter.
#include <doctest/doctest.h>

#include <array>
#include <vector>

#include "core/causal/hlc.h"
#include "core/causal/version_vector.h"
#include "tests/core/causal/compact_row.h"
#include "tests/core/causal/some_ids.h"
#include "tests/property.h"

using namespace starling;

namespace {

constexpr std::size_t kReplicas = 3;
constexpr FieldIndex kFields = 3;

struct Step {
  enum class Kind { write, erase, deliver, again, snapshot } kind = Kind::write;
  std::size_t who = 0;
  std::size_t from = 0;   // deliver, again, snapshot: whose
  unsigned fields = 1;    // write: which, where the row is visible
  int value = 0;          // write: the first of the values
  std::int64_t wall = 0;  // write: by the author's clock
};

void showValue(const Step& step, std::ostream& out) {
  static constexpr const char* kNames[] = {"writes", "erases", "hears of", "hears again of", "takes a snapshot of"};
  out << step.who << ' ' << kNames[static_cast<int>(step.kind)];
  if (step.kind == Step::Kind::write) out << " fields " << step.fields << " = " << step.value << "…";
  if (step.kind < Step::Kind::deliver) out << " at " << step.wall;
  if (step.kind >= Step::Kind::deliver) out << ' ' << step.from;
}

rc::Gen<Step> any_step() {
  using Kind = Step::Kind;
  const auto kind = rc::gen::weightedElement<Kind>(
      {{6, Kind::write}, {2, Kind::erase}, {8, Kind::deliver}, {1, Kind::again}, {1, Kind::snapshot}});
  const auto who = rc::gen::inRange<std::size_t>(0, kReplicas);
  return rc::gen::apply([](Kind k, std::size_t w, std::size_t f, unsigned fields, int value,
                           std::int64_t wall) { return Step{k, w, f, fields, value, wall}; },
                        kind, who, who, rc::gen::inRange(1U, 1U << kFields), rc::gen::inRange(0, 4),
                        rc::gen::inRange<std::int64_t>(1, 6));
}

struct Entry {
  VersionVector seen;  // by the author, before it
  OwnedChange change;
};

struct Replica {
  Origin origin;
  HlcClock clock;
  VersionVector vector;
  std::vector<Entry> log;  // its own
  CompactRow row;
  reference::Row full;

  void apply(const Entry& entry) {
    const Stamp& stamp = entry.change.stamp;
    row.apply(entry.change);
    full.join(reference::row_of(entry.change.change(), stamp));
    vector.join(stamp.origin, {Rev{}, entry.change.seq, stamp.hlc});
    clock.observe(stamp.hlc);
  }
  void take_snapshot(const Replica& source) {
    row.take(source.row);
    full.join(source.full);
    vector.join(source.vector);
    clock.observe(vector.greatest_hlc());
  }
};

class History {
 public:
  explicit History(bool seeds) {
    for (std::size_t i = 0; i < kReplicas; ++i) {
      replicas_[i].origin = origin(static_cast<unsigned>(i));
      if (!seeds || i == 2) continue;  // two of them created the row on their own, with other values
      OwnedChange seed{Op::insert, {}, 0, {}, {}, {}};
      for (FieldIndex field = 0; field < kFields; ++field) {
        seed.fields |= FieldMask{1} << field;
        seed.values += typed(static_cast<std::int64_t>(i) + (field == 1 ? 5 - 2 * static_cast<std::int64_t>(i) : 0));
      }
      replicas_[i].row.apply(seed);
      replicas_[i].full.join(reference::row_of(seed.change(), {}));
    }
  }

  void play(const Step& step) {
    Replica& who = replicas_[step.who];
    const Replica& from = replicas_[step.from];
    switch (step.kind) {
      case Step::Kind::write:
      case Step::Kind::erase: write(who, step); break;
      case Step::Kind::deliver: deliver(from, who); break;
      case Step::Kind::again:
        if (const std::uint64_t held = who.vector.at(from.origin).seq.value; held > 0) who.apply(from.log[held / 2]);
        break;
      case Step::Kind::snapshot: who.take_snapshot(from);
    }
  }

  [[nodiscard]] const std::array<Replica, kReplicas>& replicas() const { return replicas_; }

  // All changes that there are, heard by a newcomer in a causal order that prefers authors as `preferences` says, each
  // as often as `times`.
  [[nodiscard]] CompactRow heard(const std::vector<std::size_t>& preferences, int times) const {
    Replica newcomer;
    for (std::size_t turn = 0, idle = 0; idle < kReplicas; ++turn) {
      const std::size_t first = turn < preferences.size() ? preferences[turn] : turn;
      idle = 0;
      while (idle < kReplicas && !deliver(replicas_[(first + idle) % kReplicas], newcomer)) ++idle;
      for (int more = 1; more < times; ++more) {  // the newest once more, and the very first
        for (const Replica& author : replicas_) {
          const std::uint64_t held = newcomer.vector.at(author.origin).seq.value;
          if (held > 0) newcomer.apply(author.log[held - 1]);
          if (held > 0) newcomer.apply(author.log.front());
        }
      }
    }
    return newcomer.row;
  }

 private:
  static void write(Replica& who, const Step& step) {
    const bool visible = who.row.visible();
    if (step.kind == Step::Kind::erase && !visible) return;
    const Op op = step.kind == Step::Kind::erase ? Op::erase : visible ? Op::update : Op::insert;
    std::map<FieldIndex, Bytes> carries;
    for (FieldIndex field = 0; op != Op::erase && field < kFields; ++field) {
      if (op == Op::insert || (step.fields >> field & 1U) != 0) carries[field] = typed(step.value + field);
    }
    const Stamp stamp{who.clock.tick(WallTime{step.wall}), who.origin};
    const Seq seq{who.log.size() + 1};
    who.log.push_back({who.vector, who.row.write(op, std::move(carries), stamp, seq)});
    who.apply(Entry(who.log.back()));
  }
  static bool deliver(const Replica& author, Replica& receiver) {
    const Seq held = receiver.vector.at(author.origin).seq;
    if (held.value == author.log.size()) return false;
    const Entry& next = author.log[held.value];
    if (!receiver.vector.covers(next.seen)) return false;
    receiver.apply(Entry(next));
    return true;
  }

  std::array<Replica, kReplicas> replicas_;
};

CompactRow join(CompactRow a, const CompactRow& b) {
  a.take(b);
  return a;
}

History any_history(bool seeds) {
  History history(seeds);
  for (const Step& step : *rc::gen::container<std::vector<Step>>(any_step())) {
    history.play(step);
    for (const Replica& replica : history.replicas()) RC_ASSERT(replica.row.stands_for(replica.full));
  }
  return history;
}

}  // namespace

TEST_SUITE_BEGIN("property");

TEST_CASE("merge: after every step of any history each replica shows what the reference shows") {
  property(10'000, [] { (void)any_history(*rc::gen::arbitrary<bool>()); });
}

TEST_CASE("merge: changes commute and repeat freely, as far as causal order lets them") {
  property(10'000, [] {
    const History history = any_history(false);
    const auto order = rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, kReplicas));
    const CompactRow one = history.heard(*order, 1);
    RC_ASSERT(one.same_as(history.heard(*order, 1)));
    RC_ASSERT(one.same_as(history.heard(*order, 2)));
  });
}

TEST_CASE("merge: the rows of replicas join like sets: in any order, in any grouping, any number of times") {
  property(10'000, [] {
    const History history = any_history(*rc::gen::arbitrary<bool>());
    const CompactRow &a = history.replicas()[0].row, &b = history.replicas()[1].row, &c = history.replicas()[2].row;
    RC_ASSERT(join(a, a).same_as(a));
    RC_ASSERT(join(a, b).same_as(join(b, a)));
    RC_ASSERT(join(join(a, b), c).same_as(join(a, join(b, c))));
    RC_ASSERT(join(join(a, b), b).same_as(join(a, b)));
    RC_ASSERT(join(CompactRow(), a).same_as(a));
    reference::Row all = history.replicas()[0].full;
    for (const Replica& replica : history.replicas()) all.join(replica.full);
    RC_ASSERT(join(join(a, b), c).stands_for(all));
  });
}

TEST_SUITE_END();
