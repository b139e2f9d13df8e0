// Digests that are kept with every write are those that one would compute by reading every table.
#include "tests/core/store/digests_anew.h"
#include "tests/core/store/open_store.h"
#include "core/base/prng.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace starling {
namespace {

Bytes key_of(ModelIndex m, const Store& store, std::uint64_t i) {
  const bool blob = store.schema().models[m].name == "file";
  const std::string id = "k" + std::to_string(i);
  return typed_bytes({blob ? ValueView::blob(id) : ValueView::text(id)});
}

// Random versions and rows of both kinds, put as the applier and the stamper put them.
class Writer {
 public:
  Writer(Store& store, Prng& prng) : store_(store), prng_(prng) {}

  void change() {
    const bool shared = prng_.below(2) == 0;
    const ModelIndex m = store_.schema().index_of(*store_.schema().find(shared ? "note" : "file"));
    if (prng_.below(3) == 0) return many(m, shared);
    const Bytes key = key_of(m, store_, prng_.below(40));
    const bool deleted = prng_.below(4) == 0;
    const Bytes values = some_values(shared);
    if (prng_.below(2) == 0 && shared) (void)store_.rows().version(m, key);
    if (shared) {
      RowVersion v{stamp(prng_.below(100) + 1, 2), std::nullopt, {}};
      if (deleted) v.death = Death{origin(3), Seq{1}};
      else if (prng_.below(2) == 0) v.set(1, stamp(200, 4));
      store_.rows().put(m, key, v, values);
    } else {
      store_.rows().put_owned(m, key, {static_cast<Ordinal>(2 + prng_.below(2)), Rev{prng_.below(1000)}, deleted}, values);
    }
    if (deleted) store_.rows().erase_row(m, key);
    else store_.rows().upsert_row(m, key, values);
  }

 private:
  Bytes some_values(bool shared) {  // in the types that the columns take
    return typed_bytes({ValueView::text("v" + std::to_string(prng_.below(5))),
                        prng_.below(2) == 0 ? ValueView::null() : shared ? ValueView::text("x")
                                                : ValueView::of(static_cast<std::int64_t>(prng_.below(9)))});
  }
  void many(ModelIndex m, bool shared) {
    std::vector<Bytes> bytes;
    std::vector<NewRow> rows;
    bytes.reserve(200);
    for (std::uint64_t i = 0, from = prng_.below(1000), count = prng_.below(70); i < count; ++i) {
      bytes.push_back(key_of(m, store_, from + i));
      bytes.push_back(some_values(shared));
      rows.push_back({bytes[bytes.size() - 2], bytes.back(), Rev{i + 1}});
    }
    rows.resize(shared ? store_.rows().put_new(m, rows, stamp(50, 3)) : store_.rows().put_new_owned(m, rows, 3));
    store_.rows().insert_rows(m, rows);
  }

  Store& store_;
  Prng& prng_;
};

}  // namespace

TEST_CASE("Digests: after random changes, rollbacks and reopening they are those of the tables read anew") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    Prng prng(seed);
    const std::unique_ptr<Store> store = open_store();
    apply(*store, [&] { for (int i = 2; i <= 4; ++i) (void)store->origins().ordinal(origin(i)); });
    Writer writer(*store, prng);
    for (int i = 0; i < 20; ++i) {
      const auto before = store->digests().list();
      store->begin(TransactionKind::apply);
      for (std::uint64_t n = prng.below(10) + 1; n > 0; --n) writer.change();
      const bool undone = prng.below(3) == 0;
      if (undone) store->rollback();
      else store->commit();
      if (undone) REQUIRE(store->digests().list() == before);
      REQUIRE(store->digests().list() == digests_anew(*store));
    }
    const auto in_memory = store->digests().list();
    CHECK(in_memory.size() > 1);
    store->digests().reload();
    CHECK(store->digests().list() == in_memory);
  }
}

TEST_CASE("Digests: a value, a version or a row more or less is another digest; a tombstone is none") {
  const std::unique_ptr<Store> store = open_store();
  const ModelIndex note = store->schema().index_of(*store->schema().find("note"));
  const Bytes a = key_of(note, *store, 1), b = key_of(note, *store, 2);
  const Bytes one = typed_bytes({ValueView::text("one"), ValueView::text("x")});
  const Bytes other = typed_bytes({ValueView::text("two"), ValueView::text("x")});
  const auto with = [&](const Bytes& key, const RowVersion& v, const Bytes& values) {
    apply(*store, [&] { store->rows().put(note, key, v, values); });
    return store->digests().hash();
  };
  const RowVersion version{stamp(5, 2), std::nullopt, {}};
  const Hash128 empty = store->digests().hash();
  const Hash128 first = with(a, version, one);
  CHECK(first != empty);
  CHECK(with(a, version, other) != first);
  CHECK(with(a, {stamp(6, 2), std::nullopt, {}}, one) != first);
  CHECK(with(a, {stamp(5, 3), std::nullopt, {}}, one) != first);
  CHECK(with(a, {stamp(5, 2), std::nullopt, {{1, stamp(9, 2)}}}, one) != first);
  CHECK(with(a, version, one) == first);
  CHECK(with(b, version, one) != first);
  CHECK(with(b, {stamp(5, 2), Death{origin(3), Seq{1}}, {}}, {}) == first);
  CHECK(with(a, {stamp(5, 2), Death{origin(3), Seq{1}}, {}}, {}) == empty);
}

