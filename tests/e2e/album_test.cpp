// Albums, conflicts and the other devices' names, as two devices see them.
#include "tests/apps/tree.h"
#include "tests/e2e/device.h"

namespace starling::test {
namespace {

namespace fs = std::filesystem;

// A has the workspace, B joins and dials; each has a folder of three files.
struct Pair {
  TempFolder temp;
  Device a{temp, "A"};
  Device b{temp, "B"};

  Pair() {
    for (const char* name : {"files a", "files b"}) {
      fs::create_directories(temp / name);
      for (const char* file : {"1", "2", "3"}) write_file(temp / name / file, "x");
    }
    introduce(a, b);
    b.start();
    (void)a.ask({"index", (temp / "files a").string()});
    (void)b.ask({"index", (temp / "files b").string()});
    await_equal(a, b);
  }
  [[nodiscard]] std::string file(const char* folder, const char* name) const { return (temp / folder / name).string(); }
};

}  // namespace

TEST_CASE("albums: one album holds entries of two devices, and both may change it") {
  Pair pair;
  (void)pair.a.ask({"album", "add", "Norway", pair.file("files a", "1"), pair.file("files a", "2")});
  await_equal(pair.a, pair.b);
  (void)pair.b.ask({"album", "add", "Norway", pair.file("files b", "3"), "--description", "in winter"});
  (void)pair.b.ask({"album", "remove", "Norway", pair.file("files a", "2")});
  await_equal(pair.a, pair.b);
  for (Device* device : {&pair.a, &pair.b}) {
    const json album = device->ask({"album", "show", "Norway"});
    CHECK(album["description"] == "in winter");
    REQUIRE(album["entries"].size() == 2);
    CHECK(album["entries"][0]["path"] == pair.file("files a", "1"));
    CHECK(album["entries"][0]["device"] == pair.a.id());
    CHECK(album["entries"][1]["path"] == pair.file("files b", "3"));
    CHECK(album["entries"][1]["device"] == pair.b.id());
  }
}

TEST_CASE("albums: two devices that make one of the same name, apart, have made two, told apart by their ids") {
  Pair pair;
  CHECK(pair.b.stop() == 0);
  (void)pair.a.ask({"album", "add", "Norway", pair.file("files a", "1")});
  (void)pair.b.ask({"album", "add", "Norway", pair.file("files b", "1")});
  pair.b.start();
  await("both albums", [&] { return pair.a.ask({"album", "ls"})["albums"].size() == 2; });
  await_equal(pair.a, pair.b);
  const Run by_name = pair.a.starling({"album", "show", "Norway"});
  CHECK(by_name.code == 1);
  const json albums = pair.a.ask({"album", "ls"});  // named: a range over a part of a temporary outlives it
  for (const json& album : albums["albums"]) {
    const std::string id = album["id"];
    CHECK(by_name.errors.find(id) != std::string::npos);
    CHECK(pair.a.ask({"album", "show", id})["entries"].size() == 1);
  }
}

TEST_CASE("albums: more paths than one request holds are put in all the same") {
  TempFolder temp;
  constexpr std::size_t kFiles = 3000;
  fs::create_directories(temp / "files");
  std::vector<std::string> words{"album", "add", "many"};
  for (std::size_t i = 0; i < kFiles; ++i) {
    words.push_back((temp / "files" / (std::string(80, 'x') + std::to_string(i))).string());
    write_file(words.back(), "");
  }
  Device device(temp, "data");
  device.init(false);
  device.start();
  (void)device.ask({"index", (temp / "files").string()});
  CHECK(device.ask(words)["commit"]["rows"] == kFiles + 1);
  CHECK(device.ask({"album", "show", "many"})["entries"].size() == kFiles);
  words[1] = "remove";
  CHECK(device.ask(words)["commit"]["rows"] == kFiles);
}

TEST_CASE("conflicts: each says which field of which row lost, whose it was, to whom, and what it held") {
  Pair pair;
  (void)pair.a.ask({"tag", "set", "work", "--color", "grey"});
  await_equal(pair.a, pair.b);
  CHECK(pair.b.stop() == 0);
  (void)pair.a.ask({"tag", "set", "work", "--color", "amber"});
  (void)pair.b.ask({"tag", "set", "work", "--color", "blue"});
  pair.b.start();
  await("the conflict", [&] { return !pair.b.ask({"conflicts"})["conflicts"].empty(); });
  await_equal(pair.a, pair.b);
  const json conflict = pair.b.ask({"conflicts"})["conflicts"][0];
  CHECK(conflict["model"] == "tag");
  CHECK(conflict["key"] == json{"work"});
  CHECK(conflict["field"] == "color");
  CHECK(conflict["loser"] == pair.a.id());
  CHECK(conflict["winner"] == pair.b.id());
  CHECK(conflict["lost_value"] == "amber");
  CHECK(conflict["value_now"] == "blue");
  const std::string text = pair.b.starling({"conflicts"}).output;
  for (const std::string& part : {std::string("tag \"work\", color: lost \"amber\""), "of " + pair.a.id().substr(0, 4),
                                  "to " + pair.b.id().substr(0, 4), std::string("now \"blue\"")}) {
    CHECK_MESSAGE(text.find(part) != std::string::npos, text);
  }
}

TEST_CASE("peer list: the other device with its name and how it stands") {
  Pair pair;
  await("live", [&] { return pair.a.ask({"peer", "list"})["peers"][0]["state"] == "live"; });
  const json peers = pair.a.ask({"peer", "list"})["peers"];
  REQUIRE(peers.size() == 1);
  CHECK(peers[0]["device"] == pair.b.id());
  CHECK(peers[0]["platform"].get<std::string>().find("Linux") == 0);
  const std::string text = pair.a.starling({"peer", "list"}).output;
  CHECK(text.find(pair.b.id()) != std::string::npos);
  CHECK(text.find(peers[0]["name"].get<std::string>()) != std::string::npos);
}

}  // namespace starling::test
