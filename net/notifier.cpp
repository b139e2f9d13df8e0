#include "net/notifier.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

#include "net/change_gatherer.h"

namespace starling {
namespace {

// wait_until() with the largest time point overflows in some libraries.
template <class Met>
bool wait(std::condition_variable& changed, std::unique_lock<std::mutex>& lock, std::chrono::steady_clock::time_point until, Met met) {
  if (until != std::chrono::steady_clock::time_point::max()) return changed.wait_until(lock, until, met);
  changed.wait(lock, met);
  return true;
}

struct Watcher {
  std::uint64_t id = 0;
  ChangeFn change;  // one of the three
  ProgressFn progress;
  EventFn event;
};

}  // namespace

struct Notifier::Hub : std::enable_shared_from_this<Hub> {
  Hub(Executor run_on, Log to) : executor(std::move(run_on)), log(std::move(to)) {}

  Subscription subscribe(Watcher);
  void unsubscribe(std::uint64_t id);
  void schedule(std::unique_lock<std::mutex>);
  void deliver();
  void run();
  void close(std::chrono::steady_clock::time_point until);
  template <class Call>
  void tell(const Call&);
  void call(const Watcher&, const std::function<void(const Watcher&)>&);
  [[nodiscard]] bool hears_events() const {
    return heard([](const Watcher& w) { return w.event != nullptr; });
  }
  [[nodiscard]] bool something() const { return !changes.empty() || progress || (!events.empty() && hears_events()); }
  [[nodiscard]] bool heard(bool (*kind)(const Watcher&)) const {
    return std::any_of(watchers.begin(), watchers.end(), [&](const auto& w) { return kind(*w); });
  }

  const Executor executor;
  const Log log;

