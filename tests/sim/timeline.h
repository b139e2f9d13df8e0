// Virtual time: what happens next in a simulated world, and when it is.
//
// Nothing takes time but by being scheduled later. What falls on one instant runs in an order drawn from the seed, so
// that no test rests on an order that a real machine does not promise.
#pragma once

#include <algorithm>
#include <functional>
#include <queue>
#include <stdexcept>
#include <tuple>
#include <vector>

#include "core/base/prng.h"
#include "core/base/time.h"

namespace starling::sim {

class Timeline {
 public:
  using Action = std::function<void()>;

  explicit Timeline(Prng prng) : prng_(prng) {}

  [[nodiscard]] MonoTime now() const { return now_; }
  void at(MonoTime when, Action action) {
    queue_.push({std::max(when, now_), prng_.next(), ++count_, std::move(action)});
  }
  // What people call the time runs ahead of what has passed here: a year in which nothing is said.
  void skip_wall_time(std::chrono::milliseconds by) { skipped_ += by; }
  [[nodiscard]] std::chrono::milliseconds skipped_wall_time() const { return skipped_; }

  void after(Duration delay, Action action) { at(now_ + delay, std::move(action)); }

  // Runs the next action if it is due by `until`; else it becomes `until`. False: nothing was due.
  bool run_next(MonoTime until) {
    if (queue_.empty() || queue_.top().when > until) {
      now_ = std::max(now_, until);
      return false;
    }
    const Action action = queue_.top().action;
    at_once_ = queue_.top().when == now_ ? at_once_ + 1 : 0;
    if (at_once_ > kAtOnceMax) throw std::runtime_error("time stands still: too much happens in one instant");
    now_ = queue_.top().when;
    queue_.pop();
    action();
    return true;
  }

 private:
  struct Item {
    MonoTime when;
    std::uint64_t tie = 0;
    std::uint64_t number = 0;
    Action action;
    bool operator<(const Item& other) const {  // the top of a priority_queue is the greatest
      return std::tie(other.when, other.tie, other.number) < std::tie(when, tie, number);
    }
  };

  static constexpr std::uint64_t kAtOnceMax = 1'000'000;

  Prng prng_;
  MonoTime now_;
  std::uint64_t at_once_ = 0;  // actions of this instant
  std::chrono::milliseconds skipped_{0};
  std::uint64_t count_ = 0;
  std::priority_queue<Item> queue_;
};

}  // namespace starling::sim
