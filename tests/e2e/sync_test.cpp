// Two real daemons: the demo's day on odd folders, stops and kills in the middle of a transfer.
#include <unistd.h>

#include <csignal>
#include <set>
#include <thread>

#include "apps/common/data_folder.h"
#include "core/base/prng.h"
#include "tests/apps/tree.h"
#include "tests/e2e/device.h"

namespace starling::test {
namespace {

namespace fs = std::filesystem;

// A has the workspace, B joins and dials.
struct Pair {
  TempFolder temp;
  Device a{temp, "A"};
  Device b{temp, "B"};

  Pair() {
    introduce(a, b);
  }
  // A's port is a free one each time, so B must learn it again.
  void restart_a() {
    a.start();
    const std::string port = std::to_string(a.status()["port"].get<int>());
    const fs::path config = apps::config_path(b.folder());
    Expected<std::string> text = apps::read_text(config);
    REQUIRE(text.has_value());
    const std::size_t at = text->rfind("127.0.0.1:") + std::string("127.0.0.1:").size();
    text->replace(at, text->find('"', at) - at, port);
    REQUIRE(apps::write_text(config, *text).has_value());
  }
};

json index_request(const fs::path& folder) { return {{"op", "index"}, {"path", folder.string()}}; }

}  // namespace

TEST_CASE("sync: odd names, links and deep trees reach the other device byte for byte") {
  Pair pair;
  make_odd_tree(pair.temp / "files a");
  make_odd_tree(pair.temp / "files b");
  pair.b.start();
  (void)pair.a.call(index_request(pair.temp / "files a"));
  (void)pair.b.call(index_request(pair.temp / "files b"));
  await_equal(pair.a, pair.b);
  for (const auto& [author, reader, name] : {std::tuple(&pair.a, &pair.b, "files a"), std::tuple(&pair.b, &pair.a, "files b")}) {
    const Reader rows(apps::database_path(reader->folder()));
    const Expected<Rows> location =
        rows.query("SELECT id FROM location WHERE path = ?", (pair.temp / name).string());
    REQUIRE(location.has_value());
    REQUIRE(location->size() == 1);
    CHECK(differences(list_with_find(pair.temp / name), list_table(rows, location->text(0))) == "");
  }
  const json ls = pair.b.ask({"ls", (pair.temp / "files a").string(), "--device", pair.a.id()});
  CHECK(ls["device"] == pair.a.id());
  CHECK(ls["entries"].size() > 10);
  CHECK(pair.b.stop() == 0);
  CHECK(pair.a.stop() == 0);
}

TEST_CASE("sync: each device has a row about itself on both, and says nothing when it starts again") {
  Pair pair;
  pair.b.start();
  await_equal(pair.a, pair.b);
  for (Device* device : {&pair.a, &pair.b}) {
    const Reader rows(apps::database_path(device->folder()));
    const Expected<Rows> devices = rows.query("SELECT id, name, platform FROM device ORDER BY id");
    REQUIRE(devices.has_value());
    REQUIRE(devices->size() == 2);
    std::set<std::string> ids;
    for (std::size_t i = 0; i < 2; ++i) {
      ids.insert(to_string(DeviceId::from(devices->text(i, 0))));
      CHECK(devices->text(i, 1) != "");
      CHECK(devices->text(i, 2) != "");
    }
    CHECK(ids == std::set<std::string>{pair.a.id(), pair.b.id()});
  }
  CHECK(pair.b.stop() == 0);
  pair.b.start();
  await_equal(pair.a, pair.b);
  CHECK(pair.a.rows_of(pair.b) == 1);
}

TEST_CASE("sync: indexing again without a difference sends nothing, with one it sends that") {
  Pair pair;
  make_plain_tree(pair.temp / "files", 300);
  pair.b.start();
  (void)pair.a.call(index_request(pair.temp / "files"));
  await_equal(pair.a, pair.b);
  const std::uint64_t before = pair.b.rows_of(pair.a);
  const json applied = pair.b.status()["rows_applied"];
  (void)pair.a.call(index_request(pair.temp / "files"));
  std::this_thread::sleep_for(100ms);
  await_equal(pair.a, pair.b);
  CHECK(pair.b.rows_of(pair.a) == before);
  CHECK(pair.b.status()["rows_applied"] == applied);
  write_file(pair.temp / "files" / "group 0" / "folder 0" / "file 0.txt", "another content");
  (void)pair.a.call(index_request(pair.temp / "files"));
  await("the change arrives", [&] { return pair.b.rows_of(pair.a) > before; });
  await_equal(pair.a, pair.b);
  CHECK(pair.b.rows_of(pair.a) == before + 1);
  CHECK(pair.b.status()["rows_applied"] == applied.get<int>() + 1);
}

TEST_CASE("[N5] sync: a converged pair that starts again transfers no rows") {
  Pair pair;
  make_plain_tree(pair.temp / "files", 300);
  pair.b.start();
  (void)pair.a.call(index_request(pair.temp / "files"));
  await_equal(pair.a, pair.b);
  CHECK(pair.b.stop() == 0);
  pair.b.start();
  await("connected", [&] { return pair.b.status()["peers"][0]["state"] == "live"; });
  await_equal(pair.a, pair.b);
  CHECK(pair.b.status()["rows_applied"] == 0);
  CHECK(pair.b.status()["entries_applied"] == 0);
}

TEST_CASE("sync: SIGTERM in the middle of a transfer ends either side within 2 s, and nothing is lost") {
  constexpr std::uint64_t kFiles = 5000;  // more than two batches of the indexer
  Pair pair;
  int midway = 0;
  for (int round = 0; round < 3; ++round) {
    CAPTURE(round);
    const fs::path files = pair.temp / ("files " + std::to_string(round));
    make_plain_tree(files, kFiles);
    pair.b.start();
    const std::uint64_t before = pair.b.rows_of(pair.a);
    Expected<apps::ControlClient> other = apps::ControlClient::connect(pair.a.folder());
    REQUIRE(other.has_value());
    std::thread index([&] { (void)other->call(index_request(files)).has_value(); });
    await("rows flow", [&] { return pair.b.rows_of(pair.a) > before; });
    midway += pair.b.rows_of(pair.a) < before + kFiles ? 1 : 0;
    const bool stop_a = round == 1;  // while it indexes, pushes and has a command running
    CHECK((stop_a ? pair.a : pair.b).stop() == 0);
    index.join();
    if (!stop_a) continue;
    CHECK(pair.b.stop() == 0);
    pair.restart_a();
  }
  CHECK(midway > 0);
  pair.b.start();
  for (int round = 0; round < 3; ++round) (void)pair.a.call(index_request(pair.temp / ("files " + std::to_string(round))));
  await_equal(pair.a, pair.b);
  CHECK(pair.b.rows_of(pair.a) > 3 * kFiles);
}

TEST_CASE("[N4] sync: killed at random moments, again and again, both end equal") {
  constexpr int kRounds = 8;
  constexpr std::uint64_t kFiles = 5000;  // more than two batches of the indexer
  Pair pair;
  Prng random(2024);
  int midway = 0;  // kills that found B behind
  const auto files_of = [&](int round) { return pair.temp / ("files " + std::to_string(round)); };
  for (int round = 0; round < kRounds; ++round) {
    CAPTURE(round);
    make_plain_tree(files_of(round), kFiles);
    pair.b.start();
    const std::uint64_t before = pair.b.rows_of(pair.a);
    Expected<apps::ControlClient> other = apps::ControlClient::connect(pair.a.folder());
    REQUIRE(other.has_value());
    std::thread index([&] { (void)other->call(index_request(files_of(round))).has_value(); });
    (void)pair.b.call({{"op", "tag_set"}, {"name", "round"}, {"description", "B " + std::to_string(round)}});
    const std::uint64_t wanted = before + random.below(kFiles);
    await("rows flow", [&] { return pair.b.rows_of(pair.a) >= wanted; });
    std::this_thread::sleep_for(std::chrono::microseconds(random.below(2000)));
    midway += pair.b.rows_of(pair.a) < before + kFiles ? 1 : 0;
    pair.b.kill();
    const bool kill_a = round % 4 == 3;  // while it indexes and pushes
    if (kill_a) pair.a.kill();
    index.join();
    if (kill_a) pair.restart_a();
    (void)pair.a.call({{"op", "tag_set"}, {"name", "round"}, {"color", "A " + std::to_string(round)}});
  }
  CHECK(midway > 0);
  pair.b.start();
  for (int round = 0; round < kRounds; ++round) (void)pair.a.call(index_request(files_of(round)));
  await_equal(pair.a, pair.b);
  CHECK(pair.b.rows_of(pair.a) > kRounds * kFiles);
  CHECK(pair.b.ask({"ls"})["locations"].size() == kRounds);
  CHECK(pair.b.stop() == 0);
  CHECK(pair.a.stop() == 0);
}

TEST_CASE("sync: a folder that may not be read is listed, and keeps the rows it had") {
  TempFolder temp(TempFolder::Where::disk);
  fs::permissions(temp.path(), fs::perms(0755));
  make_plain_tree(temp / "files", 60);
  fs::copy_file(program("starling"), temp / "starling");  // the build folder may be closed to others
  const std::string open = (temp / "files" / "group 0" / "folder 1").string();
  // As somebody whom permissions stop: root is not one.
  std::vector<std::string> starling{(temp / "starling").string(), "--json", "--folder", (temp / "home" / "data").string()};
  fs::create_directories(temp / "home");
  if (::geteuid() == 0) {
    starling.insert(starling.begin(), {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"});
    fs::permissions(temp / "home", fs::perms(0777));
  }
  const auto ask = [&](const std::vector<std::string>& words) {
    std::vector<std::string> all = starling;
    all.insert(all.end(), words.begin(), words.end());
    const Run done = run(temp, all);
    REQUIRE_MESSAGE(done.code == 0, done.errors);
    return done.answer();
  };
  (void)ask({"init", (temp / "home" / "data").string(), "--workspace", "test"});
  const json first = ask({"index", (temp / "files").string()});
  CHECK(first["unreadable"] == 0);
  fs::permissions(open, fs::perms(0));
  const json second = ask({"index", (temp / "files").string()});
  CHECK(second["unreadable"] == 1);
  CHECK(second["unreadable_list"] == json::array({{{"path", "group 0/folder 1"}, {"why", "Permission denied"}}}));
  CHECK(second["removed"] == 0);
  CHECK(second["changed"] == 1);  // the folder's own mode
  CHECK(ask({"ls", open})["entries"].size() == 20);
}

TEST_CASE("demo: on two small odd folders everything ends equal") {
  TempFolder temp;
  make_odd_tree(temp / "a");
  make_plain_tree(temp / "a" / "many", 5000);
  make_odd_tree(temp / "b");
  const Run demo = run(temp, {program("starling-demo"), (temp / "a").string(), (temp / "b").string(), "--changes", "20"});
  CHECK_MESSAGE(demo.code == 0, demo.output << demo.errors);
  CHECK(demo.output.find("Everything is equal.") != std::string::npos);
  for (const char* model : {"device ", "entry ", "entry_tag ", "location ", "tag "}) {
    CHECK_MESSAGE(demo.output.find(std::string("    ") + model) != std::string::npos, model);
  }
  CHECK(demo.output.find("DIFFERENT") == std::string::npos);
}

TEST_CASE("demo: a wrong command line ends it with 2") {
  TempFolder temp;
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"/nonexistent"}, {"--nonsense"}, {"--changes"}, {"--changes", "1"}, {"/tmp", "/tmp", "/tmp"}}) {
    std::vector<std::string> all{program("starling-demo")};
    all.insert(all.end(), words.begin(), words.end());
    const Run done = run(temp, all);
    CHECK(done.code == 2);
    CHECK(done.errors.find("--help") != std::string::npos);
  }
}

}  // namespace starling::test
