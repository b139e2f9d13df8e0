// The database's files while they are open: still those that their names lead to.
//
// Who moves a file over an open database (a program that synchronises folders, a copy put back under a node that runs),
// or removes its WAL, takes the file away from under us: what we then commit goes where nobody will find it. SQLite does
// not see that in WAL mode. So the inodes are compared before and after each commit of ours: a write that went into a file
// without its name is an error for its author, and is told to no peer.
//
// Whatever has taken the database's place must not be opened with what belongs to ours: the WAL that lies beside it is put
// aside as `starling.db-wal-parted`, for SQLite would copy its pages into the other file, and the number beside the database
// goes, so that the other file is taken for the copy that it may be (core/store/opening_file.h). Where there is no file at all
// nothing is touched: it may be moved back.
// check() is for any thread; heed() for whoever holds the writer lock.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <vector>

#include "core/base/expected.h"

namespace starling {

class OpenFiles {
 public:
  explicit OpenFiles(std::filesystem::path database);  // that is there; before SQLite opens it
  void opened();                                       // SQLite has: its WAL and what goes with it are there

  // Errc::stopped, with the file that is not the one that is open.
  [[nodiscard]] Expected<void> check() const;
  [[nodiscard]] Expected<void> heed() const;  // and parts what has taken its place from what is ours

 private:
  struct File {
    std::filesystem::path path;
    dev_t device = 0;
    ino_t inode = 0;
  };
  void watch(const std::filesystem::path&);
  [[nodiscard]] static bool is_there(const File&);
  void part() const;

  std::filesystem::path database_;
  std::vector<File> files_;
};

}  // namespace starling
