#include "core/store/held_changes.h"

#include "core/store/kept_fields.h"
#include "core/store/trial_mark.h"
#include "tests/core/store/open_store.h"

namespace starling {

TEST_CASE("HeldChanges: a row's queue keeps its order, rows do not mix, and a rollback takes back what it counted") {
  const auto store = open_store();
  HeldChanges& held = store->held();
  const auto change = [](Op op, const Bytes& key, FieldMask fields, const Bytes& values) {
    return Change{0, op, stamp(5, 2), key, fields, values};
  };
  apply(*store, [&] {
    held.add("memo", change(Op::insert, "k", 0b110, "ab"), stamp(5, 2), Seq{1}, "unknown");
    held.add("memo", change(Op::insert, "l", 0b110, "cd"), stamp(5, 2), Seq{1}, "unknown");
    held.add("memo", change(Op::update, "k", FieldMask{1} << 63, "e"), stamp(6, 3), Seq{9}, kBehindAnother);
  });
  CHECK(held.count() == 3);
  CHECK(held.holds("memo", "k"));
  CHECK_FALSE(held.holds("memo", "m"));
  CHECK_FALSE(held.holds("note", "k"));
  CHECK(held.next_key("memo", std::nullopt) == "k");
  CHECK(held.next_key("memo", Bytes("k")) == "l");
  CHECK_FALSE(held.next_key("memo", Bytes("l")));
  const std::optional<HeldChange> first = held.next_of("memo", "k", 0);
  REQUIRE(first);
  CHECK(first->op == Op::insert);
  CHECK(first->stamp == stamp(5, 2));
  const std::optional<HeldChange> second = held.next_of("memo", "k", first->id);
  REQUIRE(second);
  CHECK(second->fields == FieldMask{1} << 63);
  CHECK(second->stamp == stamp(6, 3));
  CHECK(second->generation == stamp(5, 2));
  CHECK(second->seq == Seq{9});
  CHECK(second->values == "e");
  CHECK(second->why == kBehindAnother);
  CHECK_FALSE(held.next_of("memo", "k", second->id));

  store->begin(TransactionKind::apply);
  held.drop(first->id);
  held.drop_row("memo", "l");
  CHECK(held.count() == 1);
  store->rollback();
  CHECK(held.count() == 3);
}

TEST_CASE("HeldChanges: a tombstone stays while something of its row waits") {
  const auto store = open_store();
  const Bytes key = typed_bytes({ValueView::text("k")});
  apply(*store, [&] {
    store->rows().put(0, key, RowVersion{stamp(5, 2), Death{origin(2), Seq{3}}, {}}, std::nullopt);
    store->held().add(store->schema().models[0].name, {0, Op::insert, stamp(4, 3), key, 0, {}}, stamp(4, 3), Seq{1}, "refused");
  });
  const Ordinal author = *store->origins().find(origin(2));
  apply(*store, [&] { CHECK(store->rows().drop_tombstones(author, Seq{3}, 100) == 0); });
  apply(*store, [&] {
    store->held().drop_row(store->schema().models[0].name, key);
    CHECK(store->rows().drop_tombstones(author, Seq{3}, 100) == 1);
  });
}

TEST_CASE("KeptFields: what is kept of a row, which of it is due, and that it goes with a row that dies") {
  const auto store = open_store();
  const Bytes key = typed_bytes({ValueView::text("k")});
  const Bytes values = typed_bytes({ValueView::text("x"), ValueView::of(std::int64_t{7})});
  RowStore& rows = store->rows();
  CHECK_FALSE(rows.keeps_anything());
  apply(*store, [&] {
    rows.put(0, key, RowVersion{stamp(5, 2), std::nullopt, {}}, BytesView());
    rows.keep(0, key, 0b101000, values);
    rows.keep(0, key, 0b100000, typed_bytes({ValueView::of(std::int64_t{8})}));
  });
  CHECK(rows.keeps_anything());
  CHECK(rows.kept_values() == 2);
  CHECK(rows.kept(0, key).fields == 0b101000);
  CHECK(rows.kept(0, key).values == typed_bytes({ValueView::text("x"), ValueView::of(std::int64_t{8})}));
  CHECK_FALSE(rows.next_kept_due(0, std::nullopt));  // the model has three fields
  KeptFields kept(store->handle());
  CHECK(kept.next_due(number(*store, "SELECT number FROM sync_model WHERE name='file'"), std::nullopt, 4) == key);
  apply(*store, [&] { rows.put(0, key, RowVersion{stamp(5, 2), Death{origin(2), Seq{3}}, {}}, std::nullopt); });
  CHECK_FALSE(rows.keeps_anything());
}

TEST_CASE("TrialMark: the life after one that did not end well is careful, and knows what that one tried") {
  const auto store = open_store();
  CHECK_FALSE(store->trial().careful());
  const Trial trial{Tried::page, origin(2), 77};
  apply(*store, [&] { store->trial().set(trial); });
  TrialMark next(store->handle());
  CHECK(next.careful());
  CHECK(next.ended(trial));
  CHECK_FALSE(next.ended({Tried::entry, origin(2), 77}));
  CHECK_FALSE(next.ended_release());
  apply(*store, [&] {
    store->trial().clear();
    store->trial().end_life();
  });
  TrialMark after(store->handle());
  CHECK_FALSE(after.careful());
  CHECK_FALSE(after.ended(trial));
}

}  // namespace starling
