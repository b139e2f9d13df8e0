// Endless queries against a running daemon: others are answered, a client that goes ends its query, and so does a stop.
#include <atomic>
#include <thread>

#include "tests/e2e/device.h"

namespace starling::test {
namespace {

const json kEndless{
    {"op", "sql"},
    {"query", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i < 0"}};

// A client that waits for the endless query until it is told to go.
class Waiting {
 public:
  explicit Waiting(const Device& device) : thread_([this, &device] { run(device); }) {
    await("the query runs", [this] { return running_.load(); });
  }
  ~Waiting() {
    go_ = true;
    thread_.join();
  }

 private:
  void run(const Device& device) {
    Expected<apps::ControlClient> client = apps::ControlClient::connect(device.folder());
    if (!client) return;
    (void)client
        ->call(kEndless,
               [this](const json&) {  // progress
                 running_ = true;
                 return !go_;
               })
        .has_value();
  }

  std::atomic<bool> running_ = false;
  std::atomic<bool> go_ = false;
  std::thread thread_;
};

}  // namespace

TEST_CASE("sql: two endless queries leave the daemon's other commands alone, and end when their clients go") {
  TempFolder temp;
  Device device(temp, "data");
  device.init(false);
  device.start();
  {
    const Waiting one(device);
    const Waiting two(device);
    CHECK(device.status()["failed"] == "");
    const Run third = device.starling({"sql", "SELECT 1"});
    CHECK(third.code == 1);
    CHECK(third.errors.find("try again") != std::string::npos);
    CHECK(device.ask({"tag", "set", "work"})["commit"]["rows"] == 1);  // a reader holds up no writer
  }
  await("their turns are free", [&] { return device.starling({"sql", "SELECT 1"}).code == 0; });
  CHECK(device.stop() == 0);
}

TEST_CASE("sql: SIGTERM in the middle of an endless query ends the daemon within 2 s") {
  TempFolder temp;
  Device device(temp, "data");
  device.init(false);
  device.start();
  const Waiting one(device);
  CHECK(device.stop() == 0);
}

}  // namespace starling::test
