#include "tests/sim/runner/farm.h"

#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstring>
#include <new>
#include <system_error>

namespace starling::sim {
namespace {

using Counter = std::atomic<std::uint64_t>;
static_assert(Counter::is_always_lock_free, "processes share it");
constexpr std::uint64_t kNone = ~std::uint64_t{0};

// Seeds given out so far, and what each worker is at: memory that all processes share.
class Board {
 public:
  explicit Board(unsigned workers) : size_((workers + 1) * sizeof(Counter)) {
    void* memory = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
    counters_ = static_cast<Counter*>(memory);
    for (unsigned i = 0; i <= workers; ++i) new (&counters_[i]) Counter(i == 0 ? 0 : kNone);
  }
  ~Board() { munmap(counters_, size_); }
  Board(const Board&) = delete;
  Board& operator=(const Board&) = delete;

  Counter& given() { return counters_[0]; }
  Counter& seed_of(unsigned worker) { return counters_[worker + 1]; }

 private:
  std::size_t size_;
  Counter* counters_ = nullptr;
};

void write_all(int fd, BytesView bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0) _exit(1);  // nobody reads: the run is over
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void send(int fd, const Outcome& outcome) {
  const Bytes body = encode(outcome);
  ByteWriter frame;
  frame.be32(static_cast<std::uint32_t>(body.size()));
  frame.raw(body);
  write_all(fd, frame.bytes());
}

struct Worker {
  pid_t pid = -1;
  int fd = -1;
  Bytes input;
  std::uint64_t seed = kNone;  // that it was at when we last looked, and since when
  std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();

  // The next outcome that has come in whole.
  std::optional<Outcome> next() {
    if (input.size() < 4) return std::nullopt;
    const std::uint32_t size = ByteReader(input).be32();
    if (input.size() < 4 + size) return std::nullopt;
    Outcome outcome = decode_outcome(BytesView(input).substr(4, size));
    input.erase(0, 4 + size);
    return outcome;
  }
};

void work(const FarmPlan& plan, const Job& job, Board& board, unsigned number, int fd) {
  while (std::chrono::steady_clock::now() < plan.until) {
    const std::uint64_t given = board.given().fetch_add(1);
    if (given >= plan.count) break;
    board.seed_of(number) = plan.first + given;
    send(fd, job(plan.first + given));
  }
  board.seed_of(number) = kNone;
  _exit(0);
}

Worker hire(const FarmPlan& plan, const Job& job, Board& board, unsigned number) {
  int ends[2];
  if (pipe(ends) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  const pid_t pid = fork();
  if (pid < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid == 0) {
    close(ends[0]);
    work(plan, job, board, number, ends[1]);
  }
  close(ends[1]);
  return {pid, ends[0], {}};
}

// Why a worker is gone.
std::string obituary(pid_t pid) {
  int status = 0;
  (void)waitpid(pid, &status, 0);
  if (WIFSIGNALED(status)) return std::string("the process died: ") + strsignal(WTERMSIG(status));
  return "the process ended with code " + std::to_string(WEXITSTATUS(status));
}

class Crew {
 public:
  Crew(const FarmPlan& plan, const Job& job, const Reap& reap) : plan_(plan), job_(job), reap_(reap), board_(plan.workers) {}
  ~Crew() {
    for (Worker& worker : workers_) {
      if (worker.fd < 0) continue;
      kill(worker.pid, SIGKILL);
      close(worker.fd);
      (void)waitpid(worker.pid, nullptr, 0);
    }
  }
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  void run() {
    for (unsigned i = 0; i < plan_.workers; ++i) workers_.push_back(hire(plan_, job_, board_, i));
    while (listen()) {}
  }

 private:
  bool listen() {
    std::vector<pollfd> polls;
    for (const Worker& worker : workers_) polls.push_back({worker.fd, POLLIN, 0});
    if (std::all_of(polls.begin(), polls.end(), [](const pollfd& p) { return p.fd < 0; })) return false;
    if (poll(polls.data(), polls.size(), 1000) == 0) {
      for (unsigned i = 0; i < workers_.size(); ++i) watch(i);
      return reap_(nullptr);
    }
    for (unsigned i = 0; i < workers_.size(); ++i)
      if (polls[i].revents != 0 && !hear(i)) return false;
    return true;
  }

  void watch(unsigned number) {
    Worker& worker = workers_[number];
    const auto now = std::chrono::steady_clock::now();
    if (const std::uint64_t seed = board_.seed_of(number); seed != std::exchange(worker.seed, seed)) worker.since = now;
    if (worker.fd >= 0 && worker.seed != kNone && now - worker.since > kStuck) kill(worker.pid, SIGKILL);
  }

  bool hear(unsigned number) {
    Worker& worker = workers_[number];
    std::array<char, 65536> buffer{};
    const ssize_t got = read(worker.fd, buffer.data(), buffer.size());
    if (got <= 0) return bury(number);
    worker.input.append(buffer.data(), static_cast<std::size_t>(got));
    while (const std::optional<Outcome> outcome = worker.next())
      if (!reap_(&*outcome)) return false;
    return true;
  }

  bool bury(unsigned number) {
    Worker& worker = workers_[number];
    close(std::exchange(worker.fd, -1));
    Outcome outcome;
    outcome.seed = board_.seed_of(number).exchange(kNone);
    outcome.complaints.push_back(obituary(worker.pid));
    if (outcome.seed == kNone) return true;  // it went home
    if (!reap_(&outcome)) return false;
    worker = hire(plan_, job_, board_, number);
    return true;
  }

  const FarmPlan& plan_;
  const Job& job_;
  const Reap& reap_;
  Board board_;
  std::vector<Worker> workers_;
};

}  // namespace

void run_farm(const FarmPlan& plan, const Job& job, const Reap& reap) { Crew(plan, job, reap).run(); }

Outcome run_apart(const std::function<Outcome()>& job) {
  Outcome result;
  run_farm(
      {}, [&](std::uint64_t) { return job(); },
      [&](const Outcome* outcome) {
        if (outcome != nullptr) result = *outcome;
        return true;
      });
  return result;
}

}  // namespace starling::sim
