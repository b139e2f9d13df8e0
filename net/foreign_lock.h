// What we do while another program, or another connection of this one, has a write transaction open on our database.
//
// Other connections may read, and write the application's own tables. While one writes, ours waits: an application's
// write for limits::kBusyPatience, then it gets Errc::busy; the replica's step until the other is done or the node
// stops, for it has nowhere to go with what it holds. After limits::kLongTransaction it is reported who holds the
// database. That is read from the kernel's list of locks: to open the database's files here would, once they are closed,
// release the locks that SQLite holds on them (POSIX locks belong to the process).
// wait() is called by whoever holds the writer lock; stop() by any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <string>

namespace starling {

class ForeignLock {
 public:
  using Report = std::function<void(const std::string& who)>;
  explicit ForeignLock(std::filesystem::path database) : database_(std::move(database)) {}

  void set_report(Report report) { report_ = std::move(report); }  // before anybody waits
  void set_patient(bool patient) { patient_ = patient; }  // from now on waits are the replica's
  void stop() { stopped_ = true; }
  // SQLite's busy handler: sleeps a little; false: give up. `tries`: how often it was called for this wait, from 0 on.
  [[nodiscard]] bool wait(int tries);

  // "process 4711 (sqlite3)"; "another connection of this program"; "somebody" where the kernel does not say.
  [[nodiscard]] std::string holder() const;

 private:
  const std::filesystem::path database_;
  Report report_;
  bool patient_ = false;
  bool reported_ = false;
  std::chrono::steady_clock::time_point since_;
  std::atomic<bool> stopped_ = false;
};

}  // namespace starling
