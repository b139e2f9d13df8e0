// A pair that talks all the time in the background, for tests of what must not disturb it.
#pragma once

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "tests/net/endpoint.h"

namespace starling {

inline std::uint16_t port_of(const Endpoint& endpoint) {
  const std::string address = endpoint.address();
  return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
}

class BusyPair {
 public:
  BusyPair() : talker_([this] { talk(); }) {}
  ~BusyPair() { stop(); }
  std::chrono::milliseconds stop() {
    done_ = true;
    if (talker_.joinable()) talker_.join();
    CHECK(pair_.b.seen().count_of(pair_.a.device()) == 1);
    CHECK(pair_.a.seen().ups == 1);
    CHECK(pair_.b.seen().failed.empty());
    return std::chrono::milliseconds(longest_.load());
  }
  Endpoint& server() { return pair_.b; }
  [[nodiscard]] std::uint16_t port() const { return port_of(pair_.b); }

 private:
  void talk() {
    while (!done_) longest_ = std::max<std::int64_t>(longest_, longest_round_trip(pair_.a, pair_.b, 5, 2ms).count());
  }

  Pair pair_;
  std::atomic<bool> done_ = false;
  std::atomic<std::int64_t> longest_ = 0;
  std::thread talker_;
};

}  // namespace starling
