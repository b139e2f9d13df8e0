#include "core/store/snapshot_spool.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "core/base/limits.h"
#include "core/base/sha256.h"
#include "tests/core/store/open_store.h"

namespace starling {
namespace {

constexpr std::size_t kRow = 300;  // bytes, more or less

struct Folder {
  std::filesystem::path path;
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "starling-spool-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

// A store in a file, and rows of a table of notes, known by number.
struct Notes {
  Folder folder;
  std::unique_ptr<Store> store = open_store(store_config((folder.path / "notes.db").string()));
  ModelIndex model = store->schema().index_of(*store->schema().find("note"));

  static Bytes key(int number) { return typed_bytes({ValueView::text("note " + std::to_string(100'000 + number))}); }

  // In a transaction. The title decides the values, and `hlc` the version.
  void put(int number, const std::string& title, std::uint64_t hlc = 1000) {
    const Bytes values = typed_bytes({ValueView::text(title), ValueView::text(std::string(kRow, static_cast<char>('a' + std::abs(number) % 26)))});
    store->rows().upsert_row(model, key(number), values);
    store->rows().put(model, key(number), {stamp(hlc, 2), std::nullopt, {}}, values);
  }
  void erase(int number, std::uint64_t hlc = 1000) {
    store->rows().erase_row(model, key(number));
    store->rows().put(model, key(number), {stamp(hlc, 2), Death{origin(3), Seq{5}}, {}}, std::nullopt);
  }
  void fill(int count) {
    apply(*store, [&] { for (int i = 0; i < count; ++i) put(i, "title " + std::to_string(i)); });
  }
  [[nodiscard]] SnapshotSpool spool(std::uint64_t seq = 1) const {
    SnapshotHead head;
    head.logs.push_back({origin(2), Seq{seq}, Hlc{5000 + seq}, {}, {}});
    return {{store->file(), store->vfs(), store->shared_schema()}, store->origins(), store->digests(), head};
  }
};

struct Listed {
  std::map<Bytes, std::string> notes;  // by key: "generation title", or "dead"
  std::size_t pages_of_notes = 0;
};

// What the pages say of the notes; each follows the one before, up to the end of its model.
Listed read(const Notes& notes, SnapshotSpool& spool) {
  Listed listed;
  bool open = false;
  Bytes through;
  for (std::uint64_t i = 1; i < spool.pages(); ++i) {
    const Bytes body = spool.body(i);
    CHECK(hash128(body) == spool.hash(i));
    const Expected<DecodedSnapshotPage> page = decode_snapshot_page(body, notes.store->schema());
    REQUIRE(page);
    for (const SnapshotRow& row : page->rows) CHECK(row.key > through);
    open = !page->range.to_end;
    through = page->range.through;
    if (page->model != notes.model) continue;
    ++listed.pages_of_notes;
    for (const SnapshotRow& row : page->rows) {
      ByteReader values(row.values);
      std::string& told = listed.notes[Bytes(row.key)];
      if (row.version.death) told = "dead";
      else told = std::to_string(row.version.generation.hlc.packed) + " " + std::string(read_value(values).bytes);
    }
  }
  CHECK_FALSE(open);
  return listed;
}

std::set<Hash128> hashes(SnapshotSpool& spool) {
  std::set<Hash128> all;
  for (std::uint64_t i = 1; i < spool.pages(); ++i) all.insert(spool.hash(i));
  return all;
}

}  // namespace

TEST_CASE("SnapshotSpool: the head comes first and names the spool; then every shared row, dead ones as tombstones") {
  Notes notes;
  notes.fill(3);
  apply(*notes.store, [&] { notes.erase(1); });
  SnapshotSpool spool = notes.spool(7);
  CHECK(spool.pages() == 1);
  CHECK_FALSE(spool.complete());
  CHECK(spool.id() == hash128(spool.body(0)));
  CHECK(decode_snapshot_head(spool.body(0))->vector() == spool.vector());
  CHECK(spool.vector().at(origin(2)).seq == Seq{7});
  spool.write_more(limits::kSpooledPerStep);
  CHECK(spool.complete());
  CHECK(spool.pages() == 1 + 3);  // two models of the application's, and the members
  const std::map<Bytes, std::string> expected{
      {Notes::key(0), "1000 title 0"}, {Notes::key(1), "dead"}, {Notes::key(2), "1000 title 2"}};
  CHECK(read(notes, spool).notes == expected);
}

TEST_CASE("SnapshotSpool: all pages are as of its beginning, whatever is written while they are") {
  Notes notes;
  notes.fill(4000);
  SnapshotSpool spool = notes.spool();
  spool.write_more(1);
  CHECK_FALSE(spool.complete());
  apply(*notes.store, [&] {
    for (const int number : {0, 2000, 3999}) notes.put(number, "changed", 2000);
    for (const int number : {1, 2001, 3998}) notes.erase(number, 2000);
    notes.put(4000, "new", 2000);
  });
  while (!spool.complete()) spool.write_more(1);
  const Listed listed = read(notes, spool);
  CHECK(listed.pages_of_notes > 2);
  CHECK(listed.notes.size() == 4000);
  for (int i = 0; i < 4000; ++i) REQUIRE(listed.notes.at(Notes::key(i)) == "1000 title " + std::to_string(i));

  SnapshotSpool later = notes.spool(2);
  while (!later.complete()) later.write_more(limits::kSpooledPerStep);
  const Listed fresh = read(notes, later);
  CHECK(fresh.notes.size() == 4001);
  CHECK(fresh.notes.at(Notes::key(2000)) == "2000 changed");
  CHECK(fresh.notes.at(Notes::key(2001)) == "dead");
  CHECK(fresh.notes.at(Notes::key(4000)) == "2000 new");
}

TEST_CASE("SnapshotSpool: pages end by content: one row more, less or changed makes few other pages") {
  Notes notes;
  notes.fill(8000);
  const auto spooled = [&] {
    SnapshotSpool spool = notes.spool();
    while (!spool.complete()) spool.write_more(limits::kSpooledPerStep);
    for (std::uint64_t i = 1; i < spool.pages(); ++i)
      CHECK(spool.body(i).size() <= limits::kSnapshotPageMax + 2 * kRow);
    return hashes(spool);
  };
  const auto differ = [](const std::set<Hash128>& a, const std::set<Hash128>& b) {
    return std::count_if(a.begin(), a.end(), [&](const Hash128& hash) { return !b.contains(hash); });
  };
  constexpr int kFew = 3;  // up to the next key that ends a page, and not because it is full
  const std::set<Hash128> before = spooled();
  CHECK(before.size() > 3 * kFew);
  CHECK(spooled() == before);
  apply(*notes.store, [&] { notes.put(4500, "changed", 2000); });
  const std::set<Hash128> changed = spooled();
  CHECK(differ(changed, before) == 1);
  apply(*notes.store, [&] { notes.put(-100'000 + 1, "the first of all", 2000); });  // moves every row behind it
  const std::set<Hash128> inserted = spooled();
  CHECK(differ(inserted, changed) >= 1);
  CHECK(differ(inserted, changed) <= kFew);
  apply(*notes.store, [&] {
    notes.store->rows().erase_row(notes.model, Notes::key(2000));
    notes.store->rows().forget(notes.model, Notes::key(2000));
  });
  const std::set<Hash128> fewer = spooled();
  CHECK(differ(fewer, inserted) >= 1);
  CHECK(differ(fewer, inserted) <= kFew);
}

}  // namespace starling
