#include "net/writer_lock.h"

#include "core/base/assert.h"

namespace starling {

void WriterLock::lock() {
  std::unique_lock guard(mutex_);
  const std::thread::id self = std::this_thread::get_id();
  ASSERT(owner_ != self);
  if (owner_ == std::thread::id()) {
    owner_ = self;
    return;
  }
  Waiter waiter;
  waiter.thread = self;
  waiting_.push_back(&waiter);
  waiter.turn.wait(guard, [&] { return owner_ == self; });
}

void WriterLock::unlock() {
  const std::scoped_lock guard(mutex_);
  if (waiting_.empty()) {
    owner_ = std::thread::id();
    return;
  }
  Waiter* const next = waiting_.front();
  waiting_.pop_front();
  owner_ = next->thread;    // handed over, not released: nobody can slip in between
  next->turn.notify_one();  // under the mutex: `next` may be gone right after
}

bool WriterLock::held_here() const {
  const std::scoped_lock guard(mutex_);
  return owner_ == std::this_thread::get_id();
}

}  // namespace starling
