// The writer lock: whose turn it is with the one writer connection.
//
// Fair: turns are given in the order in which they were asked for. A std::mutex would let the replica, which asks
// again as soon as it is done, starve the application's writers for seconds, or the other way round. Meets
// BasicLockable, so std::scoped_lock holds it. Not recursive; held_here() tells a write inside a write from a wait.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace starling {

class WriterLock {
 public:
  void lock();
  void unlock();
  [[nodiscard]] bool held_here() const;  // by the calling thread

 private:
  struct Waiter {
    std::thread::id thread;
    std::condition_variable turn;
  };

  mutable std::mutex mutex_;
  std::thread::id owner_;        // no thread: free
  std::deque<Waiter*> waiting_;  // the first is next; waiters live on their threads' stacks
};

}  // namespace starling
