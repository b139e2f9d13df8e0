// The configuration: what it means, and that every mistake names its file, line and key.
#include "apps/common/config_file.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>

#include "apps/common/built_in.h"
#include "apps/common/data_folder.h"
#include "tests/apps/temp_folder.h"

namespace starling::apps {
namespace {

constexpr char kDevice[] = "AAAA-BBBB-CCCC-DDDD-EEEE-FFFF-GA";

AppConfig parse(const std::string& text) {
  const Expected<AppConfig> config = parse_config(text, "/etc/starling/starlingd.toml");
  REQUIRE_MESSAGE(config.has_value(), (config ? "" : config.error().text()));
  return *config;
}

Error parse_wrong(const std::string& text) {
  const Expected<AppConfig> config = parse_config(text, "/etc/starling/starlingd.toml");
  REQUIRE_MESSAGE(!config.has_value(), text);
  return config.error();
}

}  // namespace

TEST_CASE("config: the commented sample says what the defaults are") {
  const AppConfig sample = parse(sample_config());
  const AppConfig none = parse("");
  CHECK(sample.workspace == none.workspace);
  CHECK(sample.start == none.start);
  CHECK(sample.listen == none.listen);
  CHECK(sample.folder == none.folder);
  CHECK(sample.log.level == none.log.level);
  CHECK(sample.log.format == none.log.format);
  CHECK(sample.peers.empty());
  for (const char* key : {"workspace", "start", "listen", "folder", "level", "format"}) {
    CHECK_MESSAGE(sample_config().find("\n" + std::string(key) + " = ") != std::string::npos, key);
  }
  CHECK(none.folder == "/etc/starling");
}

TEST_CASE("config: every key arrives") {
  const AppConfig config = parse(
      "workspace = \"home\"\nstart = \"join\"\nlisten = \"[::1]:7\"\nfolder = \"data\"\n"
      "[log]\nlevel = \"debug\"\nformat = \"json\"\n"
      "[[peer]]\ndevice = \"" + std::string(kDevice) + "\"\naddresses = [\"host:1\", \"10.0.0.1:2\"]\n");
  CHECK(config.workspace == "home");
  CHECK(config.start == Start::join);
  CHECK(config.listen == "[::1]:7");
  CHECK(config.folder == "/etc/starling/data");
  CHECK(config.log.level == LogLevel::debug);
  CHECK(config.log.format == LogFormat::json);
  REQUIRE(config.peers.size() == 1);
  CHECK(to_string(config.peers[0].device) == kDevice);
  CHECK(config.peers[0].addresses == std::vector<std::string>{"host:1", "10.0.0.1:2"});
  const Config node = config.node_config();
  CHECK(node.folder == config.folder);
  CHECK(node.peers.size() == 1);
  CHECK(node.start == Start::join);
}

TEST_CASE("config: each mistake names the file, the line and the key") {
  const std::string peer = "[[peer]]\ndevice = \"" + std::string(kDevice) + "\"\n";
  struct Case {
    std::string text, where;
  };
  for (const Case& one : std::vector<Case>{
           {"workspace = \"x\"\nworkspce = \"y\"\n", ":2: workspce"},
           {"\n\nworkspace = 7\n", ":3: workspace"},
           {"workspace = \"\"\n", ":1: workspace"},
           {"workspace = \"a/b\"\n", ":1: workspace"},
           {"start = \"begin\"\n", ":1: start"},
           {"listen = \"nowhere\"\n", ":1: listen"},
           {"listen = \"host:99999\"\n", ":1: listen"},
           {"listen = [\"a:1\"]\n", ":1: listen"},
           {"folder = \"\"\n", ":1: folder"},
           {"[log]\nlevel = \"loud\"\n", ":2: log.level"},
           {"[log]\nformat = \"xml\"\n", ":2: log.format"},
           {"[log]\nlevel = \"info\"\ncolour = true\n", ":3: log.colour"},
           {"log = 3\n", ":1: log"},
           {"peer = \"x\"\n", ":1: peer"},
           {"[peer]\ndevice = \"x\"\n", ":1: peer"},
           {"[[peer]]\naddresses = []\n", ":1: peer.device"},
           {"[[peer]]\ndevice = \"short\"\n", ":2: peer.device"},
           {peer + "addresses = \"host:1\"\n", ":3: peer.addresses"},
           {peer + "addresses = [\"host:1\", 2]\n", ":3: peer.addresses"},
           {peer + "addresses = [\"host:0\"]\n", ":3: peer.addresses"},
           {peer + "adresses = []\n", ":3: peer.adresses"},
           {peer + "\n" + peer, ":4: peer.device"},
           {"workspace = \"x\"\nworkspace = \"y\"\n", ":2"},
           {"a = \n", ":1"},
           {"x = \"caf\xE9\"\n", ":1"},
       }) {
    CAPTURE(one.text);
    const Error error = parse_wrong(one.text);
    CHECK(error.where == "/etc/starling/starlingd.toml" + one.where);
    CHECK(error.what != "");
    CHECK(error.code == Errc::invalid_argument);
  }
}

TEST_CASE("config: an unknown key is told which keys there are") {
  CHECK(parse_wrong("workspce = 1\n").remedy.find("workspace") != std::string::npos);
  CHECK(parse_wrong("start = \"x\"\n").what.find("\"offline\"") != std::string::npos);
}

TEST_CASE("config: init's edits keep the comments and mean what was given") {
  std::string text = with_value(sample_config(), "workspace", "our \"house\" \\ home");
  text = with_value(text, "start", "join");
  text = with_value(text, "listen", "127.0.0.1:0");
  const AppConfig config = parse(text);
  CHECK(config.workspace == "our \"house\" \\ home");
  CHECK(config.start == Start::join);
  CHECK(config.listen == "127.0.0.1:0");
  const auto comments = [](const std::string& all) { return std::count(all.begin(), all.end(), '#'); };
  CHECK(comments(text) == comments(sample_config()));
}

TEST_CASE("config: a peer is added once, behind what is there") {
  const Expected<DeviceId> device = parse_device_id(kDevice);
  REQUIRE(device.has_value());
  const Expected<std::string> text = with_peer(sample_config(), "f", {*device, {"h:1", "[::1]:2"}});
  REQUIRE(text.has_value());
  CHECK(text->compare(0, sample_config().size(), sample_config()) == 0);
  const AppConfig config = parse(*text);
  REQUIRE(config.peers.size() == 1);
  CHECK(config.peers[0].addresses == std::vector<std::string>{"h:1", "[::1]:2"});
  CHECK_FALSE(with_peer(*text, "f", {*device, {}}).has_value());
  DeviceId other;
  other.raw[0] = 9;
  const Expected<std::string> two = with_peer(*text, "f", {other, {}});
  REQUIRE(two.has_value());
  CHECK(parse(*two).peers.size() == 2);
  for (const char* bad : {"", "h", "h:0", ":1", "h\n:1", "h\"x:1 2"}) {
    CAPTURE(bad);
    CHECK_FALSE(with_peer(sample_config(), "f", {*device, {bad}}).has_value());
  }
  CHECK_FALSE(with_peer("peer = []\n", "f", {*device, {}}).has_value());  // cannot take a block: said, not broken
}

TEST_CASE("config: a peer's block is taken out, and nothing else; a list in one line is left to its author") {
  DeviceId one, two;
  one.raw[0] = 1;
  two.raw[0] = 2;
  const std::string with_one = *with_peer(sample_config(), "f", {one, {"h:1"}});
  const std::string with_both = *with_peer(with_one, "f", {two, {}});
  CHECK(*without_peer(with_both, "f", two) == with_one + "\n");
  const Expected<std::string> rest = without_peer(with_both, "f", one);
  REQUIRE(rest.has_value());
  REQUIRE(parse(*rest).peers.size() == 1);
  CHECK(parse(*rest).peers[0].device == two);
  CHECK(rest->compare(0, sample_config().size(), sample_config()) == 0);
  CHECK_FALSE(without_peer(with_one, "f", two).has_value());
  const std::string inline_list = "peer = [{device = \"" + to_string(one) + "\"}]\n";
  REQUIRE(parse(inline_list).peers.size() == 1);
  CHECK_FALSE(without_peer(inline_list, "f", one).has_value());
}

TEST_CASE("config: a missing file is an error that says how to get one") {
  const Expected<AppConfig> config = load_config("/nonexistent/starlingd.toml");
  REQUIRE_FALSE(config.has_value());
  CHECK(config.error().where == "/nonexistent/starlingd.toml");
  CHECK(config.error().remedy.find("starling init") != std::string::npos);
}

TEST_CASE("data folder: by default it is $STARLING_FOLDER, then below $XDG_DATA_HOME, then below $HOME") {
  const auto by_default = [] {
    const Expected<std::filesystem::path> folder = default_folder();
    return folder ? folder->string() : folder.error().remedy;
  };
  for (const char* name : {"STARLING_FOLDER", "XDG_DATA_HOME", "HOME"}) ::unsetenv(name);
  CHECK(by_default().find("--folder") != std::string::npos);
  ::setenv("HOME", "/home/u", 1);
  CHECK(by_default() == "/home/u/.local/share/starling");
  ::setenv("XDG_DATA_HOME", "not absolute", 1);
  CHECK(by_default() == "/home/u/.local/share/starling");
  ::setenv("XDG_DATA_HOME", "/data", 1);
  CHECK(by_default() == "/data/starling");
  ::setenv("STARLING_FOLDER", "here", 1);
  CHECK(by_default() == "here");
}

TEST_CASE("data folder: a text is replaced whole, and only its owner reads it") {
  test::TempFolder temp;
  REQUIRE(write_text(temp / "f", "one").has_value());
  REQUIRE(write_text(temp / "f", std::string(100'000, 'x')).has_value());
  const Expected<std::string> text = read_text(temp / "f");
  REQUIRE(text.has_value());
  CHECK(*text == std::string(100'000, 'x'));
  struct stat s{};
  REQUIRE(::stat((temp / "f").c_str(), &s) == 0);
  CHECK((s.st_mode & 07777) == 0600);
  CHECK(std::distance(std::filesystem::directory_iterator(temp.path()), std::filesystem::directory_iterator()) == 1);
  CHECK_FALSE(write_text(temp / "no" / "f", "x").has_value());
  REQUIRE(write_text(temp / "f", std::string(2 * 1024 * 1024, 'x')).has_value());
  CHECK_FALSE(read_text(temp / "f").has_value());
}

}  // namespace starling::apps
