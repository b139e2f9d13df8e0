// Every command of starling, through the daemon and without one: the same answers.
#include <csignal>
#include <set>

#include "tests/apps/tree.h"
#include "tests/e2e/device.h"

namespace starling::test {
namespace {

namespace fs = std::filesystem;

// What is left of an answer when all that differs from run to run is taken out.
json stable(json answer) {
  for (const char* name : {"id", "location", "seconds", "commit", "created_ms", "device", "folder", "port", "listening",
                           "vector", "origin", "workspace", "modified_ms", "sha256", "album"}) {
    if (answer.is_object()) answer.erase(name);
  }
  if (answer.is_structured()) {
    for (json& inside : answer) inside = stable(std::move(inside));
  }
  return answer;
}

// Runs each command, as JSON and for people; gives the answers.
json run_all(const Device& device, const fs::path& files) {
  const std::string file = (files / "a" / "hello.txt").string();
  const std::string odd = (files / "caf\xE9").string();
  json answers = json::array();
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"index", files.string()},
           {"index", files.string()},
           {"ls"},
           {"ls", files.string()},
           {"ls", file},
           {"tag", file, "work", "to do"},
           {"tag", odd, "work"},
           {"tag", odd, "work"},
           {"ls", "--tag", "work"},
           {"tag", "list"},
           {"tag", "set", "work", "--color", "#ff0000", "--description", "paid for"},
           {"tag", "set", "fresh"},
           {"tag", "list"},
           {"untag", file, "work"},
           {"tag", "set", "work", "--color", ""},
           {"tag", "rm", "to do"},
           {"tag", "list"},
           {"ls", file},
           {"album", "add", "Norway", file, odd},
           {"album", "add", "Norway", "--description", "in winter"},
           {"album", "ls"},
           {"album", "show", "Norway"},
           {"album", "remove", "Norway", file},
           {"album", "show", "Norway"},
           {"album", "remove", "Norway", "--whole"},
           {"album", "ls"},
           {"sql", "SELECT name, size FROM entry ORDER BY name"},
           {"peer", "list"},
           {"status"},
           {"digest"},
           {"conflicts"},
           {"references"},
           {"quarantine", "list"},
           {"quarantine", "retry"},
           {"peer", "add", "AAAA-BBBB-CCCC-DDDD-EEEE-FFFF-GA", "192.0.2.1:7"},
       }) {
    CAPTURE(json(words[0]).dump());
    answers.push_back(stable(device.ask(words)));
  }
  return answers;
}

const json& named(const json& list, const json& name) {
  for (const json& one : list) {
    if (one["name"] == name) return one;
  }
  FAIL("no " << name.dump() << " in " << list.dump());
  return list;
}

}  // namespace

TEST_CASE("commands: each answers the same with a daemon and without") {
  TempFolder temp;
  make_odd_tree(temp / "files");
  Device with(temp, "with");
  with.init(false);
  with.start();
  const json through_daemon = run_all(with, temp / "files");
  Device without(temp, "without");
  without.init(false);
  without.start();  // writes the device's own row, as the other one did
  CHECK(without.stop() == 0);
  const json alone = run_all(without, temp / "files");
  REQUIRE(through_daemon.size() == alone.size());
  for (std::size_t i = 0; i < alone.size(); ++i) {
    json a = through_daemon[i];
    json b = alone[i];
    for (json* one : {&a, &b}) one->erase("peers");  // a daemon dials
    CHECK(a == b);
  }
  CHECK(with.stop() == 0);
}

