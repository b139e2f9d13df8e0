// One device of an end-to-end test: a data folder, the real starlingd on it and the real starling beside it.
#pragma once

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "apps/common/child_process.h"
#include "apps/common/control_client.h"
#include "tests/apps/temp_folder.h"

namespace starling::test {

using nlohmann::json;
using namespace std::chrono_literals;

// What a run of the starling program gave.
struct Run {
  int code = -1;
  std::string output;  // standard output
  std::string errors;  // standard error

  [[nodiscard]] json answer() const { return json::parse(output, nullptr, false); }
};

class Device {
 public:
  Device(const TempFolder& temp, const std::string& name) : temp_(temp), folder_(temp / name) {}

  void init(bool join, const std::string& listen = "127.0.0.1:0");  // workspace "test"
  void run_under(std::vector<std::string> words) { under_ = std::move(words); }  // before starlingd's own words
  void add_peer(const Device& other, bool dial); // dial: the other one's daemon runs
  void add_peer_at(const Device& other, const std::string& address);
  void add_peer_at(const Device& other, std::uint16_t port) { add_peer_at(other, "127.0.0.1:" + std::to_string(port)); }
  // Starts starlingd and waits until it is ready.
  void start(const std::vector<std::string>& options = {});
  void kill();                                   // SIGKILL
  [[nodiscard]] int stop(int signal = 15, std::chrono::milliseconds most = 2000ms);  // its exit code; fails beyond `most`

  [[nodiscard]] Run starling(std::vector<std::string> words) const;  // with --folder
  [[nodiscard]] json ask(std::vector<std::string> words) const;      // with --json; must succeed
  [[nodiscard]] json call(const json& request);                      // over the socket
  [[nodiscard]] json status() { return call({{"op", "status"}}); }
  [[nodiscard]] json peer(const Device& other);                      // what its status says of it
  [[nodiscard]] std::string state_of(const Device& other) { return peer(other)["state"]; }
  [[nodiscard]] std::uint16_t port() { return status()["port"].get<std::uint16_t>(); }
  [[nodiscard]] bool has_tag(const std::string& name);
  [[nodiscard]] std::uint64_t rows_of(const Device& author);         // row changes of that device that are held here

  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] std::string log() const;
  [[nodiscard]] apps::ChildProcess& daemon() { return *daemon_; }

 private:
  const TempFolder& temp_;
  std::filesystem::path folder_;
  std::string id_;
  std::vector<std::string> under_;
  std::optional<apps::ChildProcess> daemon_;
  std::optional<apps::ControlClient> client_;
};

[[nodiscard]] std::string program(const std::string& name);  // in the build folder
[[nodiscard]] Run run(const TempFolder&, const std::vector<std::string>& words);

// Waits until the condition holds; fails the test with `what` when it does not within the time.
void await(const std::string& what, const std::function<bool()>& condition, std::chrono::milliseconds most = 30s);
// The first makes the workspace and runs; the second may join it, and dials once it is started.
void introduce(Device& a, Device& b);
// Both ready with one vector that covers what was written through call(); then checks that all digests are equal.
void await_equal(Device& a, Device& b);
void await_equal(const std::vector<Device*>& all, std::chrono::milliseconds most = 60s);

}  // namespace starling::test
