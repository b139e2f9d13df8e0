#include "net/writer_lock.h"

#include <unistd.h>

#include <fstream>

#include "core/base/assert.h"

namespace starling {
namespace {

std::string thread_name(int kernel_id) {
  std::ifstream file("/proc/self/task/" + std::to_string(kernel_id) + "/comm");
  std::string name;
  std::getline(file, name);
  return "thread " + std::to_string(kernel_id) + (name.empty() ? "" : " (" + name + ")");
}

}  // namespace

void WriterLock::lock(const char* purpose) {
  thread_local const int kernel_id = ::gettid();
  Waiter waiter;
  waiter.holder = {std::this_thread::get_id(), kernel_id, purpose, {}, false};
  std::unique_lock guard(mutex_);
  ASSERT(holder_.thread != waiter.holder.thread);
  const auto free = std::thread::id();
  if (holder_.thread == free) {
    holder_ = waiter.holder;
    holder_.since = std::chrono::steady_clock::now();
    return;
  }
  waiting_.push_back(&waiter);
  const auto mine = [&] { return holder_.thread == waiter.holder.thread; };
  while (!waiter.turn.wait_until(guard, holder_.since + long_turn_, mine)) {
    if (!holder_.reported) report(guard);
    if (waiter.turn.wait_for(guard, long_turn_, mine)) return;
  }
}

void WriterLock::report(std::unique_lock<std::mutex>& guard) {
  holder_.reported = true;
  const Holder holder = holder_;
  guard.unlock();
  const auto held = std::chrono::steady_clock::now() - holder.since;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(held).count();
  if (report_)
    report_(thread_name(holder.kernel_id) + " has held the database for " + std::to_string(seconds) + " s, in " + holder.purpose);
  guard.lock();
}

void WriterLock::unlock() {
  const std::scoped_lock guard(mutex_);
  if (waiting_.empty()) {
    holder_ = {};
    return;
  }
  Waiter* const next = waiting_.front();
  waiting_.pop_front();
  holder_ = next->holder;  // handed over, not released: nobody can slip in between
  holder_.since = std::chrono::steady_clock::now();
  next->turn.notify_one();  // under the mutex: `next` may be gone right after
}

bool WriterLock::held_here() const {
  const std::scoped_lock guard(mutex_);
  return holder_.thread == std::this_thread::get_id();
}

}  // namespace starling
