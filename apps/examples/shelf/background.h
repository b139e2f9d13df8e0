// Work that must not hold up the window: on a thread of its own, one piece after the other.
//
// The library never asks for this: readers wait for nobody, and a write waits for no peer. But a query over a hundred
// thousand rows takes time, and a write takes an fsync, perhaps of a slow disk; a window should not feel either. What
// the work gives comes back to the thread that draws. What was begun is finished before this goes: no edit is lost
// because the window was closed.
#pragma once

#include <QtCore/QObject>
#include <QtCore/QThreadPool>

#include <exception>
#include <memory>

#include "core/base/expected.h"

namespace starling::shelf {

class Background {
 public:
  Background() { pool_.setMaxThreadCount(1); }

  // Runs `work`, which gives an Expected, then `done` with it on the window's thread, if the window is still there.
  template <class Work, class Done>
  void run(Work work, Done done) {
    pool_.start([to = &window_, work = std::move(work), done = std::move(done)]() mutable {
      auto result = std::make_shared<decltype(work())>(guarded(work));
      QMetaObject::invokeMethod(to, [done = std::move(done), result] { done(*result); }, Qt::QueuedConnection);
    });
  }

 private:
  // A failing machine (disk, memory) throws; here it becomes one more thing to tell the user.
  template <class Work>
  static auto guarded(Work& work) -> decltype(work()) {
    try {
      return work();
    } catch (const std::exception& e) {
      return Error{Errc::internal, e.what(), "", ""};
    }
  }

  QObject window_;    // lives on the thread that made it; what is queued for it goes with it
  QThreadPool pool_;  // its destructor waits
};

}  // namespace starling::shelf
