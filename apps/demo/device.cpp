#include "apps/demo/device.h"

#include <algorithm>
#include <csignal>

#include "apps/common/byte_text.h"
#include "apps/common/data_folder.h"

namespace starling::demo {
namespace {

using namespace std::chrono_literals;

constexpr auto kStartWithin = 10s;
constexpr auto kCommandWithin = 30s;

}  // namespace

Device::Device(std::string name, std::size_t slot, Bytes content, const Options& options, Scratch& scratch)
    : name_(std::move(name)),
      slot_(slot),
      content_(std::move(content)),
      options_(options),
      scratch_(scratch),
      folder_(scratch.path() / name_) {}

std::filesystem::path Device::database() const { return apps::database_path(folder_); }

std::vector<std::string> Device::command(std::vector<std::string> words) const {
  std::vector<std::string> all{options_.starling.string(), "--folder", folder_.string()};
  all.insert(all.end(), words.begin(), words.end());
  return all;
}

void Device::init(bool join) {
  std::vector<std::string> words{"--json",   "init",        folder_.string(), "--workspace",
                                 "demo",     "--listen",    "127.0.0.1:0"};
  if (join) words.push_back("--join");
  words.insert(words.begin(), options_.starling.string());
  const apps::Finished done = must(apps::run_program(words, kCommandWithin));
  if (done.ended.code != 0) throw Failed("starling init failed");
  id_ = must(apps::parse_json(done.output))["device"];
}

// Only the device that is given an address dials; the other waits for it.
void Device::add_peer(const Device& other, bool dial) {
  std::vector<std::string> words = command({"peer", "add", other.id_});
  if (dial) {
    const json status = must(other.connect().call({{"op", "status"}}));
    words.push_back("127.0.0.1:" + std::to_string(status["port"].get<int>()));
  }
  const apps::Finished done = must(apps::run_program(words, kCommandWithin));
  if (done.ended.code != 0) throw Failed("starling peer add failed");
}

void Device::start(bool offline) {
  std::vector<std::string> words{options_.starlingd.string(), "--config", apps::config_path(folder_).string()};
  if (offline) words.push_back("--offline");
  apps::ChildProcess::Options how;
  how.error_file = scratch_.path() / (name_ + ".log");
  daemon_ = must(apps::ChildProcess::start(words, how));
  scratch_.set_child(slot_, daemon_->pid());
  if (!daemon_->read_line(kStartWithin)) {
    const Expected<std::string> log = apps::read_text(how.error_file);
    throw Failed("starlingd of " + name_ + " did not start: " + (log ? *log : log.error().text()));
  }
  client_ = connect();
}

void Device::kill() {
  scratch_.set_child(slot_, 0);
  daemon_->signal(SIGKILL);
  (void)daemon_->wait(10s);
  client_.reset();
}

double Device::stop() {
  const Clock::time_point start = Clock::now();
  scratch_.set_child(slot_, 0);
  daemon_->signal(SIGTERM);
  const auto ended = daemon_->wait(10s);
  client_.reset();
  if (!ended) throw Failed("starlingd of " + name_ + " did not stop within 10 s");
  if (ended->code != 0) throw Failed("starlingd of " + name_ + " ended with " + std::to_string(ended->code));
  return seconds_since(start);
}

json Device::call(const json& request) {
  json answer = must(client_->call(request));
  if (answer.contains("commit")) last_seq_ = std::max(last_seq_, answer["commit"]["seq"].get<std::uint64_t>());
  return answer;
}

bool Device::shows_our_writes(const json& status) const {
  for (const auto& [origin, position] : status["vector"].items()) {
    if (origin == status["origin"]) return position["seq"] >= last_seq_;
  }
  return last_seq_ == 0;
}

apps::ControlClient Device::connect() const { return must(apps::ControlClient::connect(folder_)); }

void Device::set_tag(const std::string& name, const std::string& field, const std::string& value) {
  (void)call({{"op", "tag_set"}, {"name", name}, {field, value}});
}

void Device::tag(const Bytes& entry, const std::string& name, bool on) {
  (void)call({{"op", on ? "tag" : "untag"}, {"path", apps::bytes_to_json(entry)}, {"tags", {name}}});
}

std::uint64_t rows_held(const json& status, const std::string& author) {
  std::uint64_t rows = 0;
  for (const auto& [origin, position] : status["vector"].items()) {
    if (origin.compare(0, author.size(), author) == 0) rows += position["rev"].get<std::uint64_t>();
  }
  return rows;
}

}  // namespace starling::demo
