#include "net/replica_host.h"

#include "proto/codec.h"

namespace starling {
namespace {

constexpr auto kShortestWait = std::chrono::milliseconds(1);
constexpr std::size_t kStepCostMax = limits::kInboxMax;
constexpr std::size_t kStepCostAmongWriters = limits::kPageTarget;  // they wait for a step, so it is a short one

std::size_t bytes_of(const LocalCommit& commit) { return commit.state_body.size() + commit.entry.size(); }

// Two commits as one, without what could be pushed: only the positions.
std::shared_ptr<const LocalCommit> together(const LocalCommit& first, const LocalCommit& second) {
  auto both = std::make_shared<LocalCommit>();
  both->origin = second.origin;
  both->rev_before = first.rev_before;
  both->rev_after = second.rev_after;
  both->seq = std::max(first.seq, second.seq);
  both->hlc = std::max(first.hlc, second.hlc);  // zero where nothing shared was changed
  both->rows = first.rows + second.rows;
  return both;
}

}  // namespace

ReplicaHost::ReplicaHost(Replica& replica, WriterLock& writer_lock, ForeignLock& foreign_lock, const OpenFiles& files,
                         Notifier& notifier, const Clock& clock, Log log)
    : replica_(replica),
      writer_lock_(writer_lock),
      foreign_lock_(foreign_lock),
      files_(files),
      notifier_(notifier),
      clock_(clock),
      log_(std::move(log)),
      status_(replica.status()) {}

void ReplicaHost::join() {
  stop();
  if (thread_.joinable()) thread_.join();
}

void ReplicaHost::start(CommandSink& network) {
  network_ = &network;
  running_ = true;
  deadline_ = clock_.now().mono;  // what the last life had left on disk is looked at without an event
  thread_ = std::thread([this] { run(); });
}

void ReplicaHost::stop() {
  const std::scoped_lock lock(mutex_);
  stopping_ = true;
  work_.notify_all();
}

bool ReplicaHost::wait_stopped(TimePoint until) const {
  if (std::this_thread::get_id() == thread_.get_id()) return false;
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, until, [this] { return !running_; });
}

// --- what comes in

void ReplicaHost::push(Event event, std::size_t cost) {
  const std::scoped_lock lock(mutex_);
  if (stopping_) return;
  const auto* down = std::get_if<PeerDown>(&event);
  if (down != nullptr && queued_ > limits::kQueueMax) forget(down->session);
  queued_ += cost;
  events_.push_back({std::move(event), cost});
  work_.notify_one();
}

// What a session that has ended said last, but for its reason to go.
void ReplicaHost::forget(SessionId session) {
  std::erase_if(events_, [&](const Queued& queued) {
    const auto* received = std::get_if<Received>(&queued.event);
    if (received == nullptr || received->session != session || std::holds_alternative<ErrorMessage>(received->message)) return false;
    queued_ -= queued.cost;
    return true;
  });
}

void ReplicaHost::committed(LocalCommit commit) {
  const std::scoped_lock lock(mutex_);
  if (stopping_) return;
  auto shared = std::make_shared<const LocalCommit>(std::move(commit));
  status_.vector.join(shared->origin, {shared->rev_after, shared->seq, shared->hlc});  // who writes, then asks, sees it
  if (to_report_.size() >= limits::kCommitsMax) {
    to_report_.clear();
    report_overflow_ = true;
  }
  if (!report_overflow_) to_report_.push_back(shared);
  if (!commits_.empty() &&
      (commits_.size() >= limits::kCommitsMax || commit_bytes_ + bytes_of(*shared) > limits::kOutboxMax)) {
    commit_bytes_ -= bytes_of(*commits_.back());
    commits_.back() = together(*commits_.back(), *shared);
  } else {
    commit_bytes_ += bytes_of(*shared);
    commits_.push_back(std::move(shared));
  }
  work_.notify_one();
}

void ReplicaHost::fail(const std::string& why) {
  log_.error("the node stops itself: " + why);
  notifier_.event({NodeEvent::Kind::failed, {}, why});
  const std::scoped_lock lock(mutex_);
  if (status_.failed.empty()) status_.failed = why;
  stopping_ = true;
  commits_.clear();  // what is committed is on disk; there will be no more steps
  work_.notify_all();
  changed_.notify_all();
}

// --- the thread

void ReplicaHost::run() {
  try {
    while (wait_for_work()) step();
  } catch (const std::exception& e) {
    fail(e.what());
  } catch (...) {
    fail("unknown exception");
  }
  if (!failure().empty()) network_->replica_failed();
  const std::scoped_lock lock(mutex_);
  running_ = false;
  changed_.notify_all();
}

// True: there is something to do, or time has passed. False: stop.
bool ReplicaHost::wait_for_work() {
  std::unique_lock lock(mutex_);
  const auto something = [this] { return stopping_ || !events_.empty() || !commits_.empty() || report_overflow_; };
  if (deadline_) {
    const Duration left = *deadline_ - clock_.now().mono;
    work_.wait_for(lock, std::max<Duration>(left, kShortestWait), something);
  } else {
    work_.wait(lock, something);
  }
  return !stopping_ || !commits_.empty();
}

