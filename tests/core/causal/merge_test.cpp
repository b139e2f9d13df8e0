// The merge rule case by case, as merge.h tells it. The twin tests (merge_exhaustive_test, merge_random_test) show that
// the cases make a whole.
#include "core/causal/merge.h"

#include <doctest/doctest.h>

#include "tests/core/causal/some_ids.h"

using namespace starling;

namespace {

const Stamp kOld = stamp(10, 1);
const Stamp kGen = stamp(20, 1);
const Stamp kNew = stamp(30, 1);
const Stamp kLater = stamp(40, 2);

RowVersion alive(const Stamp& generation, std::vector<FieldStamp> fields = {}) {
  return {generation, std::nullopt, std::move(fields)};
}
RowVersion dead(const Stamp& generation) { return {generation, Death{origin(3), Seq{7}}, {}}; }

MergeResult insert(const RowVersion* mine, const Stamp& at) { return merge(mine, Op::insert, at, 0b11, at); }
MergeResult update(const RowVersion* mine, const Stamp& generation, FieldMask fields, const Stamp& at) {
  return merge(mine, Op::update, generation, fields, at);
}
MergeResult erase(const RowVersion* mine, const Stamp& generation) {
  return merge(mine, Op::erase, generation, 0, kLater);
}

void check(const MergeResult& result, Verdict verdict, FieldMask won = 0, FieldMask lost = 0, FieldMask tied = 0) {
  CHECK(result.verdict == verdict);
  CHECK(result.won == won);
  CHECK(result.lost == lost);
  CHECK(result.tied == tied);
}

}  // namespace

TEST_CASE("RowVersion: a field has the generation's stamp until it is given another, and fields stay in order") {
  RowVersion row = alive(kGen);
  row.set(5, kLater);
  row.set(63, kNew);
  row.set(0, kNew);
  row.set(5, kNew);
  CHECK(row.fields == std::vector<FieldStamp>{{0, kNew}, {5, kNew}, {63, kNew}});
  CHECK(row.stamp_of(5) == kNew);
  CHECK(row.stamp_of(4) == kGen);
  row.set(5, kGen);
  row.set(4, kGen);
  CHECK(row.fields == std::vector<FieldStamp>{{0, kNew}, {63, kNew}});
}

TEST_CASE("merge: an insert opens a row that is new, dead with an older generation, or visible with one") {
  check(insert(nullptr, kGen), Verdict::insert_row, 0b11);
  const RowVersion was_dead = dead(kOld);
  check(insert(&was_dead, kGen), Verdict::insert_row, 0b11);
  const RowVersion older = alive(kOld, {{0, kLater}});  // the field's stamp is greater, its generation is not
  const MergeResult over = insert(&older, kGen);
  check(over, Verdict::replace_row, 0b11);
  CHECK(merged_version(&older, over, Op::insert, kGen, kGen, Seq{1}) == alive(kGen));
}

TEST_CASE("merge: an insert that is not younger than the row, or than what a delete saw, is superseded") {
  const RowVersion younger = alive(kNew);
  check(insert(&younger, kGen), Verdict::superseded, 0, 0b11);
  const RowVersion killed = dead(kNew);
  check(insert(&killed, kGen), Verdict::superseded, 0, 0b11);

  const RowVersion known_and_updated = alive(kGen, {{0, kNew}});
  check(insert(&known_and_updated, kGen), Verdict::superseded);  // a duplicate has lost nothing
  const RowVersion known_and_killed = dead(kGen);
  check(insert(&known_and_killed, kGen), Verdict::superseded);
}

TEST_CASE("merge: an update wins or loses field by field, by stamp") {
  const RowVersion row = alive(kGen, {{1, kNew}, {2, kLater}});
  const MergeResult mixed = update(&row, kGen, 0b1111, stamp(35, 1));
  check(mixed, Verdict::update_row, 0b1011, 0b0100);
  const RowVersion after = merged_version(&row, mixed, Op::update, kGen, stamp(35, 1), Seq{1});
  CHECK(after == alive(kGen, {{0, stamp(35, 1)}, {1, stamp(35, 1)}, {2, kLater}, {3, stamp(35, 1)}}));

  check(update(&row, kGen, 0b0100, kNew), Verdict::superseded, 0, 0b0100);
  check(update(&row, kGen, 0b0010, kNew), Verdict::superseded);  // this very update again
  check(update(&row, kGen, FieldMask{1} << 63, kNew), Verdict::update_row, FieldMask{1} << 63);
}

