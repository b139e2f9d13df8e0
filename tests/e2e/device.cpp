#include "tests/e2e/device.h"

#include <algorithm>
#include <csignal>
#include <thread>

#include "apps/common/data_folder.h"

namespace starling::test {
namespace {

constexpr auto kRunWithin = 60s;
constexpr auto kStartWithin = 20s;

}  // namespace

std::string program(const std::string& name) { return std::string(STARLING_PROGRAMS) + "/" + name; }

Run run(const TempFolder& temp, const std::vector<std::string>& words) {
  apps::ChildProcess::Options options;
  options.error_file = temp / "stderr";
  std::filesystem::remove(options.error_file);
  Expected<apps::ChildProcess> child = apps::ChildProcess::start(words, options);
  REQUIRE_MESSAGE(child.has_value(), (child ? "" : child.error().text()));
  Run result;
  result.output = child->read_all(kRunWithin);
  const auto ended = child->wait(kRunWithin);
  REQUIRE_MESSAGE(ended.has_value(), words.at(0) << " did not end");
  result.code = ended->code;
  const Expected<std::string> errors = apps::read_text(options.error_file);
  if (errors) result.errors = *errors;
  return result;
}

void await(const std::string& what, const std::function<bool()>& condition, std::chrono::milliseconds most) {
  const auto deadline = std::chrono::steady_clock::now() + most;
  while (!condition()) {
    REQUIRE_MESSAGE(std::chrono::steady_clock::now() < deadline, "not within " << most.count() << " ms: " << what);
    std::this_thread::sleep_for(2ms);
  }
}

void introduce(Device& a, Device& b) {
  a.init(false);
  b.init(true);
  a.add_peer(b, false);
  a.start();
  b.add_peer(a, true);
}

void await_equal(Device& a, Device& b) { await_equal({&a, &b}, 30s); }

void await_equal(const std::vector<Device*>& all, std::chrono::milliseconds most) {
  std::vector<json> of;
  const auto equal = [&] {
    of.clear();
    for (Device* device : all) of.push_back(device->status());
    return std::all_of(of.begin(), of.end(), [&](const json& status) {
      return status["readiness"] == "ready" && status["vector"] == of.front()["vector"] && status["quarantined"] == 0;
    });
  };
  await("equal vectors", equal, most);
  std::this_thread::sleep_for(20ms);  // a status is published a moment after a commit
  await("equal vectors", equal, most);
  const json digest = all.front()->call({{"op", "digest"}});
  CHECK(digest["models"].size() == 9);
  for (Device* device : all) CHECK(digest == device->call({{"op", "digest"}}));
}

void Device::init(bool join, const std::string& listen) {
  std::vector<std::string> words{program("starling"), "--json",   "init", folder_.string(), "--workspace",
                                 "test",              "--listen", listen};
  if (join) words.push_back("--join");
  const Run made = run(temp_, words);
  REQUIRE_MESSAGE(made.code == 0, made.errors);
  id_ = made.answer()["device"];
}

void Device::add_peer(const Device& other, bool dial) {
  std::vector<std::string> words{"peer", "add", other.id_};
  if (dial) words.push_back("127.0.0.1:" + std::to_string(other.ask({"status"})["port"].get<int>()));
  (void)ask(words);
}

void Device::add_peer_at(const Device& other, const std::string& address) { (void)ask({"peer", "add", other.id_, address}); }

json Device::peer(const Device& other) {
  const json all = status();
  for (const json& peer : all["peers"])
    if (peer["device"] == other.id_) return peer;
  return {{"state", "none"}, {"why", ""}};
}

bool Device::has_tag(const std::string& name) {
  const json all = call({{"op", "tag_list"}});
  const json& tags = all["tags"];
  return std::any_of(tags.begin(), tags.end(), [&](const json& tag) { return tag["name"] == name; });
}

void Device::start(const std::vector<std::string>& options) {
  std::vector<std::string> words = under_;
  words.insert(words.end(), {program("starlingd"), "--config", apps::config_path(folder_).string()});
  words.insert(words.end(), options.begin(), options.end());
  apps::ChildProcess::Options how;
  how.error_file = folder_.string() + ".log";
  Expected<apps::ChildProcess> child = apps::ChildProcess::start(words, how);
  REQUIRE_MESSAGE(child.has_value(), (child ? "" : child.error().text()));
  daemon_ = std::move(*child);
  const std::optional<std::string> line = daemon_->read_line(kStartWithin);
  REQUIRE_MESSAGE(line.has_value(), log());
  CHECK(line->find("starlingd: ready, device " + id_) == 0);
  Expected<apps::ControlClient> client = apps::ControlClient::connect(folder_);
  REQUIRE_MESSAGE(client.has_value(), (client ? "" : client.error().text()));
  client_ = std::move(*client);
}

void Device::kill() {
  daemon_->signal(SIGKILL);
  REQUIRE(daemon_->wait(10s).has_value());
  client_.reset();
}

int Device::stop(int signal, std::chrono::milliseconds most) {
  daemon_->signal(signal);
  const auto ended = daemon_->wait(most);
  REQUIRE_MESSAGE(ended.has_value(), "starlingd did not stop within " << most.count() << " ms\n" << log());
  client_.reset();
  return ended->code;
}

Run Device::starling(std::vector<std::string> words) const {
  words.insert(words.begin(), {program("starling"), "--folder", folder_.string()});
  return run(temp_, words);
}

json Device::ask(std::vector<std::string> words) const {
  words.insert(words.begin(), "--json");
  const Run done = starling(words);
  REQUIRE_MESSAGE(done.code == 0, done.errors);
  const json answer = done.answer();
  REQUIRE_MESSAGE(answer.is_object(), done.output);
  return answer;
}

json Device::call(const json& request) {
  Expected<json> answer = client_->call(request);
  REQUIRE_MESSAGE(answer.has_value(), (answer ? "" : answer.error().text()) << "\n" << log());
  return std::move(*answer);
}

std::uint64_t Device::rows_of(const Device& author) {
  std::uint64_t rows = 0;
  const json vector = status()["vector"];
  for (const auto& [origin, position] : vector.items()) {
    if (origin.compare(0, author.id_.size(), author.id_) == 0) rows += position["rev"].get<std::uint64_t>();
  }
  return rows;
}

std::string Device::log() const {
  const Expected<std::string> text = apps::read_text(folder_.string() + ".log");
  return text ? *text : text.error().text();
}

}  // namespace starling::test
