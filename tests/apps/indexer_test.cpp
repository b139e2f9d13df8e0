// The indexer against find(1), and that it writes only what differs.
#include "apps/common/indexer.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "models/models.h"
#include "tests/apps/temp_folder.h"
#include "tests/apps/tree.h"

namespace starling::test {
namespace {

namespace fs = std::filesystem;
using apps::IndexProgress;
using apps::IndexReport;

// A device with a folder to index; no network.
struct Fixture {
  TempFolder temp;
  fs::path root = temp / "files";
  std::unique_ptr<Node> node = open();
  Reader reader = *node->reader();

  Fixture() { fs::create_directories(root); }
  [[nodiscard]] std::unique_ptr<Node> open() const {
    Config config;
    config.folder = temp / "data";
    config.workspace = "test";
    Expected<std::unique_ptr<Node>> opened = Node::open(config, models::built_in());
    REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().text()));
    return std::move(*opened);
  }
  IndexReport index(apps::IndexOptions options = {}) {
    const Expected<IndexReport> report = apps::index_folder(*node, root.string(), options, {});
    REQUIRE_MESSAGE(report.has_value(), (report ? "" : report.error().text()));
    return *report;
  }
  // Revisions of our state stream: one for each row that was written.
  [[nodiscard]] std::uint64_t revisions() const {
    const Expected<Rows> rows = reader.query("SELECT coalesce(sum(rev), 0) FROM sync_origin");
    REQUIRE(rows.has_value());
    return static_cast<std::uint64_t>(rows->integer(0));
  }
  void check_same(const IndexReport& report) {
    CHECK(differences(list_with_find(root), list_table(reader, report.location)) == "");
  }
};

}  // namespace

TEST_CASE("indexer: the table is what find(1) lists, however odd the folder") {
  Fixture f;
  make_odd_tree(f.root);
  const IndexReport report = f.index();
  f.check_same(report);
  CHECK(report.new_location);
  CHECK(report.unreadable == 0);
  CHECK(report.added == report.entries);
  CHECK(list_with_find(f.root).size() == report.entries);
}

TEST_CASE("indexer: names that are valid UTF-8 are TEXT, all others BLOB") {
  Fixture f;
  make_odd_tree(f.root);
  (void)f.index();
  const Expected<Rows> rows = f.reader.query("SELECT name, typeof(name) FROM entry WHERE name LIKE 'caf%' OR typeof(name) = 'blob'");
  REQUIRE(rows.has_value());
  std::map<Bytes, std::string> types;
  for (std::size_t i = 0; i < rows->size(); ++i) types[rows->text(i, 0)] = rows->text(i, 1);
  CHECK(types == std::map<Bytes, std::string>{
                     {"caf\xC3\xA9", "text"}, {"caf\xE9", "blob"}, {"\xFF\xFE", "blob"}, {"bad\x80 folder", "blob"}});
}

TEST_CASE("indexer: a second run over an unchanged folder writes nothing") {
  Fixture f;
  make_odd_tree(f.root);
  const IndexReport first = f.index();
  const std::uint64_t before = f.revisions();
  CHECK(before == first.added + 1);  // the location's own row
  const IndexReport second = f.index();
  CHECK(f.revisions() == before);
  CHECK(second.commits == 0);
  CHECK(second.added + second.changed + second.removed == 0);
  CHECK(second.entries == first.entries);
  CHECK_FALSE(second.new_location);
  CHECK(second.location == first.location);
}

TEST_CASE("indexer: after any changes the table is the folder again, and each written row is a difference") {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    CAPTURE(seed);
    Fixture f;
    Prng random(seed);
    make_plain_tree(f.root, 200);
    Listing before = list_with_find(f.root);
    (void)f.index();
    for (int round = 0; round < 10; ++round) {
      CAPTURE(round);
      for (std::uint64_t i = 0; i <= random.below(6); ++i) change_something(f.root, random);
      const std::uint64_t revisions = f.revisions();
      const IndexReport report = f.index();
      f.check_same(report);
      const Listing after = list_with_find(f.root);
      std::uint64_t expected = 0;
      for (const auto& [path, what] : after) expected += before.count(path) == 0 || before.at(path) != what ? 1 : 0;
      for (const auto& [path, what] : before) expected += after.count(path) == 0 ? 1 : 0;
      CHECK(f.revisions() - revisions == expected);
      CHECK(report.added + report.changed + report.removed == expected);
      before = after;
    }
  }
}

