// Stopping a node: from any thread, at any time, more than once.
#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>

#include "core/base/prng.h"
#include "tests/net/test_node.h"

using namespace starling;

namespace {

template <class Function>
std::chrono::milliseconds timed(Function call) {
  const auto start = std::chrono::steady_clock::now();
  call();
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
}

}  // namespace

// STARLING_STOPS: how many stops, two in a round; run with 10,000 under ThreadSanitizer before a release.
TEST_CASE("stopping at random moments while both sides write, pause, subscribe, read and back up") {
  const char* const wanted = std::getenv("STARLING_STOPS");
  const int rounds = wanted != nullptr ? std::atoi(wanted) / 2 : 25;
  Prng prng(5);
  auto longest = 0ms;
  NodePair pair;
  const TempFolder backups;
  for (int round = 0; round < rounds; ++round) {
    std::atomic<bool> done = false;
    std::atomic<int> heard = 0;
    std::vector<std::thread> writers;
    for (TestNode* node : {&pair.a, &pair.b}) {
      writers.emplace_back([&, node, dice = prng.fork()]() mutable {
        while (!done) {
          const Subscription changes = (*node)->on_change([&](const ChangeEvent&) { ++heard; });
          if (dice.chance(20)) (*node)->pause();
          (void)(*node)->status();
          if (dice.chance(50)) CHECK((*node)->reader()->query("SELECT count(*) FROM note"));
          if (dice.chance(3)) CHECK((*node)->backup(backups / std::to_string(dice.next())));
          if (dice.chance(2)) std::thread([node] { (*node)->stop(50ms); }).join();
          (*node)->resume();
          std::this_thread::sleep_for(std::chrono::microseconds(dice.below(3'000)));
        }
      });
    }
    for (TestNode* node : {&pair.a, &pair.b}) {
      for (int t = 0; t < 2; ++t) {
        writers.emplace_back(
            [&done, node, name = std::to_string(round) + "-" + std::to_string(t) + (node == &pair.a ? "a" : "b")] {
              for (int i = 0; !done; ++i) {
                const auto written = node->put_note(name + std::to_string(i), "x");
                if (!written) CHECK(written.error().code == Errc::stopped);
                if (!written) std::this_thread::sleep_for(1ms);
              }
            });
      }
    }
    std::this_thread::sleep_for(std::chrono::microseconds(prng.below(30'000)));
    longest = std::max(longest, timed([&] { pair.b->stop(); }));
    longest = std::max(longest, timed([&] { pair.a->stop(); }));
    done = true;
    for (std::thread& writer : writers) writer.join();
    CHECK(!pair.a.put_note("late", "x"));
    pair.a.reopen();
    pair.b.reopen();
    for (const auto& file : std::filesystem::directory_iterator(backups.path())) std::filesystem::remove(file);
  }
  CHECK(longest < 1500ms);  // well before the deadline: nothing that was begun holds the threads up
  MESSAGE("longest stop: ", longest.count(), " ms");
  CHECK(eventually([&] { return pair.converged(); }));
}

TEST_CASE("stop is idempotent, also from many threads and from callbacks, and ends every wait") {
  NodePair pair;
  std::atomic<bool> called = false;
  const Subscription watch = pair.a->on_change([&](const ChangeEvent&) {
    pair.a->stop(100ms);
    called = true;
  });
  REQUIRE(pair.a.put_note("1", "x"));
  CHECK(eventually([&] { return called.load(); }));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { pair.a->stop(); });
  for (std::thread& thread : threads) thread.join();
  CHECK(timed([&] { pair.a->stop(); }) < 100ms);
  CHECK(!pair.a->start());

  TestNode waiting(Start::join);
  std::thread waiter([&] {
    const Expected<void> ready = waiting->wait_ready(60s);
    REQUIRE(!ready);
    CHECK(ready.error().code == Errc::stopped);
  });
  std::this_thread::sleep_for(20ms);
  CHECK(timed([&] { waiting->stop(); }) < 1s);
  waiter.join();
}

TEST_CASE("stop keeps to its deadline while a writer or a callback is stuck, and the destructor waits for them") {
  TestNode a(Start::create);
  std::mutex mutex;
  std::condition_variable go_on;
  bool stuck = true;
  const auto wait = [&] {
    std::unique_lock lock(mutex);
    go_on.wait(lock, [&] { return !stuck; });
  };
  std::atomic<bool> inside = false;
  std::thread writer([&] {
    (void)a->write([&](Transaction&) -> Expected<void> {
      inside = true;
      wait();
      return {};
    });
  });
  REQUIRE(eventually([&] { return inside.load(); }));
  CHECK(timed([&] { a->stop(300ms); }) < 800ms);
  {
    const std::scoped_lock lock(mutex);
    stuck = false;
    go_on.notify_all();
  }
  writer.join();
}

TEST_CASE("what was committed right before a stop is still sent") {
  NodePair pair;
  int arrived = 0;
  for (int round = 0; round < 5; ++round) {
    const std::string id = "last words " + std::to_string(round);
    REQUIRE(pair.a.put_note(id, "x"));
    pair.a.close();
    arrived += eventually([&] { return pair.b.notes() == round + 1; }, 2s) ? 1 : 0;
    pair.a.open();
    pair.a.start();
    REQUIRE(eventually([&] { return pair.converged(); }));
  }
  CHECK(arrived == 5);
}
