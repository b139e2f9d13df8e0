#include "net/open_files.h"

#include <sys/stat.h>

#include <system_error>

namespace starling {
namespace {

namespace fs = std::filesystem;

fs::path beside(const fs::path& database, const char* suffix) { return database.string() + suffix; }

}  // namespace

OpenFiles::OpenFiles(fs::path database) : database_(std::move(database)) { watch(database_); }

void OpenFiles::opened() {
  watch(beside(database_, "-wal"));
  watch(beside(database_, "-shm"));
}

void OpenFiles::watch(const fs::path& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) == 0) files_.push_back({path, found.st_dev, found.st_ino});
}

bool OpenFiles::is_there(const File& file) {
  struct stat found {};
  return ::stat(file.path.c_str(), &found) == 0 && found.st_dev == file.device && found.st_ino == file.inode;
}

Expected<void> OpenFiles::check() const {
  for (const File& file : files_) {
    if (is_there(file)) continue;
    std::error_code ignored;
    return Error{Errc::stopped,
                 std::string(fs::exists(file.path, ignored) ? "another file has taken the place of this one"
                                                            : "this file was moved away or removed") +
                     " while the database was open; what was written since may be lost",
                 file.path.string(), "keep other programs out of the folder, and open the node again: it goes on with what is there"};
  }
  return {};
}

Expected<void> OpenFiles::heed() const {
  Expected<void> same = check();
  if (!same) part();
  return same;
}

void OpenFiles::part() const {
  std::error_code ignored;
  if (is_there(files_.front()) || !fs::exists(database_, ignored)) return;
  for (const File& file : files_)
    if (file.path == beside(database_, "-wal") && is_there(file)) fs::rename(file.path, beside(file.path, "-parted"), ignored);
  fs::remove(beside(database_, "-opening"), ignored);
}

}  // namespace starling
