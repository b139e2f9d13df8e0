// A store in memory for tests of its parts.
#pragma once

#include <doctest/doctest.h>

#include "core/store/ack_store.h"
#include "core/store/capture.h"
#include "core/store/conflict_log.h"
#include "core/store/member_table.h"
#include "core/store/origin_table.h"
#include "core/store/peer_log.h"
#include "core/store/quarantine.h"
#include "core/store/row_store.h"
#include "core/store/statement.h"
#include "core/store/store.h"
#include "core/store/sync_state.h"
#include "tests/core/causal/some_ids.h"

namespace starling {

inline constexpr WallTime kNow{1'700'000'000'000};

inline StoreConfig store_config(std::string file = ":memory:") {
  StoreConfig config;
  config.file = std::move(file);
  config.models = {Model::from_sql("CREATE TABLE note (id TEXT PRIMARY KEY NOT NULL, title, \"odd \"\" name\" TEXT)", Kind::shared),
                   Model::from_sql("CREATE TABLE pair (a BLOB NOT NULL, b TEXT NOT NULL, PRIMARY KEY (b, a))", Kind::shared),
                   Model::from_sql("CREATE TABLE file (id BLOB PRIMARY KEY NOT NULL, path, size INTEGER)", Kind::device_owned)};
  config.workspace_name = "test";
  config.create = true;
  config.device = device(1);
  return config;
}

inline std::unique_ptr<Store> open_store(const StoreConfig& config = store_config(), std::uint64_t seed = 1) {
  Prng prng(seed);
  Expected<std::unique_ptr<Store>> store = Store::open(config, kNow, prng);
  REQUIRE_MESSAGE(store.has_value(), (store ? std::string() : store.error().text()));
  return std::move(*store);
}

inline std::int64_t number(const Store& store, std::string_view sql) {
  Statement select(const_cast<Store&>(store).handle(), sql);
  return select.step() ? select.column_integer(0) : -1;
}

inline Bytes typed_bytes(std::initializer_list<ValueView> values) {
  ByteWriter w;
  for (const ValueView& v : values) write_value(w, v);
  return w.take();
}

// Runs `work` in a transaction of the engine.
template <class Work>
void apply(Store& store, const Work& work) {
  store.begin(TransactionKind::apply);
  work();
  store.commit();
}

// In a transaction: the row of a member, as an entry of device 1 would bring it. Not a member: it was removed at `at`.
inline void put_member(Store& store, unsigned number, bool member = true, std::uint64_t at = 1000) {
  const ModelIndex model = store.schema().index_of(MemberTable::model(store.schema()));
  const Bytes key = typed_bytes({ValueView::blob(device(number).view())});
  const Bytes values = typed_bytes({ValueView::of(std::int64_t{member ? 1 : 0}), ValueView::of(std::int64_t{member ? 0 : static_cast<std::int64_t>(at)})});
  RowVersion version{{Hlc{1000}, origin(1)}, std::nullopt, {}};
  if (!member) version.fields = {{1, {Hlc{at}, origin(1)}}, {2, {Hlc{at}, origin(1)}}};
  store.rows().upsert_row(model, key, values);
  store.rows().put(model, key, version, values);
}

}  // namespace starling
