// A node's folder, and the lock that makes it the only one there.
//
// The folder is the device's: who can read it can be the device, so it is 0700. A new or empty folder is made so; one
// that others may enter is refused with the command that mends it, because changing the permissions of a folder that
// somebody else filled could break more than it protects. The lock is flock() on a file: it goes with the process,
// however that ends, and holds between two nodes of one process as well. The lock file stays; removing it would let
// two nodes lock two files of one name. FolderLock is movable; it unlocks when it goes out of scope.
//
// A folder on a network file system is refused: its locks and its memory-mapped files are not shared between machines as
// SQLite's WAL needs it, so a second machine damages the database. What may be a disk of this machine as well is let in:
// FUSE (encrypted and foreign disks), 9p (sandboxes and virtual machines).
#pragma once

#include <cstdint>
#include <filesystem>

#include "core/base/expected.h"
#include "net/file_descriptor.h"

namespace starling {

// Creates the folder, or checks the one that is there, and the file system that it is on.
[[nodiscard]] Expected<void> prepare_folder(const std::filesystem::path&);

// Errc::invalid_argument where `magic`, the number by which statfs() names a file system, is that of one on a network.
[[nodiscard]] Expected<void> check_file_system(std::uint32_t magic, const std::filesystem::path& folder);

// Creates the database's file, 0600, where there is none; SQLite gives its own files beside it the same mode. Before any
// connection is open: closing a descriptor releases SQLite's locks.
[[nodiscard]] Expected<void> create_database(const std::filesystem::path&);

class FolderLock {
 public:
  // Errc::busy with the holder's process id when another node, here or elsewhere, is open on the folder.
  [[nodiscard]] static Expected<FolderLock> acquire(const std::filesystem::path& folder);

 private:
  explicit FolderLock(FileDescriptor file) : file_(std::move(file)) {}

  FileDescriptor file_;
};

}  // namespace starling
