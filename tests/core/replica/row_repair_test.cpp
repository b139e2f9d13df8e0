// Which of two rows a repair takes.
#include "core/replica/row_repair.h"

#include "tests/core/store/open_store.h"

namespace starling {
namespace {

struct Repairing {
  std::unique_ptr<Store> store = open_store();
  RowStore& rows = store->rows();
  ModelIndex note = store->schema().index_of(*store->schema().find("note"));
  ModelIndex file = store->schema().index_of(*store->schema().find("file"));
  Bytes text_key = typed_bytes({ValueView::text("k")});
  Bytes blob_key = typed_bytes({ValueView::blob("k")});

  Repairing() {  // we hold the logs of 2 and 3 up to HLC 1000, and what they own up to revision 50
    apply(*store, [&] {
      for (const unsigned n : {2U, 3U}) {
        const Ordinal o = store->origins().ordinal(origin(n));
        store->origins().advance_seq(o, Seq{9}, Hlc{1000}, {}, {});
        store->origins().advance_rev(o, Rev{50});
      }
      store->origins().advance_rev(store->self_ordinal(), Rev{50});
    });
  }
  static Bytes values(const char* a, const char* b) { return typed_bytes({ValueView::text(a), ValueView::text(b)}); }
  static Bytes path(const char* a) { return typed_bytes({ValueView::text(a), ValueView::null()}); }