TEST_CASE("commands: the answers are right") {
  TempFolder temp;
  make_odd_tree(temp / "files");
  Device device(temp, "data");
  device.init(false);
  device.start();
  const std::size_t entries = list_with_find(temp / "files").size();
  const json index = device.ask({"index", (temp / "files").string()});
  CHECK(index["entries"] == entries);
  CHECK(index["added"] == entries);
  CHECK(index["unreadable"] == 0);
  const json locations = device.ask({"ls"})["locations"];
  REQUIRE(locations.size() == 1);
  CHECK(locations[0]["entries"] == entries);
  CHECK(locations[0]["device"] == device.id());
  const json listed = device.ask({"ls", (temp / "files").string()})["entries"];
  CHECK(named(listed, "a")["kind"] == "folder");
  CHECK(named(listed, "link to folder")["kind"] == "link");
  CHECK(named(listed, "pipe")["kind"] == "fifo");
  CHECK(named(listed, {{"hex", "636166e9"}})["kind"] == "file");

  const std::string odd = (temp / "files" / "caf\xE9").string();
  CHECK(device.ask({"tag", odd, "work"})["commit"]["rows"] == 2);  // the tag and the link
  CHECK(device.ask({"tag", odd, "work"})["commit"]["rows"] == 0);
  const json tagged = device.ask({"ls", "--tag", "work"})["entries"];
  REQUIRE(tagged.size() == 1);
  CHECK(tagged[0]["name"] == json{{"hex", "636166e9"}});
  CHECK(device.ask({"tag", "set", "work", "--color", "#ff0000"})["commit"]["rows"] == 1);
  const json tag = named(device.ask({"tag", "list"})["tags"], "work");
  CHECK(tag["color"] == "#ff0000");
  CHECK(tag["description"] == "");
  CHECK(tag["entries"] == 1);
  CHECK(device.ask({"tag", "rm", "work"})["commit"]["rows"] == 2);
  CHECK(device.ask({"tag", "list"})["tags"].empty());
  CHECK(device.ask({"ls", odd})["entry"]["tags"].empty());
  CHECK(device.ask({"id"})["device"] == device.id());
  CHECK(device.stop(SIGINT) == 0);
}

TEST_CASE("commands: a list longer than one reply comes whole, in order, each once") {
  TempFolder temp;
  fs::create_directories(temp / "files");
  for (int i = 0; i < 2500; ++i) write_file(temp / "files" / ("f" + std::to_string(i)), "");
  write_file(temp / "files" / "odd\xFF", "");
  Device device(temp, "data");
  device.init(false);
  (void)device.ask({"index", (temp / "files").string()});
  const json entries = device.ask({"ls", (temp / "files").string()})["entries"];
  CHECK(entries.size() == 2501);
  std::set<std::string> names;
  for (const json& entry : entries) names.insert(entry["name"].dump());
  CHECK(names.size() == 2501);
  CHECK(entries.back()["name"] == json{{"hex", "6f6464ff"}});
}

TEST_CASE("commands: paths as people type them, through links, with dots and slashes, also of what is gone") {
  TempFolder temp;
  make_odd_tree(temp / "files");
  fs::create_directory_symlink(temp / "files", temp / "way");
  Device device(temp, "data");
  device.init(false);
  const std::string way = (temp / "way").string();
  CHECK(device.ask({"index", way + "/"})["path"] == (temp / "files").string());
  CHECK(device.ask({"index", way})["new_location"] == false);
  CHECK(device.ask({"ls", way})["path"] == (temp / "files").string());
  CHECK(device.ask({"ls", way + "/a/./b/../"})["path"] == (temp / "files" / "a").string());
  CHECK(device.ask({"ls", way + "/link to folder"})["entry"]["kind"] == "link");  // an entry itself: not followed
  CHECK(device.ask({"ls", way + "/link to folder/b"})["path"] == (temp / "files" / "a" / "b").string());
  fs::remove(temp / "files" / "a" / "hello.txt");
  CHECK(device.ask({"tag", way + "/a/hello.txt", "gone"})["commit"]["rows"] == 2);
}

TEST_CASE("commands: people get text, without what could control their terminal") {
  TempFolder temp;
  make_odd_tree(temp / "files");
  Device device(temp, "data");
  device.init(false);
  const Run index = device.starling({"index", (temp / "files").string()});
  CHECK(index.code == 0);
  CHECK(index.output.find(" new, 0 changed, 0 gone") != std::string::npos);
  CHECK(device.starling({"index", (temp / "files").string()}).output.find("nothing has changed") != std::string::npos);
  const Run ls = device.starling({"ls", (temp / "files").string()});
  CHECK(ls.code == 0);
  CHECK(ls.output.find("new\\nline\\x1b[31m") != std::string::npos);
  CHECK(ls.output.find('\x1b') == std::string::npos);
  CHECK(ls.output.find("caf\\xe9") != std::string::npos);
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"ls"}, {"status"}, {"digest"}, {"conflicts"}, {"references"}, {"tag", "list"}, {"id"}, {"peer", "list"}, {"album", "ls"},
           {"sql", "SELECT count(*) FROM entry"}}) {
    const Run done = device.starling(words);
    CHECK(done.code == 0);
    CHECK(done.output != "");
    CHECK(done.errors == "");
  }
}

