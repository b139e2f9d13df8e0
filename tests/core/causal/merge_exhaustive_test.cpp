// Twin test A: every small history, in every causal order of delivery.
//
// A history is a sequence of changes of one row in the order of their stamps: each has an author, a view (a causally
// closed set of earlier changes that holds the author's own) and what an author with that view may do. Every order of
// delivery passes through causally closed sets only, so it is enough to look at each closed set once and reach it by
// each change that may have come last. A history is extended change by change, and only the sets with the newest
// change are new.
#include <doctest/doctest.h>

#include <array>
#include <string>

#include "tests/core/causal/compact_row.h"
#include "tests/core/causal/some_ids.h"

using namespace starling;

namespace {

constexpr std::size_t kMaxChanges = 6;
constexpr FieldIndex kFields = 2;

using Set = unsigned;  // of changes; bit i: the change with the i-th least stamp

struct Bounds {
  unsigned replicas = 2;
  std::size_t changes = 3;  // besides seeds
  unsigned seeds = 0;       // the first so many replicas have created the row as a seed, each with its own values
  bool old_schema = false;  // the last replica does not know the last field
  bool snapshots = false;   // compare the join of every pair of sets, too
};

class Histories {
 public:
  explicit Histories(const Bounds& bounds) : bounds_(bounds) {}

  void check_all() {
    closed_[0] = true;
    for (unsigned replica = 0; replica < bounds_.seeds; ++replica) {
      const Bytes values = typed(replica == 1 ? 5 : 3) + typed(4 - static_cast<int>(replica));
      push({{Op::insert, {}, 0b11, values, {}, {}}, replica, 0});
      check_newest();
    }
    extend();
  }

  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  struct Step {
    OwnedChange change;
    unsigned author = 0;
    Set needs = 0;  // what must be here before it
  };

  void push(Step step) { steps_[size_++] = std::move(step); }
  [[nodiscard]] Set seeds() const { return (Set{1} << bounds_.seeds) - 1; }

  void extend() {
    if (size_ == bounds_.seeds + bounds_.changes) return;
    const Set end = Set{1} << size_;
    for (unsigned author = 0; author < bounds_.replicas; ++author) {
      Set own = 0;  // seeds, too: what an author did is in its view
      for (std::size_t i = 0; i < size_; ++i) own |= steps_[i].author == author ? Set{1} << i : 0;
      for (Set view = 0; view < end; ++view) {
        if (closed_[view] && (view & own) == own && (view & seeds() & ~own) == 0) extend_by(author, view);
      }
    }
  }

  void extend_by(unsigned author, Set view) {
    const Stamp stamp = next_stamp(author, view);
    const CompactRow& seen = compact_[view];
    const auto n = static_cast<std::int64_t>(size_);
    const Bytes value[kFields] = {typed(100 - n), typed(n)};  // one falls with the stamps, one grows
    const bool old = bounds_.old_schema && author == bounds_.replicas - 1;
    const auto with = [&](Op op, std::map<FieldIndex, Bytes> carries) {
      push({seen.write(op, std::move(carries), stamp, Seq{size_}), author, view & ~seeds()});
      ++count_;
      check_own_write(view);
      check_newest();
      extend();
      --size_;
    };
    if (seen.visible()) {
      with(Op::update, {{0, value[0]}});
      if (!old) with(Op::update, {{1, value[1]}});
      if (!old) with(Op::update, {{0, value[0]}, {1, value[1]}});
      with(Op::erase, {});
    } else if (old) {
      with(Op::insert, {{0, value[0]}});
    } else {
      with(Op::insert, {{0, value[0]}, {1, value[1]}});
    }
  }

  // Greater than every stamp so far, by the origin alone where that is allowed.
  [[nodiscard]] Stamp next_stamp(unsigned author, Set view) const {
    if (size_ == bounds_.seeds) return stamp(1, author);
    const Stamp& last = steps_[size_ - 1].change.stamp;
    bool same_hlc = origin(author) > last.origin;
    for (std::size_t i = 0; i < size_; ++i) {
      if ((view >> i & 1U) != 0 && steps_[i].change.stamp.hlc == last.hlc) same_hlc = false;
    }
    return stamp(last.hlc.packed + (same_hlc ? 0 : 1), author);
  }

  void check_own_write(Set view) {
    CompactRow row = compact_[view];
    const OwnedChange& change = steps_[size_ - 1].change;
    const MergeResult result = row.apply(change);
    expect(result.verdict != Verdict::superseded, "an author's own change was refused", view);
    expect(result.won == change.fields && result.lost == 0, "an author's own change did not win", view);
  }

