#include "net/folder.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace starling {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kOwnerOnly = 0700;
constexpr mode_t kOthers = 0077;

struct NetworkFileSystem {
  std::uint32_t magic;
  const char* name;
};
constexpr std::array kNetworkFileSystems = {
    NetworkFileSystem{NFS_SUPER_MAGIC, "NFS"},   NetworkFileSystem{SMB_SUPER_MAGIC, "SMB"},   NetworkFileSystem{CIFS_SUPER_MAGIC, "SMB"},
    NetworkFileSystem{SMB2_SUPER_MAGIC, "SMB"},  NetworkFileSystem{NCP_SUPER_MAGIC, "NCP"},   NetworkFileSystem{AFS_SUPER_MAGIC, "AFS"},
    NetworkFileSystem{AFS_FS_MAGIC, "AFS"},      NetworkFileSystem{CODA_SUPER_MAGIC, "Coda"}, NetworkFileSystem{CEPH_SUPER_MAGIC, "Ceph"},
};

Error machine_error(const std::string& what, const fs::path& where) {
  return {Errc::internal, what + ": " + std::error_code(errno, std::generic_category()).message(), where.string(), ""};
}

Expected<void> check_existing(const fs::path& folder, const struct stat& found) {
  if (!S_ISDIR(found.st_mode)) return Error{Errc::invalid_argument, "this is not a folder", folder.string(), ""};
  if (found.st_uid != ::geteuid()) {
    return Error{Errc::invalid_argument, "the folder belongs to another user", folder.string(),
                 "run as its owner, or choose a folder of your own"};
  }
  if ((found.st_mode & kOthers) == 0) return {};
  std::error_code unreadable;
  if (!fs::is_empty(folder, unreadable) || unreadable) {
    return Error{Errc::invalid_argument, "other users may enter the folder, which will hold this device's key",
                 folder.string(), "chmod 700 " + folder.string()};
  }
  if (::chmod(folder.c_str(), kOwnerOnly) != 0) return machine_error("cannot make the folder private", folder);
  return {};
}

Expected<void> check_place(const fs::path& folder) {
  struct statfs found {};
  if (::statfs(folder.c_str(), &found) != 0) return machine_error("cannot ask for the file system of the folder", folder);
  return check_file_system(static_cast<std::uint32_t>(found.f_type), folder);
}

std::string read_holder(int fd) {
  std::array<char, 32> text{};
  const ssize_t n = ::pread(fd, text.data(), text.size(), 0);
  std::string pid(text.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
  pid.erase(pid.find_last_not_of('\n') + 1);
  return pid.empty() ? "unknown" : pid;
}

// The lock holds only while the name leads to the file that is locked.
bool still_named(int fd, const fs::path& path) {
  struct stat locked {};
  struct stat named {};
  return ::fstat(fd, &locked) == 0 && ::lstat(path.c_str(), &named) == 0 && locked.st_ino == named.st_ino &&
         locked.st_dev == named.st_dev;
}

}  // namespace

Expected<void> check_file_system(std::uint32_t magic, const fs::path& folder) {
  for (const NetworkFileSystem& one : kNetworkFileSystems) {
    if (one.magic != magic) continue;
    return Error{Errc::invalid_argument,
                 std::string("the folder is on a network drive (") + one.name + "), where a database that is open is not safe", folder.string(),
                 "choose a folder on a disk of this machine; each device keeps a database of its own, and Starling keeps them the same"};
  }
  return {};
}

Expected<void> prepare_folder(const fs::path& folder) {
  if (folder.empty()) return Error{Errc::invalid_argument, "no folder given", "", "set Config::folder"};
  struct stat found {};
  const auto check_what_is_there = [&]() -> Expected<void> {
    const Expected<void> good = check_existing(folder, found);
    return good ? check_place(folder) : good;
  };
  if (::stat(folder.c_str(), &found) == 0) return check_what_is_there();
  std::error_code failed;
  if (folder.has_parent_path()) fs::create_directories(folder.parent_path(), failed);
  if (::mkdir(folder.c_str(), kOwnerOnly) == 0) {
    Expected<void> good = check_place(folder);
    if (!good) ::rmdir(folder.c_str());
    return good;
  }
  if (errno == EEXIST && ::stat(folder.c_str(), &found) == 0) return check_what_is_there();
  return machine_error("cannot create the folder", folder);
}

Expected<void> create_database(const fs::path& file) {
  const FileDescriptor made(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (made.valid() || errno == EEXIST) return {};
  return machine_error("cannot create the database", file);
}

Expected<FolderLock> FolderLock::acquire(const fs::path& folder) {
  const fs::path path = folder / "lock";
  for (;;) {
    FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file.valid()) return machine_error("cannot open the lock file", path);
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EINTR) continue;
      if (errno != EWOULDBLOCK) return machine_error("cannot lock the folder", path);
      return Error{Errc::busy, "the folder is in use by process " + read_holder(file.get()), folder.string(),
                   "stop that process, or speak to it instead of opening the folder"};
    }
    if (!still_named(file.get(), path)) continue;
    const std::string pid = std::to_string(::getpid()) + "\n";
    if (::ftruncate(file.get(), 0) != 0 || ::pwrite(file.get(), pid.data(), pid.size(), 0) < 0) {
      return machine_error("cannot write the lock file", path);
    }
    return FolderLock(std::move(file));
  }
}

}  // namespace starling
