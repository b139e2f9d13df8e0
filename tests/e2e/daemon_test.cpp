// starlingd: how it starts, refuses to start, logs and ends.
#include <sys/stat.h>

#include <csignal>
#include <sstream>
#include <thread>

#include "apps/common/data_folder.h"
#include "tests/apps/tree.h"
#include "tests/e2e/device.h"

namespace starling::test {
namespace {

namespace fs = std::filesystem;

Run run_daemon(const TempFolder& temp, const std::string& config) {
  write_file(temp / "starlingd.toml", config);
  return run(temp, {program("starlingd"), "--config", (temp / "starlingd.toml").string()});
}

}  // namespace

TEST_CASE("starlingd: a mistake in the configuration ends it with 2 and names file, line and key") {
  TempFolder temp;
  const std::string file = (temp / "starlingd.toml").string();
  struct Case {
    std::string config, says;
  };
  for (const Case& one : std::vector<Case>{{"workspace = \"x\"\nlisten_on = \"y\"\n", ":2: listen_on: no such key"},
                                           {"\nlisten = \"nowhere\"\n", ":2: listen: \"nowhere\""},
                                           {"[log]\nlevel = \"loud\"\n", ":2: log.level: \"loud\" is none of"},
                                           {"start = 1\n", ":1: start: must be a string"},
                                           {"[[peer]]\ndevice = \"x\"\n", ":2: peer.device: \"x\""},
                                           {"workspace = \"x\n", ":1: not TOML"}}) {
    const Run done = run_daemon(temp, one.config);
    CHECK(done.code == 2);
    CHECK_MESSAGE(done.errors.find("starlingd: " + file + one.says) == 0, done.errors);
    CHECK(done.output == "");
  }
}

TEST_CASE("starlingd: a wrong command line ends it with 2") {
  TempFolder temp;
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{}, {"--config"}, {"--confg", "x"}, {"--config", "/nonexistent"}}) {
    std::vector<std::string> all{program("starlingd")};
    all.insert(all.end(), words.begin(), words.end());
    const Run done = run(temp, all);
    CHECK(done.code == 2);
    CHECK(done.errors.find("starling") != std::string::npos);
  }
}

TEST_CASE("starlingd: a folder in use, a port that is taken and a folder that others may enter end it with 3") {
  TempFolder temp;
  Device device(temp, "data");
  device.init(false);
  device.start();
  const std::string port = std::to_string(device.status()["port"].get<int>());
  CHECK(device.status()["listening"] == "127.0.0.1:" + port);  // the configuration says port 0
  const Run second = run(temp, {program("starlingd"), "--config", apps::config_path(device.folder()).string()});
  CHECK(second.code == 3);
  CHECK(second.errors.find("in use") != std::string::npos);
  CHECK(device.status()["failed"] == "");  // and the first one does not mind

  fs::create_directories(temp / "other");
  fs::permissions(temp / "other", fs::perms(0700));
  write_file(temp / "other" / "starlingd.toml", "listen = \"127.0.0.1:" + port + "\"\n");
  const Run taken = run(temp, {program("starlingd"), "--config", (temp / "other" / "starlingd.toml").string()});
  CHECK(taken.code == 3);
  CHECK(taken.errors.find(port) != std::string::npos);

  fs::permissions(temp / "other", fs::perms(0755));
  const Run open = run(temp, {program("starlingd"), "--config", (temp / "other" / "starlingd.toml").string()});
  CHECK(open.code == 3);
  CHECK(open.errors.find("chmod 700") != std::string::npos);
  CHECK(device.stop() == 0);
}

TEST_CASE("starlingd: its files are its user's alone, and its socket goes with it") {
  TempFolder temp;
  Device device(temp, "data");
  device.init(false);
  device.start();
  const auto mode_of = [](const fs::path& path) {
    struct stat s{};
    REQUIRE(::stat(path.c_str(), &s) == 0);
    return s.st_mode & 07777U;
  };
  CHECK(mode_of(device.folder()) == 0700);
  CHECK(mode_of(device.folder() / "device.key") == 0600);
  CHECK(mode_of(device.folder() / "starlingd.toml") == 0600);
  CHECK(mode_of(apps::socket_path(device.folder())) == 0600);
  CHECK(device.stop() == 0);
  CHECK_FALSE(fs::exists(apps::socket_path(device.folder())));
  CHECK(device.ask({"status"})["port"] == 0);  // without a daemon now
  CHECK(device.ask({"status"})["listening"].is_null());
}

TEST_CASE("starlingd: after SIGKILL the socket that was left is no obstacle, to it or to the commands") {
  TempFolder temp;
  Device device(temp, "data");
  device.init(false);
  device.start();
  device.kill();
  CHECK(fs::exists(apps::socket_path(device.folder())));
  CHECK(device.ask({"tag", "set", "x"})["commit"]["rows"] == 1);
  device.start();
  CHECK(device.call({{"op", "tag_list"}})["tags"].size() == 1);
  CHECK(device.stop() == 0);
}

TEST_CASE("starlingd: the log is one JSON object for each line when it is asked for") {
  TempFolder temp;
  Device device(temp, "data");
  device.init(false);
  const fs::path config = apps::config_path(device.folder());
  Expected<std::string> text = apps::read_text(config);
  REQUIRE(text.has_value());
  const std::string before = "format = \"text\"";
  text->replace(text->find(before), before.size(), "format = \"json\"");
  write_file(config, *text);
  device.start();
  CHECK(device.stop() == 0);
  std::istringstream lines(device.log());
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const json one = json::parse(line, nullptr, false);
    REQUIRE_MESSAGE(one.is_object(), line);
    CHECK(one["time"].get<std::string>().size() == std::string("2024-01-01T00:00:00.000Z").size());
    CHECK(one["level"].is_string());
    CHECK(one["message"].is_string());
  }
  CHECK(count > 0);
}

TEST_CASE("starlingd: SIGTERM, SIGINT and SIGHUP end it within 2 s, also in the middle of an index run") {
  TempFolder temp;
  make_plain_tree(temp / "files", 6000);
  Device device(temp, "data");
  device.init(false);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    CAPTURE(signal);
    device.start({"--offline"});
    const std::uint64_t rows = device.rows_of(device);
    Expected<apps::ControlClient> other = apps::ControlClient::connect(device.folder());
    REQUIRE(other.has_value());
    std::thread index([&] {  // ends with the daemon
      (void)other->call({{"op", "index"}, {"path", (temp / "files").string()}}).has_value();
    });
    await("the index run writes", [&] { return device.rows_of(device) > rows || rows >= 6000; });
    CHECK(device.stop(signal) == 0);
    index.join();
  }
  CHECK(device.ask({"index", (temp / "files").string()})["entries"] == list_with_find(temp / "files").size());
}

}  // namespace starling::test
