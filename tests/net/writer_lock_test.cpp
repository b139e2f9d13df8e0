#include "net/writer_lock.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <vector>

#include "core/base/assert.h"

using namespace starling;
using namespace std::chrono_literals;

TEST_CASE("one at a time") {
  WriterLock lock;
  int counter = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) {
        const std::scoped_lock turn(lock);
        ++counter;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(counter == 16'000);
}

TEST_CASE("who holds it again and again does not starve who waits") {
  WriterLock lock;
  std::atomic<bool> done = false;
  std::thread greedy([&] {
    while (!done) {
      const std::scoped_lock turn(lock);
      std::this_thread::sleep_for(2ms);
    }
  });
  std::this_thread::sleep_for(10ms);
  auto longest = 0ms;
  for (int i = 0; i < 50; ++i) {
    const auto asked = std::chrono::steady_clock::now();
    const std::scoped_lock turn(lock);
    longest = std::max(longest,
                       std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - asked));
  }
  done = true;
  greedy.join();
  CHECK(longest < 500ms);  // one turn of the other, and whatever a busy machine adds
}

TEST_CASE("turns are given in the order of asking") {
  WriterLock lock;
  std::vector<int> order;
  std::vector<std::thread> threads;
  lock.lock();
  for (int t = 0; t < 5; ++t) {
    threads.emplace_back([&, t] {
      const std::scoped_lock turn(lock);
      order.push_back(t);
    });
    std::this_thread::sleep_for(30ms);
  }
  lock.unlock();
  for (std::thread& thread : threads) thread.join();
  CHECK(order == std::vector<int>{0, 1, 2, 3, 4});
}

TEST_CASE("a thread knows that it holds the lock") {
  WriterLock lock;
  CHECK(!lock.held_here());
  const std::scoped_lock turn(lock);
  CHECK(lock.held_here());
  std::thread([&] { CHECK(!lock.held_here()); }).join();
  CHECK_THROWS_AS(lock.lock(), InvariantBroken);
}
