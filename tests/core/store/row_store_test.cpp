#include <SQLiteCpp/Exception.h>

#include "tests/core/store/open_store.h"

namespace starling {
namespace {

struct Rows {
  std::unique_ptr<Store> store = open_store();
  RowStore& rows = store->rows();

  Rows() {  // ordinals 2 to 7 beside our own
    apply(*store, [&] { for (int i = 2; i <= 7; ++i) (void)store->origins().ordinal(origin(i)); });
  }

  [[nodiscard]] ModelIndex model(const char* name) const { return store->schema().index_of(*store->schema().find(name)); }
};

const Bytes kKey = typed_bytes({ValueView::text("k")});

}  // namespace

TEST_CASE("RowStore: a version comes back as it was put: generation, stamps of fields, death") {
  Rows r;
  const RowVersion visible{stamp(1000, 2), std::nullopt, {{1, stamp(2000, 3)}, {2, stamp(500, 1)}}};
  const RowVersion dead{stamp(1000, 2), Death{origin(4), Seq{9}}, {}};
  const RowVersion seed{stamp(0, 2), std::nullopt, {{1, stamp(~0ULL >> 1, 3)}}};
  CHECK(r.rows.version(r.model("note"), kKey) == std::nullopt);
  for (const RowVersion& v : {visible, dead, seed, visible}) {
    apply(*r.store, [&] { r.rows.put(r.model("note"), kKey, v, Bytes()); });
    CHECK(r.rows.version(r.model("note"), kKey) == v);
  }
  CHECK(r.rows.version(r.model("pair"), kKey) == std::nullopt);  // another model
}

TEST_CASE("RowStore: versions of new rows are put until one has a version already, however many they are") {
  for (const std::size_t count : {1, 31, 32, 33, 100}) {
    for (const std::size_t known : {0, 1, 31, 32, 63, 99, 100}) {  // the place of the row that is known; none if beyond
      CAPTURE(count);
      CAPTURE(known);
      Rows r;
      std::vector<Bytes> keys;
      for (std::size_t i = 0; i < count; ++i) keys.push_back(typed_bytes({ValueView::of(static_cast<std::int64_t>(i))}));
      std::vector<NewRow> fresh;
      for (std::size_t i = 0; i < count; ++i) fresh.push_back({keys[i], {}, Rev{i + 1}});
      const std::size_t expected = std::min(known, count);
      apply(*r.store, [&] {
        if (known < count) {
          r.rows.put(r.model("note"), keys[known], {stamp(4, 2), std::nullopt, {}}, Bytes());
          r.rows.put_owned(r.model("file"), keys[known], {7, Rev{99}, true}, Bytes());
        }
        CHECK(r.rows.put_new(r.model("note"), fresh, stamp(5, 2)) == expected);
        CHECK(r.rows.put_new_owned(r.model("file"), fresh, 1) == expected);
      });
      const auto versions = static_cast<std::int64_t>(expected + (known < count ? 1 : 0));
      CHECK(number(*r.store, "SELECT count(*) FROM sync_row WHERE rev IS NULL") == versions);
      CHECK(number(*r.store, "SELECT count(*) FROM sync_row WHERE rev IS NOT NULL") == versions);
      for (std::size_t i = 0; i < expected; ++i) {
        REQUIRE(r.rows.version(r.model("note"), keys[i])->generation == stamp(5, 2));
        REQUIRE(r.rows.owned(r.model("file"), keys[i])->rev == Rev{i + 1});
      }
      if (known >= count) continue;
      CHECK(r.rows.version(r.model("note"), keys[known])->generation == stamp(4, 2));
      CHECK(r.rows.owned(r.model("file"), keys[known])->owner == 7);
    }
  }
}

TEST_CASE("RowStore: an owner's version is replaced as a whole") {
  Rows r;
  CHECK(r.rows.owned(r.model("file"), kKey) == std::nullopt);
  for (const OwnedVersion& v : {OwnedVersion{1, Rev{3}, false}, OwnedVersion{1, Rev{4}, true}, OwnedVersion{2, Rev{1}, false}}) {
    apply(*r.store, [&] { r.rows.put_owned(r.model("file"), kKey, v, Bytes()); });
    const std::optional<OwnedVersion> held = r.rows.owned(r.model("file"), kKey);
    REQUIRE(held);
    CHECK(held->owner == v.owner);
    CHECK(held->rev == v.rev);
    CHECK(held->deleted == v.deleted);
  }
}

TEST_CASE("RowStore: many rows are inserted as one by one") {
  for (const std::int64_t count : {0, 1, 31, 32, 33, 65}) {
    CAPTURE(count);
    Rows r;
    std::vector<Bytes> bytes;
    for (std::int64_t i = 0; i < count; ++i) {
      bytes.push_back(typed_bytes({ValueView::text(std::to_string(i))}));
      bytes.push_back(typed_bytes({ValueView::of(i), ValueView::null()}));
    }
    std::vector<NewRow> rows;
    for (std::size_t i = 0; i < bytes.size(); i += 2) rows.push_back({bytes[i], bytes[i + 1], {}});
    apply(*r.store, [&] { r.rows.insert_rows(r.model("note"), rows); });
    CHECK(number(*r.store, "SELECT count(*) FROM note WHERE id=CAST(title AS TEXT)") == count);
  }
}

TEST_CASE("RowStore: rows of the application are written and read by key, whatever their names and values") {
  Rows r;
  const Bytes values = typed_bytes({ValueView::of(-0.0), ValueView::text({"a\0b", 3})});
  const Bytes other = typed_bytes({ValueView::blob(""), ValueView::null()});
  apply(*r.store, [&] {
    r.rows.insert_row(r.model("note"), kKey, values);
    CHECK_THROWS_AS(r.rows.insert_row(r.model("note"), kKey, values), SQLite::Exception);
    CHECK(r.rows.read_row(r.model("note"), kKey) == values);
    r.rows.upsert_row(r.model("note"), kKey, other);
    CHECK(r.rows.read_row(r.model("note"), kKey) == other);
    r.rows.update_row(r.model("note"), kKey, 0b100, typed_bytes({ValueView::text("z")}));
    CHECK(r.rows.read_row(r.model("note"), kKey) == typed_bytes({ValueView::blob(""), ValueView::text("z")}));
    r.rows.update_row(r.model("note"), kKey, 0, {});
    r.rows.erase_row(r.model("note"), kKey);
    CHECK(r.rows.read_row(r.model("note"), kKey) == std::nullopt);
    r.rows.erase_row(r.model("note"), kKey);
  });
}

TEST_CASE("RowStore: a key of several columns is in key order, and a model may have nothing but its key") {
  Rows r;
  const Bytes key = typed_bytes({ValueView::text("b"), ValueView::blob("a")});
  apply(*r.store, [&] {
    r.rows.insert_row(r.model("pair"), key, {});
    r.rows.upsert_row(r.model("pair"), key, {});
  });
  CHECK(number(*r.store, "SELECT count(*) FROM pair WHERE a=x'61' AND b='b'") == 1);
  CHECK(r.rows.read_row(r.model("pair"), key).has_value());
}

TEST_CASE("RowStore: an owner's rows are read in the order of their revisions, deleted ones as such") {
  Rows r;
  const ModelIndex file = r.model("file");
  const auto key = [](const char* id) { return typed_bytes({ValueView::blob(id)}); };
  apply(*r.store, [&] {
    const Bytes values = typed_bytes({ValueView::text("p"), ValueView::null()});
    for (const auto& [id, owner, rev, deleted] : {std::tuple{"a", 1, 5, false}, {"b", 1, 2, false}, {"c", 2, 3, false}, {"d", 1, 4, true}}) {
      r.rows.put_owned(file, key(id), {owner, Rev{static_cast<std::uint64_t>(rev)}, deleted}, values);
      if (!deleted) r.rows.insert_row(file, key(id), values);
    }
  });
  std::string seen;
  const auto read = [&](std::uint64_t from, std::size_t most) {
    seen.clear();
    r.rows.read_owned(1, Rev{from}, [&](const OwnedRow& row) {
      seen += std::to_string(row.rev.value) + (row.deleted ? "-" : "+");
      CHECK(row.values.empty() == row.deleted);
      return seen.size() < 2 * most;
    });
    return seen;
  };
  CHECK(read(0, 9) == "2+4-5+");
  CHECK(read(2, 9) == "4-5+");
  CHECK(read(0, 2) == "2+4-");
  CHECK(read(5, 9).empty());
}

TEST_CASE("RowStore: a row that vanished without a trace is given as missing") {
  Rows r;
  apply(*r.store, [&] { r.rows.put_owned(r.model("file"), kKey, {1, Rev{1}, false}, Bytes()); });
  int missing = 0;
  r.rows.read_owned(1, Rev{0}, [&](const OwnedRow& row) { return missing += row.missing ? 1 : 0, true; });
  CHECK(missing == 1);
}

TEST_CASE("pick_fields: takes the values of a mask out of those of another") {
  const Bytes row = typed_bytes({ValueView::of(std::int64_t{1}), ValueView::text("two"), ValueView::null()});
  ByteWriter out;
  pick_fields(row, 0b10110, 0b10010, out);
  CHECK(out.bytes() == typed_bytes({ValueView::of(std::int64_t{1}), ValueView::null()}));
  out.clear();
  pick_fields(row, 0b10110, 0b10110, out);
  CHECK(out.bytes() == row);
}

}  // namespace starling