  void check_newest() {
    const std::size_t newest = size_ - 1;
    const Set bit = Set{1} << newest;
    for (Set rest = 0; rest < bit; ++rest) {
      const Set set = rest | bit;
      closed_[set] = closed_[rest] && (steps_[newest].needs & ~rest) == 0;
      if (closed_[set]) check_set(set, rest);
    }
    if (!bounds_.snapshots) return;
    for (Set a = bit; a < 2 * bit; ++a) {
      for (Set b = 0; closed_[a] && b < 2 * bit; ++b) {
        if (closed_[b]) check_snapshot(a, b);
      }
    }
  }

  void check_set(Set set, Set without_newest) {
    full_[set] = full_[without_newest];
    const OwnedChange& newest = steps_[size_ - 1].change;
    full_[set].join(reference::row_of(newest.change(), newest.stamp));

    bool first = true;
    for (std::size_t last = 0; last < size_; ++last) {
      const Set before = set & ~(Set{1} << last);
      if (before == set || !closed_[before]) continue;  // not in the set, or others in it have seen it
      CompactRow row = compact_[before];
      check_told(row.apply(steps_[last].change), last, before);
      expect(row.stands_for(full_[set]), "differs from the reference", set);
      expect(first || row.same_as(compact_[set]), "depends on the order", set);
      compact_[set] = std::move(row);
      first = false;
    }
    for (std::size_t again = 0; again < size_; ++again) {
      if ((set >> again & 1U) == 0) continue;
      const MergeResult result = compact_[set].apply(steps_[again].change);
      expect(result.verdict == Verdict::superseded, "a duplicate was written", set);
    }
  }

  // No silent loss: each field wins or is told as lost, and it loses only to what its author had not seen.
  void check_told(const MergeResult& result, std::size_t last, Set before) {
    const Step& step = steps_[last];
    if (last < bounds_.seeds) return;
    expect((result.won | result.lost) == step.change.fields && (result.won & result.lost) == 0, "silent loss", before);
    expect(result.lost == 0 || (before & ~step.needs & ~seeds()) != 0, "lost to nothing concurrent", before);
  }

  void check_snapshot(Set a, Set b) {
    CompactRow joined = compact_[a];
    joined.take(compact_[b]);
    expect(joined.same_as(compact_[a | b]), "a snapshot joined wrongly", a);
    joined = compact_[b];
    joined.take(compact_[a]);
    expect(joined.same_as(compact_[a | b]), "a snapshot joined wrongly", b);
  }

  void expect(bool good, const char* what, Set set) const {
    if (good) return;
    std::string story = what + std::string(", set ") + std::to_string(set) + " of:";
    for (std::size_t i = 0; i < size_; ++i) {
      const auto& [change, author, needs] = steps_[i];
      story += "\n  " + std::to_string(i) + ": op " + std::to_string(static_cast<int>(change.op)) + " by " +
               std::to_string(author) + " at " + std::to_string(change.stamp.hlc.packed) + " of generation " +
               std::to_string(change.generation.hlc.packed) + "/" +
               std::to_string(change.generation.origin.device.raw[0]) + ", fields " + std::to_string(change.fields) +
               " (" + describe_values(change.values) + "), needs " + std::to_string(needs);
    }
    FAIL(story);
  }

  Bounds bounds_;
  std::array<Step, kMaxChanges> steps_;
  std::size_t size_ = 0;
  std::array<bool, 1U << kMaxChanges> closed_{};
  std::array<CompactRow, 1U << kMaxChanges> compact_;   // of closed sets
  std::array<reference::Row, 1U << kMaxChanges> full_;  // the same
  std::uint64_t count_ = 0;
};

// The count shows that the enumeration has not shrunk unnoticed.
void check(const Bounds& bounds, std::uint64_t count) {
  Histories histories(bounds);
  histories.check_all();
  CHECK(histories.count() == count);
}

}  // namespace

TEST_CASE("merge: all histories of 2 replicas and 5 changes, in every causal order, give the reference's row") {
  check({.replicas = 2, .changes = 5}, 43'270);
}

TEST_CASE("merge: all histories of 3 replicas and 4 changes do, and any two of their states join as a snapshot") {
  check({.replicas = 3, .changes = 4, .snapshots = true}, 24'231);
}

TEST_CASE("merge: they do where one replica's inserts lack a field of the others'") {
  check({.replicas = 3, .changes = 4, .old_schema = true}, 14'261);
}

TEST_CASE("merge: they do with seeds that differ on two replicas and are missing on a third, whenever these meet") {
  check({.replicas = 3, .changes = 3, .seeds = 2, .snapshots = true}, 3'240);
}