TEST_CASE("Sums: fields at the end that hold their defaults count as fields that the row does not have") {
  ModelSchema before;
  before.name = "m";
  before.fields = {{"id"}, {"a"}, {"b"}};
  before.fields[0].key_position = 1;
  before.key = {0};
  for (FieldSchema& f : before.fields) f.default_value = typed_bytes({ValueView::null()});
  ModelSchema after = before;
  after.fields.push_back({"c"});
  after.fields.back().default_value = typed_bytes({ValueView::text("none")});
  after.fields.push_back({"d"});
  after.fields.back().default_value = typed_bytes({ValueView::null()});
  const Bytes key = typed_bytes({ValueView::text("k")});
  const RowVersion v{stamp(5, 2), std::nullopt, {}};
  const ValueView a = ValueView::text(BytesView("\0x\0", 3)), null = ValueView::null(), none = ValueView::text("none");
  const RowSum sum = sum_of(before, key, v, typed_bytes({a, null}));
  CHECK(sum_of(after, key, v, typed_bytes({a, null, none, null})) == sum);
  CHECK(sum_of(after, key, v, typed_bytes({a, none, none, null})) != sum);
  CHECK(sum_of(after, key, v, typed_bytes({a, null, null, null})) != sum);
  CHECK(sum_of(after, key, v, typed_bytes({a, null, none, none})) != sum);
  CHECK(sum_of(after, key, v, typed_bytes({null, null, none, null})) != sum);
  CHECK(sum_of(before, key, v, typed_bytes({a, a})) == sum_of(after, key, v, typed_bytes({a, a, none, null})));
}

// The format that docs/protocol.md tells, written down as plainly as it is told there; short and long rows.
TEST_CASE("Sums: are the hash of key, version and row as the protocol has them") {
  ModelSchema m;
  m.name = "m";
  m.fields = {{"id"}, {"a"}};
  m.fields[0].key_position = 1;
  m.key = {0};
  for (const std::size_t size : {0, 10, 300, 600, 5000}) {
    const Bytes key = typed_bytes({ValueView::text(std::string(size / 2, 'k'))});
    const Bytes values = typed_bytes({ValueView::text(std::string(size, 'v'))});
    const RowVersion v{stamp(5, 2), std::nullopt, {{1, stamp(1ULL << 60, 3)}}};
    ByteWriter version, owned, all, all_owned;
    version.be64(5);
    write_origin(version, origin(2));
    version.varint(1);
    version.be64(1ULL << 60);
    write_origin(version, origin(3));
    write_origin(owned, origin(3));
    owned.varint(1000);
    for (auto [w, of] : {std::pair{&all, &version}, {&all_owned, &owned}}) {
      w->blob(key);
      w->blob(of->bytes());
      w->raw(values);
    }
    const auto hash = [](const ByteWriter& w) { return XXH3_64bits(w.bytes().data(), w.size()); };
    CHECK(sum_of(m, key, v, values) == hash(all));
    CHECK(sum_of(m, key, origin(3), Rev{1000}, values) == hash(all_owned));
  }
}

TEST_CASE("RowStore: a row that is not what its version was put with is seen as damaged, also after it is changed") {
  const std::unique_ptr<Store> store = open_store();
  RowStore& rows = store->rows();
  const ModelIndex note = store->schema().index_of(*store->schema().find("note"));
  const Bytes key = key_of(note, *store, 1);
  const Bytes values = typed_bytes({ValueView::text("one"), ValueView::text("x")});
  const RowVersion version{stamp(5, 2), std::nullopt, {}};
  const auto good = [&] {
    std::vector<bool> seen;
    rows.scan(note, {}, [&](const ScannedRow& row) { return seen.push_back(row.good), true; });
    REQUIRE(seen.size() == 1);
    return static_cast<bool>(seen[0]);
  };
  apply(*store, [&] {
    rows.put(note, key, version, values);
    rows.insert_row(note, key, values);
  });
  CHECK(good());
  apply(*store, [&] { Statement(store->handle(), "UPDATE note SET title='bad'").run(); });
  CHECK_FALSE(good());
  apply(*store, [&] {
    (void)rows.version(note, key);
    const Bytes held(*rows.read_row(note, key));
    rows.put(note, key, version, held, rows.is_intact(note, key, version, held));
  });
  CHECK_FALSE(good());
  apply(*store, [&] { rows.erase_row(note, key); });
  CHECK_FALSE(good());
  apply(*store, [&] {
    rows.put(note, key, version, values);
    rows.upsert_row(note, key, values);
  });
  CHECK(good());
}

}  // namespace starling
