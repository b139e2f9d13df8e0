// A disk in memory for one simulated computer: a SQLite VFS whose files outlive the node that wrote them.
//
// It keeps apart what was written and what was synced, so that it can do what real ones do at the worst moment:
//   - die(): the process is gone. From then on every write fails, so closing the database changes nothing either;
//     revive() shows the files as the process left them.
//   - die_at(n): the same, in the middle of the n-th write or sync from now.
//   - revive_after_power_cut(): each write that was not synced is there, or not, or in part, sector by sector.
// Shared memory of the WAL dies with the process. One connection at a time; single-threaded; no clock, no chance of its own.
#pragma once

#include <sqlite3.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/prng.h"

namespace starling::sim {

class Disk {
 public:
  Disk();
  ~Disk();
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  [[nodiscard]] const std::string& vfs() const { return name_; }
  [[nodiscard]] bool dead() const { return dead_; }
  [[nodiscard]] std::uint64_t operations() const { return operations_; }  // writes, syncs and truncations so far

  void die() { dead_ = true; }
  void die_at(std::uint64_t operations) { dies_at_ = operations_ + operations; }
  void forget_plans() { dies_at_ = 0; }
  using Image = std::map<std::string, Bytes>;  // of a disk that nobody uses: a backup
  [[nodiscard]] Image image() const;
  void restore(const Image&);

  void revive();
  void revive_after_power_cut(Prng&);

  struct Write {
    std::size_t offset = 0;
    Bytes bytes;
    bool truncation = false;  // to `offset`
  };
  struct File {
    Bytes data;
    Bytes synced;
    std::vector<Write> unsynced;
    std::vector<std::unique_ptr<char[]>> shared_memory;

    void write(Write);
    void sync();
    void lose_power(Prng&);
  };

  // For the VFS. False: the disk is dead; the operation must fail.
  [[nodiscard]] bool operate();
  [[nodiscard]] std::shared_ptr<File> open(const char* name);  // nullptr: a temporary file
  [[nodiscard]] bool exists(const std::string& name) const { return files_.contains(name); }
  void remove(const std::string& name) { files_.erase(name); }

 private:
  std::string name_;
  sqlite3_vfs vfs_{};
  std::map<std::string, std::shared_ptr<File>> files_;
  std::uint64_t operations_ = 0;
  std::uint64_t dies_at_ = 0;  // zero: not by itself
  bool dead_ = false;
};

}  // namespace starling::sim