  std::mutex mutex;  // of all below; never held during a callback
  std::vector<std::shared_ptr<const Watcher>> watchers;
  std::uint64_t last_id = 0;
  ChangeGatherer changes;
  std::optional<Progress> progress;
  std::deque<NodeEvent> events;
  bool events_asked_for = false;  // once: from then on they are for those who listen when they happen
  bool scheduled = false;  // a task is with the executor, or runs
  bool closed = false;
  std::uint64_t running = 0;  // the watcher whose callback runs; 0: none
  std::thread::id running_on;
  std::condition_variable changed;  // running, closed, something to tell
  std::thread thread;               // where there is no executor
};

// --- subscriptions

Subscription Notifier::Hub::subscribe(Watcher watcher) {
  std::unique_lock lock(mutex);
  if (closed) return {};
  watcher.id = ++last_id;
  events_asked_for = events_asked_for || watcher.event != nullptr;
  watchers.push_back(std::make_shared<const Watcher>(std::move(watcher)));
  if (!executor && !thread.joinable()) thread = std::thread([hub = shared_from_this()] { hub->run(); });
  const std::uint64_t id = last_id;
  schedule(std::move(lock));  // events may have waited for it
  return Subscription([weak = weak_from_this(), id] {
    if (const std::shared_ptr<Hub> hub = weak.lock()) hub->unsubscribe(id);
  });
}

void Notifier::Hub::unsubscribe(std::uint64_t id) {
  std::unique_lock lock(mutex);
  std::erase_if(watchers, [&](const auto& w) { return w->id == id; });
  if (events_asked_for && !hears_events()) events.clear();
  changed.wait(lock, [&] { return running != id || running_on == std::this_thread::get_id(); });
}

// --- telling

// What was put in under the lock is told soon.
void Notifier::Hub::schedule(std::unique_lock<std::mutex> lock) {
  if (closed || scheduled || !something()) return;
  if (!executor) return changed.notify_all();
  scheduled = true;
  lock.unlock();
  try {
    executor([hub = shared_from_this()] { hub->deliver(); });
  } catch (const std::exception& e) {
    log.error(std::string("the executor threw: ") + e.what());
    lock.lock();
    scheduled = false;  // tried again with the next report
  }
}

void Notifier::Hub::deliver() {
  std::unique_lock lock(mutex);
  if (closed) return;
  const ChangeEvent change = changes.take();
  const std::optional<Progress> newest = std::exchange(progress, std::nullopt);
  const std::deque<NodeEvent> happened = hears_events() ? std::exchange(events, {}) : std::deque<NodeEvent>();
  lock.unlock();
  // Changes first: who hears of an event has heard of every change before it.
  if (change.everything || change.conflicts || !change.rows.empty())
    tell([&](const Watcher& w) { if (w.change) w.change(change); });
  if (newest) tell([&](const Watcher& w) { if (w.progress) w.progress(*newest); });
  for (const NodeEvent& event : happened) tell([&](const Watcher& w) { if (w.event) w.event(event); });
  lock.lock();
  scheduled = false;
  schedule(std::move(lock));
}

template <class Call>
void Notifier::Hub::tell(const Call& call_one) {
  std::unique_lock lock(mutex);
  const std::vector<std::shared_ptr<const Watcher>> now = watchers;
  lock.unlock();
  for (const std::shared_ptr<const Watcher>& watcher : now) call(*watcher, call_one);
}

void Notifier::Hub::call(const Watcher& watcher, const std::function<void(const Watcher&)>& callback) {
  std::unique_lock lock(mutex);
  const auto still = [&](const auto& w) { return w->id == watcher.id; };
  if (closed || std::none_of(watchers.begin(), watchers.end(), still)) return;
  running = watcher.id;
  running_on = std::this_thread::get_id();
  lock.unlock();
  try {
    callback(watcher);
  } catch (const std::exception& e) {
    log.error(std::string("a callback threw: ") + e.what());
  } catch (...) {
    log.error("a callback threw");
  }
  lock.lock();
  running = 0;
  running_on = {};
  changed.notify_all();
}

void Notifier::Hub::run() {
  std::unique_lock lock(mutex);
  while (!closed) {
    changed.wait(lock, [this] { return closed || something(); });
    scheduled = true;
    lock.unlock();
    deliver();
    lock.lock();
  }
}

void Notifier::Hub::close(std::chrono::steady_clock::time_point until) {
  std::unique_lock lock(mutex);
  closed = true;
  watchers.clear();
  changed.notify_all();
  const auto over = [this] { return running == 0 || running_on == std::this_thread::get_id(); };
  if (!wait(changed, lock, until, over) || !thread.joinable()) return;
  std::thread ended = std::move(thread);
  lock.unlock();
  if (ended.get_id() == std::this_thread::get_id()) ended.detach();  // it holds the hub until it ends
  else ended.join();
}

// --- the face

Notifier::Notifier(Executor executor, Log log) : hub_(std::make_shared<Hub>(std::move(executor), std::move(log))) {}

void Notifier::close(std::chrono::steady_clock::time_point until) { hub_->close(until); }

Subscription Notifier::on_change(ChangeFn fn) { return hub_->subscribe({0, std::move(fn), {}, {}}); }
Subscription Notifier::on_progress(ProgressFn fn) { return hub_->subscribe({0, {}, std::move(fn), {}}); }
Subscription Notifier::on_event(EventFn fn) { return hub_->subscribe({0, {}, {}, std::move(fn)}); }

void Notifier::changed(const ChangeSet& set) {
  std::unique_lock lock(hub_->mutex);
  if (!hub_->heard([](const Watcher& w) { return w.change != nullptr; })) return;
  hub_->changes.add(set);
  hub_->schedule(std::move(lock));
}

void Notifier::everything_changed() {
  std::unique_lock lock(hub_->mutex);
  if (!hub_->heard([](const Watcher& w) { return w.change != nullptr; })) return;
  hub_->changes.add_everything();
  hub_->schedule(std::move(lock));
}

void Notifier::progress(const Progress& progress) {
  std::unique_lock lock(hub_->mutex);
  if (!hub_->heard([](const Watcher& w) { return w.progress != nullptr; })) return;
  hub_->progress = progress;
  hub_->schedule(std::move(lock));
}

void Notifier::event(NodeEvent event) {
  std::unique_lock lock(hub_->mutex);
  if (hub_->events_asked_for && !hub_->hears_events()) return;
  if (hub_->events.size() >= limits::kEventsMax) hub_->events.pop_front();
  hub_->events.push_back(std::move(event));
  hub_->schedule(std::move(lock));
}

}  // namespace starling
