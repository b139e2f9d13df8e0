// The notifier: from what the replica and the network report to the application's callbacks (rules in notice.h).
//
// Reports are gathered under a mutex; while there is something to tell, one task is on its way to the executor, or one
// thread, made for the first subscription, is telling it. The state is shared with subscriptions and with a task that
// the executor may still hold, so that both may outlive the node. Thread-safe.
#pragma once

#include <chrono>
#include <memory>

#include "core/replica/event.h"
#include "net/log.h"
#include "net/notice.h"
#include "net/subscription.h"

namespace starling {

class Notifier {
 public:
  Notifier(Executor, Log);
  ~Notifier() { close(); }
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  [[nodiscard]] Subscription on_change(ChangeFn);
  [[nodiscard]] Subscription on_progress(ProgressFn);
  [[nodiscard]] Subscription on_event(EventFn);

  void changed(const ChangeSet&);
  void everything_changed();
  void progress(const Progress&);
  void event(NodeEvent);

  // No callback begins after this; waits for the one that runs, unless that is the caller, and no longer than `until`.
  void close(std::chrono::steady_clock::time_point until = std::chrono::steady_clock::time_point::max());

 private:
  struct Hub;
  std::shared_ptr<Hub> hub_;
};

}  // namespace starling
