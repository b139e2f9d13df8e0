#include "tests/sim/vfs.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "tests/sim/disk.h"

namespace starling::sim {
namespace {

// ---- One open file ----

struct Handle {
  sqlite3_file base;
  Disk* disk;
  std::shared_ptr<DiskFile> file;
  bool sync_directory;  // by the next sync
};

Handle& handle(sqlite3_file* f) { return *reinterpret_cast<Handle*>(f); }

int close_file(sqlite3_file* f) {
  handle(f).~Handle();
  return SQLITE_OK;
}

int read_file(sqlite3_file* f, void* to, int size, sqlite3_int64 offset) {
  Disk& disk = *handle(f).disk;
  if (disk.strikes(DiskFault::read_error)) return SQLITE_IOERR_READ;
  const Bytes& data = handle(f).file->data();
  const auto want = static_cast<std::size_t>(size);
  const auto from = std::min(static_cast<std::size_t>(offset), data.size());
  std::size_t there = std::min(want, data.size() - from);
  if (disk.strikes(DiskFault::short_read)) there /= 2;
  std::memcpy(to, data.data() + from, there);
  std::memset(static_cast<char*>(to) + there, 0, want - there);
  return there == want ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

int write_file(sqlite3_file* f, const void* from, int size, sqlite3_int64 offset) {
  Disk& disk = *handle(f).disk;
  if (!disk.operate()) return SQLITE_IOERR_WRITE;
  DiskFile& file = *handle(f).file;
  BytesView bytes(static_cast<const char*>(from), static_cast<std::size_t>(size));
  const auto at = static_cast<std::size_t>(offset);
  const bool fails = disk.strikes(DiskFault::write_error);
  const std::size_t fits = fails ? bytes.size() / 2 : disk.room_for(file, at, bytes.size());
  if (fits != 0) file.write(at, bytes.substr(0, fits));
  if (fails) return SQLITE_IOERR_WRITE;
  return fits == bytes.size() ? SQLITE_OK : SQLITE_FULL;
}

int truncate_file(sqlite3_file* f, sqlite3_int64 size) {
  Disk& disk = *handle(f).disk;
  if (!disk.operate() || disk.strikes(DiskFault::truncate_error)) return SQLITE_IOERR_TRUNCATE;
  handle(f).file->truncate(static_cast<std::size_t>(size));
  return SQLITE_OK;
}

int sync_file(sqlite3_file* f, int) {
  Disk& disk = *handle(f).disk;
  if (!disk.operate()) return SQLITE_IOERR_FSYNC;
  if (disk.strikes(DiskFault::sync_error)) {
    handle(f).file->fail_to_sync();
    return SQLITE_IOERR_FSYNC;
  }
  handle(f).file->sync();
  if (!handle(f).sync_directory) return SQLITE_OK;
  if (!disk.operate()) return SQLITE_IOERR_DIR_FSYNC;
  disk.sync_directory();
  handle(f).sync_directory = false;
  return SQLITE_OK;
}

int size_of_file(sqlite3_file* f, sqlite3_int64* size) {
  *size = static_cast<sqlite3_int64>(handle(f).file->data().size());
  return SQLITE_OK;
}

int lock_file(sqlite3_file*, int) { return SQLITE_OK; }  // one connection at a time
int is_reserved(sqlite3_file*, int* reserved) {
  *reserved = 0;
  return SQLITE_OK;
}
int control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
int sector_size(sqlite3_file*) { return static_cast<int>(DiskFile::kSector); }
int characteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

int map_shared(sqlite3_file* f, int region, int size, int extend, volatile void** out) {
  auto& regions = handle(f).file->shared_memory;
  const auto wanted = static_cast<std::size_t>(region);
  *out = nullptr;
  while (extend != 0 && regions.size() <= wanted) {
    regions.push_back(std::make_unique<char[]>(static_cast<std::size_t>(size)));
  }
  if (wanted < regions.size()) *out = regions[wanted].get();
  return SQLITE_OK;
}
int lock_shared(sqlite3_file*, int, int, int) { return SQLITE_OK; }
void shared_barrier(sqlite3_file*) {}
int unmap_shared(sqlite3_file* f, int remove) {
  if (remove != 0) handle(f).file->shared_memory.clear();
  return SQLITE_OK;
}

constexpr sqlite3_io_methods kMethods = {
    2,           close_file,  read_file,     write_file, truncate_file,   sync_file,  size_of_file,
    lock_file,   lock_file,   is_reserved,   control,    sector_size,     characteristics,
    map_shared,  lock_shared, shared_barrier, unmap_shared, nullptr,      nullptr};

// ---- The folder ----

constexpr int kJournals = SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL;

Disk& disk_of(sqlite3_vfs* vfs) { return *static_cast<Disk*>(vfs->pAppData); }

int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* f, int flags, int* out_flags) {
  f->pMethods = nullptr;
  Disk& disk = disk_of(vfs);
  if (disk.strikes(DiskFault::open_error)) return SQLITE_CANTOPEN;
  const bool creates = (flags & SQLITE_OPEN_CREATE) != 0;
  std::shared_ptr<DiskFile> file = name != nullptr ? disk.find(name) : std::make_shared<DiskFile>();
  if (!file) {
    if (!creates || !disk.operate()) return SQLITE_CANTOPEN;
    file = disk.create(name);
  }
  new (f) Handle{{&kMethods}, &disk, std::move(file), creates && (flags & kJournals) != 0};
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}

int delete_file(sqlite3_vfs* vfs, const char* name, int sync_directory) {
  Disk& disk = disk_of(vfs);
  if (!disk.find(name)) return SQLITE_IOERR_DELETE_NOENT;
  if (!disk.operate()) return SQLITE_IOERR_DELETE;
  disk.remove(name);
  if (sync_directory == 0) return SQLITE_OK;
  if (!disk.operate()) return SQLITE_IOERR_DIR_FSYNC;
  disk.sync_directory();
  return SQLITE_OK;
}

int access_file(sqlite3_vfs* vfs, const char* name, int, int* there) {
  *there = disk_of(vfs).find(name) ? 1 : 0;
  return SQLITE_OK;
}

int full_name(sqlite3_vfs*, const char* name, int room, char* out) {
  sqlite3_snprintf(room, out, "%s", name);
  return SQLITE_OK;
}

int random_bytes(sqlite3_vfs*, int size, char* out) {
  std::memset(out, 7, static_cast<std::size_t>(size));
  return size;
}
int sleep_for(sqlite3_vfs*, int us) { return us; }
int time_of_day(sqlite3_vfs*, double* days) {
  *days = 2460000.5;
  return SQLITE_OK;
}

}  // namespace

sqlite3_vfs vfs_of(Disk& disk, const std::string& name) {
  sqlite3_vfs vfs{};
  vfs.iVersion = 1;
  vfs.szOsFile = sizeof(Handle);
  vfs.mxPathname = 256;
  vfs.zName = name.c_str();
  vfs.pAppData = &disk;
  vfs.xOpen = open_file;
  vfs.xDelete = delete_file;
  vfs.xAccess = access_file;
  vfs.xFullPathname = full_name;
  vfs.xRandomness = random_bytes;
  vfs.xSleep = sleep_for;
  vfs.xCurrentTime = time_of_day;
  return vfs;
}

}  // namespace starling::sim
