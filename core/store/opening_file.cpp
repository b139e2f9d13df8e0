#include "core/store/opening_file.h"

#include <SQLiteCpp/Exception.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <vector>

#include "core/base/bytes.h"

namespace starling {
namespace {

constexpr int kSize = 8;

void check(int code) {
  if (code != SQLITE_OK) throw SQLite::Exception(sqlite3_errstr(code), code);
}

// Written as a journal is: SQLite's VFS gives it the database's permissions and owner, and syncs its name with it. Read as a
// super-journal is: nothing about it changes, not even the time of its last change.
constexpr int kToWrite = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_JOURNAL;
constexpr int kToRead = SQLITE_OPEN_READWRITE | SQLITE_OPEN_SUPER_JOURNAL;

class VfsFile {
 public:
  VfsFile(sqlite3_vfs& vfs, const std::string& name, int flags) : memory_((vfs.szOsFile + sizeof(std::uint64_t) - 1) / sizeof(std::uint64_t)) {
    const std::string terminated = name + std::string(2, '\0');  // SQLite looks for parameters behind a name
    file_ = reinterpret_cast<sqlite3_file*>(memory_.data());
    check(vfs.xOpen(&vfs, terminated.c_str(), file_, flags, nullptr));
  }
  ~VfsFile() {
    if (file_->pMethods != nullptr) file_->pMethods->xClose(file_);
  }
  VfsFile(const VfsFile&) = delete;
  VfsFile& operator=(const VfsFile&) = delete;

  sqlite3_file* operator->() { return file_; }
  sqlite3_file* get() { return file_; }

 private:
  std::vector<std::uint64_t> memory_;
  sqlite3_file* file_ = nullptr;
};

sqlite3_vfs& vfs_of(sqlite3* db) {
  sqlite3_vfs* vfs = nullptr;
  check(sqlite3_file_control(db, "main", SQLITE_FCNTL_VFS_POINTER, &vfs));
  return *vfs;
}

}  // namespace

OpeningFile::OpeningFile(sqlite3* db) : db_(db) {
  const char* const database = sqlite3_db_filename(db, "main");
  if (database != nullptr && *database != '\0') name_ = std::string(database) + "-opening";
}

std::optional<std::uint64_t> OpeningFile::read() const {
  if (name_.empty()) return std::nullopt;
  sqlite3_vfs& vfs = vfs_of(db_);
  int there = 0;
  check(vfs.xAccess(&vfs, name_.c_str(), SQLITE_ACCESS_EXISTS, &there));
  if (there == 0) return std::nullopt;
  VfsFile file(vfs, name_, kToRead);
  sqlite3_int64 size = 0;
  check(file->pMethods->xFileSize(file.get(), &size));
  if (size != kSize) return std::nullopt;
  Bytes bytes(kSize, '\0');
  check(file->pMethods->xRead(file.get(), bytes.data(), kSize, 0));
  return ByteReader(bytes).be64();
}

void OpeningFile::write(std::uint64_t number) const {
  if (name_.empty()) return;
  VfsFile file(vfs_of(db_), name_, kToWrite);
  ByteWriter bytes;
  bytes.be64(number);
  check(file->pMethods->xWrite(file.get(), bytes.bytes().data(), kSize, 0));
  check(file->pMethods->xTruncate(file.get(), kSize));
  check(file->pMethods->xSync(file.get(), SQLITE_SYNC_FULL));
}

void OpeningFile::remove() const {
  if (name_.empty()) return;
  sqlite3_vfs& vfs = vfs_of(db_);
  const int done = vfs.xDelete(&vfs, name_.c_str(), 1);
  if (done != SQLITE_IOERR_DELETE_NOENT) check(done);
}

std::string place_of_file(const std::string& file) {
  struct stat found {};
  if (::stat(file.c_str(), &found) != 0) return {};
  return std::to_string(found.st_ino) + ":" + std::to_string(found.st_ctim.tv_sec) + "." + std::to_string(found.st_ctim.tv_nsec);
}

}  // namespace starling
