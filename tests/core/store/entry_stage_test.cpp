#include "core/store/entry_stage.h"

#include "core/base/limits.h"
#include "tests/core/causal/some_ids.h"
#include "tests/core/store/open_store.h"

namespace starling {
namespace {

std::string written(const std::vector<StagedEntry>& entries) {
  std::string text;
  for (const StagedEntry& e : entries)
    text += std::to_string(e.seq.value) + ":" + std::to_string(e.bytes) + "/" + std::to_string(e.total) + (e.whole() ? "! " : " ");
  return text;
}

}  // namespace

TEST_CASE("EntryStage: parts follow each other until the entry is whole; it is put together, and dropped") {
  const std::unique_ptr<Store> store = open_store();
  EntryStage& stage = store->stage();
  CHECK(stage.all().empty());
  apply(*store, [&] {
    stage.append({origin(1), Seq{4}, 9, 0}, "one ");
    stage.append({origin(2), Seq{1}, 5, 0}, "other");
  });
  CHECK(written(stage.all()) == "4:4/9 1:5/5! ");
  apply(*store, [&] { stage.append(*stage.find(origin(1)), Bytes("\0\xff", 2)); });
  apply(*store, [&] { stage.append(*stage.find(origin(1)), "end"); });
  CHECK(stage.find(origin(1))->whole());
  CHECK(stage.assemble(*stage.find(origin(1))) == Bytes("one \0\xff" "end", 9));
  CHECK(stage.assemble(*stage.find(origin(2))) == "other");
  apply(*store, [&] { stage.drop(origin(1)); });
  CHECK_FALSE(stage.find(origin(1)));
  CHECK(written(stage.all()) == "1:5/5! ");
}

TEST_CASE("EntryStage: a part belongs to the transaction that took it, and an origin needs no ordinal") {
  const std::unique_ptr<Store> store = open_store();
  store->begin(TransactionKind::apply);
  store->stage().append({origin(1), Seq{1}, 9, 0}, "lost");
  store->rollback();
  CHECK(store->stage().all().empty());
  CHECK_FALSE(store->origins().find(origin(1)));
}

TEST_CASE("EntryStage: what does not continue an entry is a bug of the caller") {
  const std::unique_ptr<Store> store = open_store();
  EntryStage& stage = store->stage();
  apply(*store, [&] {
    stage.append({origin(1), Seq{4}, 9, 0}, "one");
    for (const StagedEntry& wrong : {StagedEntry{origin(1), Seq{4}, 9, 0}, {origin(1), Seq{4}, 9, 4}, {origin(1), Seq{4}, 8, 3},
                                     {origin(1), Seq{5}, 9, 3}, {origin(2), Seq{1}, 9, 1}})
      CHECK_THROWS_AS(stage.append(wrong, "two"), InvariantBroken);
    CHECK_THROWS_AS(stage.append({origin(1), Seq{4}, 9, 3}, "too long"), InvariantBroken);
    CHECK_THROWS_AS(stage.append({origin(1), Seq{4}, 9, 3}, ""), InvariantBroken);
  });
  CHECK(written(stage.all()) == "4:3/9 ");
}

}  // namespace starling
