// What the commands print: JSON that any bytes survive, nothing with --quiet, and every command takes both.
#include "tests/apps/tree.h"
#include "tests/e2e/device.h"

namespace starling::test {
namespace {

namespace fs = std::filesystem;

// One of each command that needs no other device.
std::vector<std::vector<std::string>> every_command(const fs::path& files) {
  const std::string file = (files / "a.txt").string();
  return {{"id"},
          {"index", files.string()},
          {"ls"},
          {"ls", files.string()},
          {"tag", file, "work"},
          {"ls", "--tag", "work"},
          {"tag", "list"},
          {"tag", "set", "work", "--color", "red"},
          {"untag", file, "work"},
          {"tag", "rm", "work"},
          {"album", "add", "Norway", file},
          {"album", "ls"},
          {"album", "show", "Norway"},
          {"album", "remove", "Norway", file},
          {"album", "remove", "Norway", "--whole"},
          {"peer", "add", "AAAA-BBBB-CCCC-DDDD-EEEE-FFFF-GA"},
          {"peer", "list"},
          {"member", "list"},
          {"status"},
          {"digest"},
          {"conflicts"},
          {"references"},
          {"sql", "SELECT 1"}};
}

}  // namespace

TEST_CASE("output: every command takes --json, before it and behind it, and prints one object") {
  TempFolder temp;
  fs::create_directories(temp / "files");
  write_file(temp / "files" / "a.txt", "x");
  Device device(temp, "data");
  device.init(false);
  bool before = false;
  for (std::vector<std::string> words : every_command(temp / "files")) {
    CAPTURE(json(words).dump());
    before = !before;
    words.insert(before ? words.begin() : words.end(), "--json");
    const Run done = device.starling(words);
    CHECK_MESSAGE(done.code == 0, done.errors);
    CHECK(done.answer().is_object());
    CHECK(done.errors == "");
  }
}

TEST_CASE("output: with --quiet a command prints nothing, and an error all the same") {
  TempFolder temp;
  fs::create_directories(temp / "files");
  write_file(temp / "files" / "a.txt", "x");
  Device device(temp, "data");
  device.init(false);
  for (std::vector<std::string> words : every_command(temp / "files")) {
    CAPTURE(json(words).dump());
    words.push_back("--quiet");
    const Run done = device.starling(words);
    CHECK_MESSAGE(done.code == 0, done.errors);
    CHECK(done.output == "");
    CHECK(done.errors == "");
  }
  const Run failed = device.starling({"tag", "rm", "never", "-q"});
  CHECK(failed.code == 1);
  CHECK(failed.output == "");
  CHECK(failed.errors.find("starling tag list") != std::string::npos);
  const Run both = device.starling({"tag", "rm", "never", "-q", "-j"});
  CHECK(both.answer()["error"]["code"] == "invalid argument");
}

TEST_CASE("output: names that are not UTF-8 stand in JSON as bytes, wherever they come from") {
  TempFolder temp;
  fs::create_directories(temp / "files");
  const std::string odd = (temp / "files" / "caf\xE9").string();
  write_file(odd, "x");
  Device device(temp, "data");
  device.init(false);
  (void)device.ask({"index", (temp / "files").string()});
  const json name{{"hex", "636166e9"}};
  (void)device.ask({"album", "add", "Norway", odd});
  CHECK(device.ask({"album", "show", "Norway"})["entries"][0]["name"] == name);
  CHECK(device.ask({"sql", "SELECT name FROM entry WHERE kind = 'file'"})["rows"] == json{{name}});
  CHECK(device.ask({"sql", "SELECT CAST(name AS TEXT) FROM entry WHERE kind = 'file'"})["rows"] == json{{name}});
  const Run missing = device.starling({"--json", "ls", odd + "\xFF"});  // in an error's text it is escaped
  CHECK(missing.code == 1);
  CHECK(missing.answer()["error"]["where"].get<std::string>().find("caf\\xe9\\xff") != std::string::npos);
}

TEST_CASE("output: a table of a query has its columns below each other, and says when it is cut") {
  TempFolder temp;
  Device device(temp, "data");
  device.init(false);
  const Run table =
      device.starling({"sql", "SELECT 'ä' AS text, 1234 AS n, NULL AS none UNION ALL SELECT 'long', 5, x'00'"});
  CHECK(table.output == "text     n  none\nä     1234  NULL\nlong     5  x'00'\n");
  const Run cut = device.starling(
      {"sql",
       "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i, printf('%.999c', 'x') FROM n"});
  CHECK(cut.code == 0);
  CHECK(cut.output.find("use LIMIT and OFFSET") != std::string::npos);
  CHECK(cut.output.find(std::string(79, 'x') + "…") != std::string::npos);
}

}  // namespace starling::test