  void hold(const RowVersion& v, const Bytes& row) {
    apply(*store, [&] {
      rows.put(note, text_key, v, row);
      if (v.death) rows.erase_row(note, text_key);
      else rows.upsert_row(note, text_key, row);
    });
  }
  void hold(const Origin& owner, std::uint64_t rev, const Bytes& row) {
    apply(*store, [&] {
      rows.put_owned(file, blob_key, {*store->origins().find(owner), Rev{rev}, false}, row);
      rows.upsert_row(file, blob_key, row);
    });
  }
  Expected<bool> take(const RowVersion& v, const Bytes& row) {
    Expected<bool> taken = false;
    apply(*store, [&] { taken = RowRepair(*store, note, {}, device(3)).take({text_key, {}, v, row}); });
    if (taken && *taken) CHECK(rows.is_good(note, text_key));
    return taken;
  }
  Expected<bool> take(const Origin& owner, std::uint64_t rev, const Bytes& row, const DeviceId& peer) {
    Expected<bool> taken = false;
    apply(*store, [&] { taken = RowRepair(*store, file, owner, peer).take({blob_key, Rev{rev}, {}, row}); });
    if (taken && *taken) CHECK(rows.is_good(file, blob_key));
    return taken;
  }
  [[nodiscard]] Bytes note_row() { return Bytes(rows.read_row(note, text_key).value_or("none")); }
  [[nodiscard]] Bytes file_row() { return Bytes(rows.read_row(file, blob_key).value_or("none")); }
};

const RowVersion kPlain{stamp(100, 2), std::nullopt, {}};

}  // namespace

TEST_CASE("RowRepair: a row that is damaged or missing here is taken as the peer has it") {
  Repairing r;
  CHECK(r.take(kPlain, r.values("a", "b")).value());  // no version of it
  CHECK_FALSE(r.take(kPlain, r.values("a", "b")).value());
  apply(*r.store, [&] { Statement(r.store->handle(), "UPDATE note SET title='zzz'").run(); });
  CHECK(r.take(kPlain, r.values("a", "b")).value());
  apply(*r.store, [&] { Statement(r.store->handle(), "DELETE FROM note").run(); });
  CHECK(r.take(kPlain, r.values("a", "b")).value());
  apply(*r.store, [&] { Statement(r.store->handle(), "UPDATE sync_row SET hlc=900 WHERE model=(SELECT number FROM sync_model WHERE name='note')").run(); });
  CHECK(r.take(kPlain, r.values("a", "b")).value());
  CHECK(r.rows.version(r.note, r.text_key) == kPlain);
  CHECK(r.note_row() == r.values("a", "b"));
}

TEST_CASE("RowRepair: of two good rows with one version the greater bytes win, whoever has them") {
  Repairing r;
  r.hold(kPlain, r.values("b", "b"));
  CHECK_FALSE(r.take(kPlain, r.values("a", "b")).value());
  CHECK(r.take(kPlain, r.values("c", "b")).value());
  CHECK(r.note_row() == r.values("c", "b"));
}

TEST_CASE("RowRepair: rows with other versions are joined, field by field; a later generation is another row") {
  Repairing r;
  const RowVersion mine{stamp(100, 2), std::nullopt, {{1, stamp(500, 2)}}};
  const RowVersion theirs{stamp(100, 2), std::nullopt, {{1, stamp(400, 3)}, {2, stamp(600, 3)}}};
  r.hold(mine, r.values("mine", "old"));
  CHECK(r.take(theirs, r.values("theirs", "new")).value());
  CHECK(r.note_row() == r.values("mine", "new"));
  CHECK(r.rows.version(r.note, r.text_key) == RowVersion{stamp(100, 2), std::nullopt, {{1, stamp(500, 2)}, {2, stamp(600, 3)}}});
  CHECK_FALSE(r.take(theirs, r.values("theirs", "new")).value());
  CHECK_FALSE(r.take({stamp(90, 3), std::nullopt, {}}, r.values("older", "older")).value());
  CHECK(r.take({stamp(700, 3), std::nullopt, {}}, r.values("other", "row")).value());
  CHECK(r.note_row() == r.values("other", "row"));
}

TEST_CASE("RowRepair: what was deleted here comes back only as a later row") {
  Repairing r;
  r.hold({stamp(100, 2), Death{origin(2), Seq{3}}, {}}, {});
  CHECK_FALSE(r.take(kPlain, r.values("a", "b")).value());
  CHECK(r.note_row() == "none");
  CHECK(r.take({stamp(101, 2), std::nullopt, {}}, r.values("a", "b")).value());
}

TEST_CASE("RowRepair: an owned row: the later revision, then the owner's word; our own good row stands") {
  Repairing r;
  r.hold(origin(2), 7, r.path("m"));
  CHECK_FALSE(r.take(origin(2), 6, r.path("z"), device(3)).value());
  CHECK_FALSE(r.take(origin(2), 7, r.path("a"), device(3)).value());
  CHECK(r.take(origin(2), 7, r.path("a"), device(2)).value());
  CHECK(r.take(origin(2), 7, r.path("b"), device(3)).value());
  CHECK(r.take(origin(2), 8, r.path("a"), device(3)).value());
  CHECK_FALSE(r.take(origin(3), 9, r.path("z"), device(3)).value());  // another's key
  CHECK(r.file_row() == r.path("a"));
  r.hold(r.store->self(), 7, r.path("ours"));
  CHECK_FALSE(r.take(r.store->self(), 7, r.path("z"), device(3)).value());
  apply(*r.store, [&] { Statement(r.store->handle(), "UPDATE file SET path='rotten'").run(); });
  CHECK(r.take(r.store->self(), 7, r.path("ours"), device(3)).value());
  CHECK(r.file_row() == r.path("ours"));
}

TEST_CASE("RowRepair: a version beyond our vector, a bad key and bad values are the peer's fault, and nothing is written") {
  Repairing r;
  CHECK(r.take({stamp(1001, 2), std::nullopt, {}}, r.values("a", "b")).error().code == Errc::corrupt);
  CHECK(r.take({stamp(5, 7), std::nullopt, {}}, r.values("a", "b")).error().code == Errc::corrupt);
  CHECK(r.take({stamp(5, 2), std::nullopt, {{1, stamp(1001, 2)}}}, r.values("a", "b")).error().code == Errc::corrupt);
  CHECK(r.take(origin(2), 51, r.path("a"), device(2)).error().code == Errc::corrupt);
  CHECK(r.take(origin(2), 0, r.path("a"), device(2)).error().code == Errc::corrupt);
  r.text_key = typed_bytes({ValueView::of(std::int64_t{1})});
  CHECK(r.take(kPlain, r.values("a", "b")).error().code == Errc::corrupt);
  CHECK(number(*r.store, "SELECT count(*) FROM sync_row") == 0);
}

}  // namespace starling
