// A bounded queue with a fixed number of threads that work it off.
//
// What cannot be queued is refused, so that a flood of requests costs no memory. stop() forgets what has not begun and
// waits for what has.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace starling::apps {

class WorkQueue {
 public:
  WorkQueue(std::size_t threads, std::size_t length_max);
  ~WorkQueue();
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  [[nodiscard]] bool post(std::function<void()>);  // false: full, or stopped
  void stop();                                     // idempotent; not from one of its threads

 private:
  void work();

  const std::size_t length_max_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::function<void()>> queue_;  // guarded by mutex_
  bool stopped_ = false;                     // guarded by mutex_
  std::vector<std::thread> threads_;
};

}  // namespace starling::apps
