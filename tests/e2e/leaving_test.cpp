// Peers that come and go without a restart, backups that are put back, and leaving: with the real programs.
#include <csignal>

#include "tests/apps/tree.h"
#include "tests/e2e/device.h"

namespace starling::test {
namespace {

namespace fs = std::filesystem;

std::string tags(const Device& device) {
  std::string names;
  const json answer = device.ask({"tag", "list"});
  for (const json& tag : answer["tags"]) names += (names.empty() ? "" : " ") + tag["name"].get<std::string>();
  return names;
}

struct Two {
  TempFolder temp;
  Device a{temp, "A"};
  Device b{temp, "B"};

  Two() {
    a.init(false);
    b.init(true);
    a.start();
    b.start();  // neither knows the other yet
    b.add_peer(a, false);
    a.add_peer(b, true);  // A, which starts again and then listens elsewhere, is the one that dials
    await_equal(a, b);
  }
};

}  // namespace

TEST_CASE("peers are added and removed while the daemons run, and stay so after a restart") {
  Two two;
  (void)two.a.ask({"tag", "set", "one"});
  await_equal(two.a, two.b);
  CHECK(two.a.ask({"peer", "remove", two.b.id()})["device"] == two.b.id());
  await("B is turned away", [&] { return two.b.status()["peers"][0]["state"] != "live"; });
  (void)two.a.ask({"tag", "set", "two"});
  CHECK(two.a.stop() == 0);
  two.a.start();
  CHECK(two.a.status()["peers"].empty());
  CHECK(tags(two.b) == "one");
  const Run again = two.a.starling({"peer", "remove", two.b.id()});
  CHECK(again.code != 0);
  CHECK(again.errors.find("peer list") != std::string::npos);
  two.a.add_peer(two.b, true);
  await("B has what it missed", [&] { return tags(two.b) == "one two"; });
}

TEST_CASE("a backup that is put back is recognised, and what was written after it comes back from the peer") {
  Two two;
  (void)two.a.ask({"tag", "set", "before"});
  const std::string file = (two.temp / "copy.db").string();
  CHECK(two.a.ask({"backup", file})["bytes"] > 4096);
  CHECK(two.a.starling({"backup", file}).errors.find("another name") != std::string::npos);
  (void)two.a.ask({"tag", "set", "after"});
  await_equal(two.a, two.b);
  CHECK(two.a.stop() == 0);
  for (const char* name : {"starling.db", "starling.db-wal", "starling.db-shm"}) fs::remove(two.a.folder() / name);
  fs::copy_file(file, two.a.folder() / "starling.db");
  two.a.start();
  (void)two.a.ask({"tag", "set", "later"});
  await_equal(two.a, two.b);
  CHECK(tags(two.a) == "after before later");
  CHECK(two.a.log().find("a backup or a copy") != std::string::npos);
}

TEST_CASE("leaving: asked twice, then the data is an ordinary database and the daemon ends by itself") {
  Two two;
  (void)two.a.ask({"tag", "set", "kept"});
  await_equal(two.a, two.b);
  const Run unsure = two.b.starling({"leave"});
  CHECK(unsure.code != 0);
  CHECK(unsure.errors.find("--yes") != std::string::npos);
  CHECK(tags(two.b) == "kept");
  CHECK(two.b.starling({"leave", "--yes"}).code == 0);
  const auto ended = two.b.daemon().wait(5s);
  REQUIRE(ended);
  CHECK(ended->code == 0);
  const std::string database = (two.b.folder() / "starling.db").string();
  const Run shell = run(two.temp, {"/usr/bin/sqlite3", database,
                                   "INSERT INTO tag(name, created_ms) VALUES ('by hand', 0);"
                                   "SELECT group_concat(name) FROM (SELECT name FROM tag ORDER BY name); SELECT count(*) FROM sqlite_schema WHERE name GLOB 'sync_*'"});
  CHECK(shell.output == "by hand,kept\n0\n");
  CHECK_FALSE(fs::exists(two.b.folder() / "starling.db-opening"));
}

}  // namespace starling::test