void ReplicaHost::step() {
  Turn turn;
  std::vector<Effect> effects;
  Status status;
  {
    const WriterLock::Turn writer(writer_lock_, "the work of synchronising");
    if (!failure().empty()) return;  // while we waited for our turn: the store may be of no use any more
    if (const Expected<void> same = files_.heed(); !same) return fail(same.error().text());
    turn = take_turn();
    if (!turn.consumed.empty()) network_->execute(std::move(turn.consumed));  // so that sessions read on meanwhile
    foreign_lock_.set_patient(true);
    effects = replica_.step(turn.events, clock_.now());
    foreign_lock_.set_patient(false);
    if (const Expected<void> same = files_.heed(); !same) return fail(same.error().text());
    deadline_ = replica_.next_deadline();
    status = replica_.status();
    publish(status);
  }
  command(effects);
  tell(turn, effects);
  tell_progress(status);
}

ReplicaHost::Turn ReplicaHost::take_turn() {
  Turn turn;
  const std::scoped_lock lock(mutex_);
  while (!commits_.empty() && turn.events.size() < limits::kEventBatchMax / 2) {
    commit_bytes_ -= bytes_of(*commits_.front());
    turn.events.emplace_back(Committed{std::move(commits_.front())});
    commits_.pop_front();
  }
  if (!stopping_) take_events(turn);
  turn.to_report.swap(to_report_);  // all of them: they were committed before what this step will commit
  std::swap(turn.report_overflow, report_overflow_);
  return turn;
}

void ReplicaHost::take_events(Turn& turn) {
  const std::size_t most = turn.events.empty() ? kStepCostMax : kStepCostAmongWriters;
  std::map<SessionId, std::size_t> costs;
  std::size_t total = 0;
  while (!events_.empty() && turn.events.size() < limits::kEventBatchMax && total < most) {
    Queued& next = events_.front();
    if (const auto* received = std::get_if<Received>(&next.event)) costs[received->session] += next.cost;
    total += next.cost;
    queued_ -= next.cost;
    turn.events.emplace_back(std::move(next.event));
    events_.pop_front();
  }
  for (const auto& [session, cost] : costs) turn.consumed.emplace_back(Consumed{session, cost});
}

// --- what goes out

void ReplicaHost::command(std::vector<Effect>& effects) {
  std::vector<NetCommand> commands;
  for (Effect& effect : effects) {
    if (auto* send = std::get_if<Send>(&effect)) {
      auto frame = std::make_shared<const Bytes>(encode_frame(*send->message));
      commands.emplace_back(SendFrame{std::move(send->sessions), std::move(frame)});
    } else if (const auto* accepted = std::get_if<Accepted>(&effect)) {
      commands.emplace_back(*accepted);
    } else if (auto* close = std::get_if<Close>(&effect)) {
      commands.emplace_back(std::move(*close));
    }
  }
  if (!commands.empty()) network_->execute(std::move(commands));
}

void ReplicaHost::tell(const Turn& turn, const std::vector<Effect>& effects) {
  if (turn.report_overflow) notifier_.everything_changed();
  for (const auto& commit : turn.to_report) notifier_.changed(commit->changes);
  for (const Effect& effect : effects) {
    if (const auto* changed = std::get_if<Changed>(&effect)) notifier_.changed(changed->event);
    if (const auto* note = std::get_if<Note>(&effect)) {
      log_(note->level, note->text);
      if (note->event) notifier_.event({*note->event, note->peer, note->text});
    }
  }
}

// Nothing while there is nothing to bring in; at the end once with done == total.
void ReplicaHost::tell_progress(const Status& status) {
  std::uint64_t held = 0;
  for (const auto& [origin, position] : status.vector)
    if (origin != status.self) held += position.rev.value + position.seq.value;
  const bool over = progress_.done == progress_.total;
  if (over && status.lacking == 0) return;
  if (over) sync_began_at_ = held;
  progress_.readiness = status.readiness;
  progress_.done = held - sync_began_at_;
  progress_.total = progress_.done + status.lacking;
  notifier_.progress(progress_);
}

void ReplicaHost::publish(Status status) {
  const std::scoped_lock lock(mutex_);
  status.failed = std::move(status_.failed);
  status_ = std::move(status);
  changed_.notify_all();
}

// --- who asks

Status ReplicaHost::shown() const {
  Status status = status_;
  if (paused_) status.readiness = Readiness::paused;
  return status;
}

void ReplicaHost::set_paused(bool paused) {
  const std::scoped_lock lock(mutex_);
  paused_ = paused;
  changed_.notify_all();
}

Status ReplicaHost::status() const {
  const std::scoped_lock lock(mutex_);
  return shown();
}

std::string ReplicaHost::failure() const {
  const std::scoped_lock lock(mutex_);
  return status_.failed;
}

Status ReplicaHost::wait_for(const std::function<bool(const Status&)>& is_met, TimePoint until) const {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, until, [&] { return is_met(shown()) || stopping_; });
  return shown();
}

}  // namespace starling
