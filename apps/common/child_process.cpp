#include "apps/common/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <thread>
#include <utility>

namespace starling::apps {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kPollEvery = 2ms;  // for the end of a process

Error start_error(const std::string& program, const std::string& what, int number) {
  return {Errc::invalid_argument, what + ": " + std::generic_category().message(number), program,
          "check the path to the program"};
}

// In the child, between fork and exec: only calls that are safe there.
[[noreturn]] void become(char* const* words, int output, int errors, int report, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // the parent ended before the line above
  sigset_t none;
  ::sigemptyset(&none);
  ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  if (output >= 0) ::dup2(output, STDOUT_FILENO);
  if (errors >= 0) ::dup2(errors, STDERR_FILENO);
  ::execvp(words[0], words);
  const int number = errno;
  (void)!::write(report, &number, sizeof(number));
  ::_exit(127);
}

struct Pipe {
  FileDescriptor read, write;
  [[nodiscard]] bool open() {
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
    read = FileDescriptor(ends[0]);
    write = FileDescriptor(ends[1]);
    return true;
  }
};

}  // namespace

Expected<ChildProcess> ChildProcess::start(const std::vector<std::string>& words, const Options& options) {
  const std::string& program = words.at(0);
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  Pipe output, report;
  if ((options.own_output && !output.open()) || !report.open()) return start_error(program, "no pipe", errno);
  FileDescriptor errors;
  if (!options.error_file.empty()) {
    errors = FileDescriptor(::open(options.error_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    if (!errors.valid()) return start_error(options.error_file.string(), "cannot open it", errno);
  }
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return start_error(program, "cannot fork", errno);
  if (pid == 0) become(pointers.data(), output.write.get(), errors.get(), report.write.get(), parent);
  ChildProcess child(pid, std::move(output.read));
  report.write = FileDescriptor();
  int number = 0;
  ssize_t got = 0;
  do got = ::read(report.read.get(), &number, sizeof(number));
  while (got < 0 && errno == EINTR);
  if (got > 0) return start_error(program, "cannot start it", number);
  return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      ended_(other.ended_),
      output_(std::move(other.output_)),
      unread_(std::move(other.unread_)) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(ended_, other.ended_);
  std::swap(output_, other.output_);
  std::swap(unread_, other.unread_);
  return *this;
}

ChildProcess::~ChildProcess() {
  if (pid_ < 0 || ended_) return;
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) continue;
}

void ChildProcess::signal(int number) const {
  if (pid_ > 0 && !ended_) ::kill(pid_, number);
}

std::optional<ChildProcess::Ended> ChildProcess::wait(std::chrono::milliseconds most) {
  const Clock::time_point deadline = Clock::now() + most;
  while (!ended_) {
    int status = 0;
    const pid_t pid = ::waitpid(pid_, &status, WNOHANG);
    if (pid == pid_ && WIFEXITED(status)) ended_ = Ended{WEXITSTATUS(status), 0};
    if (pid == pid_ && WIFSIGNALED(status)) ended_ = Ended{-1, WTERMSIG(status)};
    if (ended_ || Clock::now() >= deadline) break;
    std::this_thread::sleep_for(kPollEvery);
  }
  return ended_;
}

bool ChildProcess::read_more(Clock::time_point deadline) {
  for (;;) {
    if (!output_.valid()) return false;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    pollfd polled{output_.get(), POLLIN, 0};
    const int ready = ::poll(&polled, 1, static_cast<int>(std::max(left, 0ms).count()));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    std::array<char, 4096> part{};
    const ssize_t got = ::read(output_.get(), part.data(), part.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    unread_.append(part.data(), static_cast<std::size_t>(got));
    return true;
  }
}

std::optional<std::string> ChildProcess::read_line(std::chrono::milliseconds most) {
  const Clock::time_point deadline = Clock::now() + most;
  for (;;) {
    if (const std::size_t end = unread_.find('\n'); end != std::string::npos) {
      std::string line = unread_.substr(0, end);
      unread_.erase(0, end + 1);
      return line;
    }
    if (!read_more(deadline)) return std::nullopt;
  }
}

std::string ChildProcess::read_all(std::chrono::milliseconds most) {
  const Clock::time_point deadline = Clock::now() + most;
  while (read_more(deadline)) continue;
  return std::exchange(unread_, {});
}

Expected<Finished> run_program(const std::vector<std::string>& words, std::chrono::milliseconds most) {
  const Clock::time_point deadline = Clock::now() + most;
  Expected<ChildProcess> child = ChildProcess::start(words, {});
  if (!child) return child.error();
  Finished finished;
  finished.output = child->read_all(most);
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
  const std::optional<ChildProcess::Ended> ended = child->wait(std::max(left, 1ms));
  if (!ended) return Error{Errc::unreachable, "it did not end in time", words.at(0), ""};
  finished.ended = *ended;
  return finished;
}

}  // namespace starling::apps