TEST_CASE("merge: equal clocks are decided by origin: device, then incarnation") {
  const RowVersion row = alive(kGen, {{0, {Hlc{30}, origin(2, 5)}}});
  check(update(&row, kGen, 1, {Hlc{30}, origin(1, 9)}), Verdict::superseded, 0, 1);
  check(update(&row, kGen, 1, {Hlc{30}, origin(2, 4)}), Verdict::superseded, 0, 1);
  check(update(&row, kGen, 1, {Hlc{30}, origin(2, 6)}), Verdict::update_row, 1);
  check(update(&row, kGen, 1, {Hlc{30}, origin(3, 1)}), Verdict::update_row, 1);
}

TEST_CASE("merge: an update of a generation that is not the row's is superseded, however late its stamp") {
  const RowVersion row = alive(kGen);
  const RowVersion killed = dead(kGen);
  check(update(&row, kOld, 0b1, kLater), Verdict::superseded, 0, 0b1);
  check(update(&row, kNew, 0b1, kLater), Verdict::superseded, 0, 0b1);
  check(update(&killed, kGen, 0b1, kLater), Verdict::superseded, 0, 0b1);
  check(update(&killed, kNew, 0b1, kLater), Verdict::superseded, 0, 0b1);
  check(update(nullptr, kGen, 0b1, kLater), Verdict::superseded, 0, 0b1);
}

TEST_CASE("merge: a delete kills the generation it names and older ones, and no younger one") {
  const RowVersion row = alive(kGen, {{0, kNew}});
  check(erase(&row, kOld), Verdict::superseded);
  for (const Stamp& named : {kGen, kNew}) {  // a younger one comes only from a snapshot's tombstone
    const MergeResult result = erase(&row, named);
    check(result, Verdict::erase_row);
    const RowVersion after = merged_version(&row, result, Op::erase, named, kLater, Seq{9});
    CHECK(after == RowVersion{named, Death{kLater.origin, Seq{9}}, {}});
  }
}

TEST_CASE("merge: a tombstone stays as it is unless a delete names a younger generation; it is kept where no row is") {
  const RowVersion killed = dead(kGen);
  check(erase(&killed, kGen), Verdict::superseded);
  check(erase(&killed, kOld), Verdict::superseded);
  check(erase(&killed, kNew), Verdict::erase_row);
  check(erase(nullptr, kGen), Verdict::erase_row);
}

TEST_CASE("merge: seeds tie, and only seeds") {
  const RowVersion untouched = alive({});
  check(insert(&untouched, {}), Verdict::update_row, 0, 0, 0b11);
  const RowVersion changed = alive({}, {{0, kGen}});
  check(insert(&changed, {}), Verdict::update_row, 0, 0, 0b10);
  const RowVersion replaced = alive(kGen);
  check(insert(&replaced, {}), Verdict::superseded, 0, 0b11);
  const RowVersion killed = dead({});
  check(insert(&killed, {}), Verdict::superseded);
  check(insert(&killed, kGen), Verdict::insert_row, 0b11);

  MergeResult tie = insert(&untouched, {});
  tie.won = 0b01;  // the caller found greater bytes in one field
  CHECK(merged_version(&untouched, tie, Op::insert, {}, {}, Seq{}) == untouched);
}

TEST_CASE("merge: the first change of a seed opens the row where the seed is missing, but never reopens it") {
  const MergeResult result = update(nullptr, {}, 0b11, kGen);
  check(result, Verdict::insert_row, 0b11);
  CHECK(merged_version(nullptr, result, Op::update, {}, kGen, Seq{1}) == alive({}, {{0, kGen}, {1, kGen}}));
  const RowVersion killed = dead({});
  check(update(&killed, {}, 0b11, kGen), Verdict::superseded, 0, 0b11);
  const RowVersion replaced = alive(kGen);
  check(update(&replaced, {}, 0b11, kNew), Verdict::superseded, 0, 0b11);
}

TEST_CASE("merged_version: refuses a result that is not of this change") {
  const RowVersion row = alive(kGen);
  CHECK_THROWS_AS((void)merged_version(&row, {}, Op::update, kGen, kNew, Seq{1}), InvariantBroken);
  CHECK_THROWS_AS((void)merged_version(&row, {Verdict::erase_row}, Op::update, kGen, kNew, Seq{1}), InvariantBroken);
  CHECK_THROWS_AS((void)merged_version(nullptr, {Verdict::update_row}, Op::update, kGen, kNew, Seq{1}),
                  InvariantBroken);
}
