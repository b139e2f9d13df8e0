#include "net/notifier.h"

#include <doctest/doctest.h>

#include <atomic>
#include <deque>
#include <mutex>
#include <thread>

using namespace starling;
using namespace std::chrono_literals;

namespace {

NodeEvent event(int number) { return {NodeEvent::Kind::peer_connected, {}, std::to_string(number)}; }

// An event loop as a window has one: tasks run when the test says so.
struct Loop {
  std::mutex mutex;
  std::deque<std::function<void()>> tasks;

  [[nodiscard]] Executor executor() {
    return [this](std::function<void()> task) {
      const std::scoped_lock lock(mutex);
      tasks.push_back(std::move(task));
    };
  }
  [[nodiscard]] std::size_t waiting() {
    const std::scoped_lock lock(mutex);
    return tasks.size();
  }
  void run_one() {
    std::function<void()> task;
    {
      const std::scoped_lock lock(mutex);
      if (tasks.empty()) return;
      task = std::move(tasks.front());
      tasks.pop_front();
    }
    task();
  }
};

}  // namespace

TEST_CASE("callbacks run on the application's executor, one task at a time, and what happens meanwhile is gathered") {
  Loop loop;
  Notifier notifier(loop.executor(), Log());
  std::vector<std::string> seen;
  std::vector<std::uint64_t> progress;
  const std::thread::id here = std::this_thread::get_id();
  const Subscription events = notifier.on_event([&](const NodeEvent& e) {
    CHECK(std::this_thread::get_id() == here);
    seen.push_back(e.text);
  });
  const Subscription bar = notifier.on_progress([&](const Progress& p) { progress.push_back(p.done); });
  for (int i = 0; i < 3; ++i) notifier.event(event(i));
  for (std::uint64_t i = 0; i < 3; ++i) notifier.progress({Readiness::backfilling, i, 3});
  CHECK(loop.waiting() == 1);
  CHECK(seen.empty());
  loop.run_one();
  CHECK(seen == std::vector<std::string>{"0", "1", "2"});
  CHECK(progress == std::vector<std::uint64_t>{2});  // the newest
  loop.run_one();
  notifier.event(event(3));
  loop.run_one();
  CHECK(seen.back() == "3");
}

TEST_CASE("events beyond the bound push the oldest out") {
  Loop loop;
  Notifier notifier(loop.executor(), Log());
  std::vector<std::string> seen;
  const Subscription events = notifier.on_event([&](const NodeEvent& e) { seen.push_back(e.text); });
  for (int i = 0; i < static_cast<int>(limits::kEventsMax) + 5; ++i) notifier.event(event(i));
  loop.run_one();
  REQUIRE(seen.size() == limits::kEventsMax);
  CHECK(seen.front() == "5");
}

TEST_CASE("events wait for the first who listens, also where the node has its own thread") {
  for (const bool own_thread : {false, true}) {
    Loop loop;
    Notifier notifier(own_thread ? Executor() : loop.executor(), Log());
    notifier.event(event(1));
    CHECK(loop.waiting() == 0);
    std::atomic<int> heard = 0;
    const Subscription events = notifier.on_event([&](const NodeEvent& e) { heard = std::stoi(e.text); });
    loop.run_one();
    while (heard == 0) std::this_thread::yield();
    CHECK(heard == 1);
  }
}

TEST_CASE("events wait for the first who listens alone: what happens while nobody does any more is told to nobody") {
  Loop loop;
  Notifier notifier(loop.executor(), Log());
  std::vector<std::string> seen;
  const auto listen = [&] { return notifier.on_event([&](const NodeEvent& e) { seen.push_back(e.text); }); };
  notifier.event(event(1));
  (void)notifier.on_progress([](const Progress&) {});  // hears no events
  Subscription first = listen();
  loop.run_one();
  notifier.event(event(2));
  first.cancel();  // before it was told
  notifier.event(event(3));
  const Subscription second = listen();
  notifier.event(event(4));
  while (loop.waiting() > 0) loop.run_one();
  CHECK(seen == std::vector<std::string>{"1", "4"});
}

TEST_CASE("a subscription that has gone never calls again: its end waits for the call that runs, but not for itself") {
  Notifier notifier({}, Log());
  for (int round = 0; round < 200; ++round) {
    auto alive = std::make_unique<std::atomic<bool>>(true);
    Subscription events = notifier.on_event([&alive](const NodeEvent&) {
      CHECK(alive->load());
      std::this_thread::sleep_for(50us);
      CHECK(alive->load());
    });
    notifier.event(event(1));
    if (round % 2 == 0) std::this_thread::sleep_for(60us);
    events.cancel();
    *alive = false;
  }
  std::atomic<int> calls = 0;
  Subscription self;
  std::atomic<bool> set = false;
  self = notifier.on_event([&](const NodeEvent&) {
    while (!set) std::this_thread::yield();
    ++calls;
    self.cancel();  // from inside
  });
  set = true;
  notifier.event(event(1));
  while (calls == 0) std::this_thread::yield();
  notifier.event(event(2));
  std::this_thread::sleep_for(5ms);
  CHECK(calls == 1);
}

TEST_CASE("a task that the executor still holds may come after the notifier is gone, and a subscription may outlive it") {
  Loop loop;
  std::atomic<int> calls = 0;
  Subscription late;
  {
    Notifier notifier(loop.executor(), Log());
    late = notifier.on_event([&](const NodeEvent&) { ++calls; });
    notifier.event(event(1));
  }
  CHECK(loop.waiting() == 1);
  loop.run_one();
  CHECK(calls == 0);
}

TEST_CASE("what a callback throws is logged, the next one is called; an executor that throws is tried again") {
  std::vector<std::string> log;
  bool broken = true;
  Loop loop;
  const Executor inner = loop.executor();
  Notifier notifier(
      [&](std::function<void()> task) {
        if (broken) throw std::runtime_error("no loop");
        inner(std::move(task));
      },
      Log([&](LogLevel, const std::string& text) { log.push_back(text); }));
  int calls = 0;
  const Subscription one = notifier.on_event([](const NodeEvent&) { throw std::runtime_error("careless"); });
  const Subscription two = notifier.on_event([&](const NodeEvent&) { ++calls; });
  notifier.event(event(1));
  broken = false;
  notifier.event(event(2));
  loop.run_one();
  CHECK(calls == 2);
  CHECK(log == std::vector<std::string>{"the executor threw: no loop", "a callback threw: careless", "a callback threw: careless"});
}
