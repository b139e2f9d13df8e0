#include "net/foreign_lock.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <thread>

#include "core/base/limits.h"

namespace starling {
namespace {

constexpr std::uint64_t kWalWriteLock = 120;  // the byte of the -shm file that a writer locks (SQLite, walIndex format)

// One line of /proc/locks: "7: POSIX  ADVISORY  WRITE 4711 08:01:131 120 120".
struct KernelLock {
  std::string kind, mode;
  long pid = 0;
  std::uint64_t inode = 0, first = 0, last = 0;
};

bool parse(const std::string& line, KernelLock& lock) {
  std::istringstream words(line);
  std::string number, advisory, file, last;
  if (!(words >> number >> lock.kind >> advisory >> lock.mode >> lock.pid >> file >> lock.first >> last)) return false;
  lock.inode = std::strtoull(file.substr(file.rfind(':') + 1).c_str(), nullptr, 10);
  lock.last = last == "EOF" ? UINT64_MAX : std::strtoull(last.c_str(), nullptr, 10);
  return true;
}

std::string process_name(long pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/comm");
  std::string name;
  std::getline(file, name);
  return "process " + std::to_string(pid) + (name.empty() ? "" : " (" + name + ")");
}

}  // namespace

bool ForeignLock::wait(int tries) {
  const auto now = std::chrono::steady_clock::now();
  if (tries == 0) {
    since_ = now;
    reported_ = false;
  }
  if (!reported_ && report_ && now - since_ >= limits::kLongTransaction) {
    reported_ = true;
    report_(holder() + " has held the database for " +
            std::to_string(std::chrono::duration_cast<std::chrono::seconds>(now - since_).count()) + " s");
  }
  if (stopped_ || (!patient_ && now - since_ >= limits::kBusyPatience)) return false;
  std::this_thread::sleep_for(std::chrono::milliseconds(1) * std::min(1 << std::min(tries, 5), 25));
  return true;
}

std::string ForeignLock::holder() const {
  struct stat shm {};
  if (::stat((database_.string() + "-shm").c_str(), &shm) != 0) return "somebody";
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    KernelLock lock;
    if (!parse(line, lock) || lock.kind != "POSIX" || lock.mode != "WRITE" || lock.inode != shm.st_ino) continue;
    if (lock.first > kWalWriteLock || lock.last < kWalWriteLock) continue;
    return lock.pid == ::getpid() ? "another connection of this program" : process_name(lock.pid);
  }
  return "somebody";
}

}  // namespace starling
