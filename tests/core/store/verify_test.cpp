// A database read again as a whole, and two compared.
#include "core/store/verify.h"

#include "core/store/backup.h"
#include "tests/core/store/open_store.h"

namespace starling {
namespace {

struct TempFolder {
  std::filesystem::path path;
  TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "starling-verify-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~TempFolder() { std::filesystem::remove_all(path); }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  std::filesystem::path operator/(const char* name) const { return path / name; }
};

struct OnDisk {
  TempFolder temp;
  std::filesystem::path file = temp / "starling.db";
  std::unique_ptr<Store> store = open_store(store_config(file.string()));
  ModelIndex note = store->schema().index_of(*store->schema().find("note"));

  OnDisk() {
    apply(*store, [&] {
      for (const char* id : {"a", "b", "c"}) put(id, "title");
    });
  }
  void put(const char* id, const char* title) {
    const Bytes key = typed_bytes({ValueView::text(id)});
    const Bytes values = typed_bytes({ValueView::text(title), ValueView::null()});
    store->rows().put(note, key, {Stamp{Hlc{5}, store->self()}, std::nullopt, {}}, values);
    store->rows().upsert_row(note, key, values);
  }
  void behind(const char* sql) {
    apply(*store, [&] { Statement(store->handle(), sql).run(); });
  }
};

}  // namespace

TEST_CASE("verify: a database as it was written is well; what changed behind the engine's back is listed") {
  OnDisk d;
  VerifyReport report = verify_database(d.file, d.store->schema());
  CHECK(report.all_well());
  CHECK(report.rows == 3);
  d.behind("UPDATE note SET title='rotten' WHERE id='a'");
  d.behind("DELETE FROM note WHERE id='b'");
  d.behind("INSERT INTO note(id) VALUES ('stranger')");
  report = verify_database(d.file, d.store->schema());
  CHECK_FALSE(report.all_well());
  REQUIRE(report.list.size() == 3);
  CHECK(report.damaged == 3);
  CHECK(describe_values(report.list[0].key) + " " + report.list[0].what == "'a' has other values than were written");
  CHECK(describe_values(report.list[1].key) + " " + report.list[1].what == "'b' is gone");
  CHECK(describe_values(report.list[2].key) + " " + report.list[2].what == "'stranger' was written behind the engine's back");
}

TEST_CASE("verify: digests that are not those of the rows are seen") {
  OnDisk d;
  apply(*d.store, [&] { d.store->digests().add(d.store->rows().group_of(d.note, {}), 9, 1); });
  CHECK_FALSE(verify_database(d.file, d.store->schema()).digests_are_good);
}

TEST_CASE("compare: a backup holds the same rows; each row that differs is given with both sides") {
  OnDisk d;
  const std::filesystem::path copy = d.temp / "copy.db";
  REQUIRE(back_up(d.file, copy));
  const auto compare = [&] { return compare_databases(d.file, copy, d.store->schema()); };
  REQUIRE(compare());
  CHECK(compare()->different == 0);
  CHECK(compare()->rows == 3);
  apply(*d.store, [&] {
    d.put("a", "other");
    d.put("new", "title");
  });
  d.behind("DELETE FROM note WHERE id='c'");
  const Expected<Comparison> found = compare();
  REQUIRE(found->list.size() == 3);
  CHECK(describe_values(*found->list[0].here) == "'other', NULL");
  CHECK(describe_values(*found->list[0].there) == "'title', NULL");
  CHECK_FALSE(found->list[1].there.has_value());
  CHECK_FALSE(found->list[2].here.has_value());
  CHECK(compare_databases(d.file, d.temp / "none.db", d.store->schema()).error().code == Errc::schema);
}

}  // namespace starling
