// The host of the replica: its thread, its queue and its turn with the writer.
//
// Rules:
//   1. One step takes a batch of events and commits them together; the writer lock is held for that and for nothing
//      else. It is fair, so writers get their turn between any two steps.
//   2. Effects are carried out after the step, in their order; a message for many sessions is encoded once. Changes are
//      reported in the order of their commits, ours and others': a step reports ours first, which it found committed.
//   3. Nobody waits for the replica. What the network sends is bounded by each session's inbox, and what sessions leave
//      behind that have ended by limits::kQueueMax: beyond it, it is forgotten and pulled again; local commits beyond
//      limits::kCommitsMax are told as one: their positions count, their bytes can be pulled.
//   4. A bug or a failing machine, whatever leaves step() as an exception, ends this thread, and the node with it, not
//      the program: Status.failed says why. So does a database whose files are not those that are open any more: what a
//      step has then committed is told to nobody.
// Thread-safe. The published Status is a copy; asking for it never waits for a step.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "core/replica/replica.h"
#include "net/exchange.h"
#include "net/foreign_lock.h"
#include "net/log.h"
#include "net/notifier.h"
#include "net/open_files.h"
#include "net/writer_lock.h"

namespace starling {

class ReplicaHost final : public EventSink {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  ReplicaHost(Replica&, WriterLock&, ForeignLock&, const OpenFiles&, Notifier&, const Clock&, Log);  // what it is given outlives it
  ~ReplicaHost() override { join(); }

  void start(CommandSink&);
  void stop();                               // after the commits that are queued; at once, from any thread
  [[nodiscard]] bool wait_stopped(TimePoint until) const;  // false: not in time, or called on the replica's thread
  void join();                               // stops and waits; before the command sink goes

  void push(Event, std::size_t cost) override;
  void network_failed(const std::string& why) override { fail(why); }
  void committed(LocalCommit);        // by whoever holds the writer lock, so in the order of commits
  void fail(const std::string& why);  // ends the thread; the first reason is kept

  void set_paused(bool);  // shows in the status
  [[nodiscard]] Status status() const;
  [[nodiscard]] std::string failure() const;  // empty: none
  // Until the status is as asked, the host has ended, or time is up; then the status that it saw.
  [[nodiscard]] Status wait_for(const std::function<bool(const Status&)>&, TimePoint until) const;

 private:
  struct Queued {
    Event event;
    std::size_t cost = 0;
  };
  struct Turn {  // what one step takes
    std::vector<Event> events;
    std::vector<NetCommand> consumed;
    std::deque<std::shared_ptr<const LocalCommit>> to_report;
    bool report_overflow = false;
  };

  void forget(SessionId);
  void run();
  [[nodiscard]] bool wait_for_work();
  void step();
  [[nodiscard]] Turn take_turn();
  void take_events(Turn&);
  void command(std::vector<Effect>&);                  // the network
  void tell(const Turn&, const std::vector<Effect>&);  // the application
  void tell_progress(const Status&);
  void publish(Status);
  [[nodiscard]] Status shown() const;  // under the mutex

  Replica& replica_;
  WriterLock& writer_lock_;
  ForeignLock& foreign_lock_;
  const OpenFiles& files_;
  Notifier& notifier_;
  const Clock& clock_;
  const Log log_;
  CommandSink* network_ = nullptr;
  std::thread thread_;
  std::optional<MonoTime> deadline_;  // this and the next two: this thread only
  Progress progress_;
  std::uint64_t sync_began_at_ = 0;  // changes from elsewhere that we held when progress_ began to count

  mutable std::mutex mutex_;  // of all below; never held during a step or a callback
  std::condition_variable work_;
  std::deque<Queued> events_;
  std::size_t queued_ = 0;  // cost of events_
  std::deque<std::shared_ptr<const LocalCommit>> commits_;
  std::size_t commit_bytes_ = 0;
  std::deque<std::shared_ptr<const LocalCommit>> to_report_;
  bool report_overflow_ = false;
  bool stopping_ = false;
  bool running_ = false;
  bool paused_ = false;
  Status status_;
  mutable std::condition_variable changed_;  // status_ or running_
};

}  // namespace starling