TEST_CASE("indexer: what is removed in batches smaller than a subtree is removed whole") {
  Fixture f;
  make_plain_tree(f.root, 500);
  apps::IndexOptions small;
  small.batch_rows = 7;
  (void)f.index(small);
  fs::remove_all(f.root / "group 0");
  const IndexReport report = f.index(small);
  f.check_same(report);
  CHECK(report.removed > 400);
  CHECK(report.commits > 10);
}

TEST_CASE("indexer: a run that is stopped keeps what it committed, and the next one goes on") {
  Fixture f;
  make_plain_tree(f.root, 400);
  apps::IndexOptions small;
  small.batch_rows = 50;
  const auto stop_at = [](const IndexProgress& p) { return p.written < 100; };
  const Expected<IndexReport> stopped = apps::index_folder(*f.node, f.root.string(), small, stop_at);
  REQUIRE_FALSE(stopped.has_value());
  CHECK(stopped.error().code == Errc::stopped);
  const std::uint64_t kept = f.revisions();
  CHECK(kept == 100);
  const IndexReport rest = f.index();
  f.check_same(rest);
  CHECK(rest.changed == 0);
  CHECK(rest.added + kept == rest.entries + 1);
}

TEST_CASE("indexer: files that come and go meanwhile do not stop it") {
  Fixture f;
  make_plain_tree(f.root, 400);
  std::atomic<bool> done = false;
  std::thread busy([&] {
    for (std::uint64_t i = 0; !done; ++i) {
      const fs::path folder = f.root / "group 0" / ("churn " + std::to_string(i % 5));
      std::error_code ignored;
      fs::create_directories(folder / "x", ignored);
      fs::remove_all(folder, ignored);
    }
  });
  for (int i = 0; i < 10; ++i) {
    const Expected<IndexReport> report = apps::index_folder(*f.node, f.root.string(), {}, {});
    CHECK_MESSAGE(report.has_value(), (report ? "" : report.error().text()));
  }
  done = true;
  busy.join();
  f.check_same(f.index());
}

TEST_CASE("indexer: the data folder inside the indexed folder is left out") {
  Fixture f;
  write_file(f.root / "file", "x");
  apps::IndexOptions options;
  options.skip = apps::FolderWalk::file_id((f.temp / "data").string());
  f.root = f.temp.path();
  const IndexReport report = f.index(options);
  const Listing table = list_table(f.reader, report.location);
  CHECK(table.count("files/file") == 1);
  CHECK(table.count("data") == 0);
  CHECK(table.size() == 3);
}

TEST_CASE("indexer: progress counts every entry and ends at what was expected") {
  Fixture f;
  make_plain_tree(f.root, 100);
  std::vector<IndexProgress> seen;
  const auto note = [&](const IndexProgress& p) {
    seen.push_back(p);
    return true;
  };
  const Expected<IndexReport> report = apps::index_folder(*f.node, f.root.string(), {}, note);
  REQUIRE(report.has_value());
  CHECK(seen.back().expected == report->entries);
  CHECK(seen.back().entries == report->entries);
  CHECK(seen.back().written == report->added + 1);
}

TEST_CASE("indexer: what is no folder is an error that says so") {
  Fixture f;
  write_file(f.root / "file", "x");
  for (const char* name : {"file", "missing"}) {
    const Expected<IndexReport> report = apps::index_folder(*f.node, (f.root / name).string(), {}, {});
    REQUIRE_FALSE(report.has_value());
    CHECK(report.error().where == (f.root / name).string());
    CHECK(report.error().remedy != "");
  }
}

}  // namespace starling::test
