#include "apps/demo/scratch.h"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <thread>

#include "apps/demo/options.h"

namespace starling::demo {
namespace {

constexpr int kInterrupted = 130;  // what shells report for SIGINT

sigset_t stop_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&set, signal);
  return set;
}

}  // namespace

Scratch::Scratch(bool keep) : keep_(keep) {
  std::error_code ignored;
  std::string name = (std::filesystem::temp_directory_path(ignored) / "starling-demo-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw Failed("cannot make a folder such as " + name);
  path_ = name;
  const sigset_t set = stop_signals();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::thread([this] { await_signal(); }).detach();  // ends with the process
}

Scratch::~Scratch() { remove(); }

void Scratch::await_signal() {
  const sigset_t set = stop_signals();
  int signal = 0;
  ::sigwait(&set, &signal);
  for (const std::atomic<int>& child : children_) {
    if (child > 0) ::kill(child, SIGKILL);
  }
  remove();
  std::fputs("\ninterrupted\n", stderr);
  ::_exit(kInterrupted);
}

void Scratch::remove() const {
  std::error_code ignored;
  if (!keep_) std::filesystem::remove_all(path_, ignored);
}

}  // namespace starling::demo
