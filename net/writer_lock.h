// The writer lock: whose turn it is with the one writer connection.
//
// Fair: turns are given in the order in which they were asked for. A std::mutex would let the replica, which asks
// again as soon as it is done, starve the application's writers for seconds, or the other way round. Not recursive;
// held_here() tells a write inside a write from a wait. Who has waited for limits::kLongTransaction reports who holds
// it, once for each turn.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "core/base/limits.h"

namespace starling {

class WriterLock {
 public:
  using Report = std::function<void(const std::string& who)>;  // called by a waiting thread, with no lock held
  explicit WriterLock(Report report = {}, std::chrono::steady_clock::duration long_turn = limits::kLongTransaction)
      : report_(std::move(report)), long_turn_(long_turn) {}

  void lock(const char* purpose = "a write");  // a literal
  void unlock();

  class Turn {
   public:
    Turn(WriterLock& lock, const char* purpose) : lock_(lock) { lock_.lock(purpose); }
    ~Turn() { lock_.unlock(); }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    WriterLock& lock_;
  };

  [[nodiscard]] bool held_here() const;  // by the calling thread

 private:
  struct Holder {
    std::thread::id thread;  // no thread: free
    int kernel_id = 0;       // as `top` shows it
    const char* purpose = "";
    std::chrono::steady_clock::time_point since;
    bool reported = false;
  };
  struct Waiter {
    Holder holder;  // once it is its turn
    std::condition_variable turn;
  };

  void report(std::unique_lock<std::mutex>&);

  const Report report_;
  const std::chrono::steady_clock::duration long_turn_;
  mutable std::mutex mutex_;
  Holder holder_;
  std::deque<Waiter*> waiting_;  // the first is next; waiters live on their threads' stacks
};

}  // namespace starling
