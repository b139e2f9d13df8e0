// A disk in memory for one simulated computer: a SQLite VFS whose files outlive the node that wrote them.
//
// It keeps apart what was written and what was synced, so that it can do what real ones do at the worst moment:
//   - die(): the process is gone. From then on everything fails that changes something, so closing the database
//     changes nothing either; revive() shows the files as the process left them.
//   - die_at(n): the same, in the middle of the n-th operation from now. An operation is a call that changes something:
//     a write, a sync, a truncation, a creation or deletion of a file.
//   - revive_after_power_cut(): what was not synced is there, or not, or in part, as disk_file.h says. So are names:
//     each file that was created or deleted after the last sync of the directory is, independently of the others, in
//     one of the states it had since. The directory is synced where SQLite's own VFS for Unix does it: by a deletion
//     that asks for it, and by the first sync of a journal or WAL after it was opened for creation. A file whose name is
//     lost is lost.
//   - fail(): a call reports an error and does half of what it should. A sync that fails is worse: see disk_file.h.
//   - set_room(): the disk is full. What fits is written, then SQLite is told.
//   - flip_byte(): one bit of it rots.
// A short read is the one fault that SQLite cannot survive: of a page of the database it makes no error but zeros, as
// after the end of the file. No kernel gives one inside a file; SQLite's VFS for Unix reads on until it has all or
// the end. Of a frame of the WAL it makes an error.
// One connection at a time; single-threaded; no clock, no chance of its own.
#pragma once

#include <sqlite3.h>

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/sim/disk_file.h"

namespace starling::sim {

enum class DiskFault { read_error, write_error, sync_error, short_read, truncate_error, open_error };
inline constexpr std::size_t kDiskFaults = 6;

// What a disk has done to its node so far.
struct DiskCount {
  std::array<std::uint64_t, kDiskFaults> faults{};
  std::uint64_t full = 0;  // writes that found no room
  std::uint64_t flips = 0;
  std::uint64_t power_cuts = 0;
  std::uint64_t sectors_lost = 0;  // by power cuts
  std::uint64_t names_lost = 0;    // creations and deletions that a power cut undid
  std::uint64_t deaths = 0;        // of its process, in the middle of an operation
};

class Disk {
 public:
  Disk();
  ~Disk();
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  [[nodiscard]] const std::string& vfs() const { return name_; }
  [[nodiscard]] bool dead() const { return dead_; }
  [[nodiscard]] std::uint64_t operations() const { return operations_; }  // so far

  // ---- What may happen to it.
  void die() { dead_ = true; }
  void die_at(std::uint64_t operations) { dies_at_ = operations_ + operations; }
  void die_at_operation(std::uint64_t number) { doom_ = number; }  // counted from the first of all, in whichever life
  // `after` more calls of that kind do well, then `times` fail. A second plan for one kind replaces the first.
  void fail(DiskFault, std::uint64_t after, std::uint64_t times = 1);
  void set_room(std::optional<std::uint64_t> bytes) { room_ = bytes; }  // for all files together; none: unlimited
  enum class Part { database, wal };
  bool flip_byte(Prng&, Part);  // false: there is no such file, or nothing in it
  void forget_plans();         // of dying and failing, but for the doom; room is not a plan
  void forget_doom() { doom_ = 0; }
  void mend();                 // it fails no more, and has room

  // While one lives no call fails: somebody looks who is not part of the world.
  class Calm {
   public:
    explicit Calm(Disk& disk) : disk_(disk) { ++disk_.calm_; }
    ~Calm() { --disk_.calm_; }
    Calm(const Calm&) = delete;
    Calm& operator=(const Calm&) = delete;

   private:
    Disk& disk_;
  };

  void revive();
  void revive_after_power_cut(Prng&);

  using Image = std::map<std::string, Bytes>;  // of a disk that nobody uses: a backup
  [[nodiscard]] Image image() const;
  // Copied into it: new files, of those names. Rolled back: they are the files that they were, as of an image of the machine.
  enum class PutBack { copied, rolled_back };
  void restore(const Image&, PutBack);
  [[nodiscard]] std::uint64_t number_of(const std::string& name) const;  // its inode; 0: there is none

  // ---- What has happened.
  [[nodiscard]] const DiskCount& count() const { return count_; }
  [[nodiscard]] std::uint64_t struck(DiskFault fault) const { return count_.faults[static_cast<std::size_t>(fault)]; }
  // Since it was last revived something failed, or a bit has ever rotted: an error from SQLite is no surprise.
  [[nodiscard]] bool has_failed() const { return failed_ || count_.flips != 0; }

  // ---- For the VFS.
  [[nodiscard]] bool operate();              // false: the disk is dead; the operation must fail
  [[nodiscard]] bool strikes(DiskFault);     // this call is one that fails
  [[nodiscard]] std::size_t room_for(const DiskFile&, std::size_t offset, std::size_t size);  // how much of it fits
  [[nodiscard]] std::shared_ptr<DiskFile> find(const std::string& name) const;               // nullptr: there is none
  [[nodiscard]] std::shared_ptr<DiskFile> create(const std::string& name);
  void remove(const std::string& name);
  void erase(const std::string& name) { names_.erase(name); }  // as if it had never been
  void sync_directory();

 private:
  struct Plan {
    std::uint64_t after = 0;
    std::uint64_t times = 0;
  };
  // What a name meant when the directory was last synced, and since; nullptr: nothing.
  using Name = std::vector<std::shared_ptr<DiskFile>>;

  std::string name_;
  sqlite3_vfs vfs_{};
  std::map<std::string, Name> names_;
  std::uint64_t last_number_ = 0;
  std::uint64_t operations_ = 0;
  std::uint64_t dies_at_ = 0;  // zero: not by itself
  std::uint64_t doom_ = 0;     // likewise
  std::array<Plan, kDiskFaults> plans_;
  std::optional<std::uint64_t> room_;
  int calm_ = 0;
  bool dead_ = false;
  bool failed_ = false;
  DiskCount count_;
};

// Makes SQLite draw the salts of its WAL, its random() and all other chance from `seed` (not zero), for this process:
// without it two runs of one seed differ in their files, and in what a power cut leaves of them. At the start of a run;
// runs that take turns draw from one sequence.
void make_sqlite_deterministic(std::uint32_t seed = 1);

}  // namespace starling::sim
