// A program that this one starts: for the demo and the tests, which run the real daemon and the real command line.
//
// Nothing that was started is left behind: the destructor kills and reaps it, and the kernel kills it when the thread
// that started it ends, however that happens (PR_SET_PDEATHSIG). So start children from the main thread. Standard
// output comes through a pipe, line by line; standard error goes to a file or stays the parent's.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/base/expected.h"
#include "net/file_descriptor.h"

namespace starling::apps {

class ChildProcess {
 public:
  struct Options {
    bool own_output = true;            // false: standard output stays the parent's
    std::filesystem::path error_file;  // standard error is appended to it; empty: the parent's
  };
  struct Ended {
    int code = -1;   // exit code; -1: a signal ended it
    int signal = 0;
  };

  // words[0]: the program, a path or a name for $PATH. Errors: it cannot be started.
  [[nodiscard]] static Expected<ChildProcess> start(const std::vector<std::string>& words, const Options& options);
  ~ChildProcess();
  ChildProcess(ChildProcess&&) noexcept;
  ChildProcess& operator=(ChildProcess&&) noexcept;

  void signal(int number) const;
  // nullopt: it still runs after that time.
  [[nodiscard]] std::optional<Ended> wait(std::chrono::milliseconds most);
  [[nodiscard]] bool running() { return !wait(std::chrono::milliseconds(0)); }
  // The next line of its output, without the line feed; nullopt: none came in time, or its output has ended.
  [[nodiscard]] std::optional<std::string> read_line(std::chrono::milliseconds most);
  // All that is left of its output, until it closes it.
  [[nodiscard]] std::string read_all(std::chrono::milliseconds most);
  [[nodiscard]] int pid() const { return pid_; }

 private:
  ChildProcess(int pid, FileDescriptor output) : pid_(pid), output_(std::move(output)) {}
  [[nodiscard]] bool read_more(std::chrono::steady_clock::time_point deadline);

  int pid_ = -1;  // -1: none
  std::optional<Ended> ended_;
  FileDescriptor output_;
  std::string unread_;
};

// Starts, waits for the end, gives the output. Errors: not started, or not ended in time (then it is killed).
struct Finished {
  ChildProcess::Ended ended;
  std::string output;
};
[[nodiscard]] Expected<Finished> run_program(const std::vector<std::string>& words, std::chrono::milliseconds most);

}  // namespace starling::apps