TEST_CASE("commands: an error says what to do, and its exit code tells a wrong command from a failed one") {
  TempFolder temp;
  fs::create_directories(temp / "files");
  Device device(temp, "data");
  const Run none = device.starling({"status"});
  CHECK(none.code == 1);
  CHECK(none.errors.find("starling init") != std::string::npos);
  device.init(false);
  struct Case {
    std::vector<std::string> words;
    int code;
    std::string says;
  };
  for (const Case& one : std::vector<Case>{
           {{"nonsense"}, 2, "--help"},
           {{"index"}, 2, "FOLDER"},
           {{"tag", "only-a-path"}, 2, "TAG"},
           {{"tag", "a", "list"}, 2, "--"},
           {{"peer"}, 2, "--help"},
           {{"album", "add"}, 2, "ALBUM"},
           {{"album", "remove", "Norway"}, 2, "--whole"},
           {{"album", "remove", "Norway", "/x", "--whole"}, 2, "--whole"},
           {{"sql"}, 2, "QUERY"},
           {{"album", "show", "never"}, 1, "starling album ls"},
           {{"album", "remove", "never", "--whole"}, 1, "starling album ls"},
           {{"album", "add", "Norway", (temp / "files").string()}, 1, "starling ls"},
           {{"album", "add", "a\nb"}, 1, "control characters"},
           {{"tag", "set", "caf\xE9"}, 1, "UTF-8"},
           {{"sql", "DELETE FROM tag"}, 1, "only reads"},
           {{"sql", "SELECT nothing"}, 1, "sqlite_schema"},
           {{"index", (temp / "missing").string()}, 1, "missing"},
           {{"index", device.folder().string()}, 1, "data folder"},
           {{"ls", (temp / "files").string()}, 1, "starling ls"},
           {{"tag", (temp / "files").string(), "work"}, 1, "starling ls"},
           {{"tag", "rm", "never"}, 1, "starling tag list"},
           {{"tag", "set", "a\nb"}, 1, "control characters"},
           {{"peer", "add", "not-an-id"}, 1, "starling id"},
           {{"peer", "add", device.id()}, 1, "other device"},
           {{"peer", "add", "AAAA-BBBB-CCCC-DDDD-EEEE-FFFF-GA", "nowhere"}, 1, "host:port"},
           {{"ls", "/", "--device", "x"}, 1, "device"},
           {{"init", device.folder().string(), "--workspace", "x"}, 1, "already"},
           {{"init", (temp / "new").string(), "--workspace", "a/b"}, 1, "workspace name"},
           {{"init", (temp / "new").string(), "--workspace", "x", "--listen", "x"}, 1, "port"},
       }) {
    CAPTURE(json(one.words).dump());
    const Run done = device.starling(one.words);
    CHECK(done.code == one.code);
    CHECK_MESSAGE(done.errors.find(one.says) != std::string::npos, done.errors);
    CHECK(done.output == "");
  }
  CHECK(device.starling({"frobnicate"}).errors.find("'frobnicate' is no command") != std::string::npos);
  const Run as_json = device.starling({"--json", "tag", "rm", "never"});
  CHECK(as_json.code == 1);
  CHECK(as_json.answer()["error"]["code"] == "invalid argument");
  CHECK_FALSE(fs::exists(temp / "new"));
}

TEST_CASE("commands: --help and --version of each program") {
  TempFolder temp;
  for (const char* name : {"starling", "starlingd", "starling-demo"}) {
    CAPTURE(name);
    const Run help = run(temp, {program(name), "--help"});
    CHECK(help.code == 0);
    CHECK(help.output.find("Usage: ") != std::string::npos);
  }
  for (const char* name : {"starling", "starlingd"}) {
    const Run version = run(temp, {program(name), "--version"});
    CHECK(version.code == 0);
    CHECK(version.output.find(std::string(name) + " 0.") == 0);
  }
}

}  // namespace starling::test
