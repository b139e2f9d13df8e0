#include "tests/sim/disk.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace starling::sim {
namespace {

constexpr std::size_t kSector = 512;

void play(Bytes& data, const Disk::Write& w) {
  if (w.truncation) {
    data.resize(std::min(data.size(), w.offset));
    return;
  }
  if (data.size() < w.offset + w.bytes.size()) data.resize(w.offset + w.bytes.size());
  std::copy(w.bytes.begin(), w.bytes.end(), data.begin() + static_cast<std::ptrdiff_t>(w.offset));
}

// ---- One open file, as SQLite sees it ----

struct Handle {
  sqlite3_file base;
  Disk* disk;
  std::shared_ptr<Disk::File> file;
};

Handle& handle(sqlite3_file* f) { return *reinterpret_cast<Handle*>(f); }

int close_file(sqlite3_file* f) {
  handle(f).file.~shared_ptr();
  return SQLITE_OK;
}

int read_file(sqlite3_file* f, void* to, int size, sqlite3_int64 offset) {
  const Bytes& data = handle(f).file->data;
  const auto want = static_cast<std::size_t>(size);
  const auto from = std::min(static_cast<std::size_t>(offset), data.size());
  const std::size_t there = std::min(want, data.size() - from);
  std::memcpy(to, data.data() + from, there);
  std::memset(static_cast<char*>(to) + there, 0, want - there);
  return there == want ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

int write_file(sqlite3_file* f, const void* from, int size, sqlite3_int64 offset) {
  if (!handle(f).disk->operate()) return SQLITE_IOERR_WRITE;
  handle(f).file->write({static_cast<std::size_t>(offset), Bytes(static_cast<const char*>(from), static_cast<std::size_t>(size))});
  return SQLITE_OK;
}

int truncate_file(sqlite3_file* f, sqlite3_int64 size) {
  if (!handle(f).disk->operate()) return SQLITE_IOERR_TRUNCATE;
  handle(f).file->write({static_cast<std::size_t>(size), {}, true});
  return SQLITE_OK;
}

int sync_file(sqlite3_file* f, int) {
  if (!handle(f).disk->operate()) return SQLITE_IOERR_FSYNC;
  handle(f).file->sync();
  return SQLITE_OK;
}

int size_of_file(sqlite3_file* f, sqlite3_int64* size) {
  *size = static_cast<sqlite3_int64>(handle(f).file->data.size());
  return SQLITE_OK;
}

int lock_file(sqlite3_file*, int) { return SQLITE_OK; }  // one connection at a time
int is_reserved(sqlite3_file*, int* reserved) {
  *reserved = 0;
  return SQLITE_OK;
}
int control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
int sector_size(sqlite3_file*) { return static_cast<int>(kSector); }
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
int unmap_shared(sqlite3_file* f, int) {
  handle(f).file->shared_memory.clear();
  return SQLITE_OK;
}

constexpr sqlite3_io_methods kMethods = {
    2,           close_file,  read_file,     write_file, truncate_file,   sync_file,  size_of_file,
    lock_file,   lock_file,   is_reserved,   control,    sector_size,     characteristics,
    map_shared,  lock_shared, shared_barrier, unmap_shared, nullptr,      nullptr};

// ---- The folder ----

Disk& disk_of(sqlite3_vfs* vfs) { return *static_cast<Disk*>(vfs->pAppData); }

int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* f, int flags, int* out_flags) {
  f->pMethods = nullptr;
  Disk& disk = disk_of(vfs);
  if (name != nullptr && !disk.exists(name) && ((flags & SQLITE_OPEN_CREATE) == 0 || disk.dead())) return SQLITE_CANTOPEN;
  new (f) Handle{{&kMethods}, &disk, disk.open(name)};
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}

int delete_file(sqlite3_vfs* vfs, const char* name, int) {
  if (!disk_of(vfs).operate()) return SQLITE_IOERR_DELETE;
  disk_of(vfs).remove(name);
  return SQLITE_OK;
}

int access_file(sqlite3_vfs* vfs, const char* name, int, int* there) {
  *there = disk_of(vfs).exists(name) ? 1 : 0;
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

void Disk::File::write(Write w) {
  play(data, w);
  unsynced.push_back(std::move(w));
}

void Disk::File::sync() {
  for (const Write& w : unsynced) play(synced, w);
  unsynced.clear();
}

void Disk::File::lose_power(Prng& prng) {
  data = synced;
  for (const Write& w : unsynced) {
    const std::uint64_t fate = prng.below(3);
    if (fate == 0) continue;
    if (fate == 1 || w.truncation) {
      play(data, w);
      continue;
    }
    for (std::size_t at = 0; at < w.bytes.size(); at += kSector) {
      if (prng.chance(50)) play(data, {w.offset + at, w.bytes.substr(at, kSector)});
    }
  }
  synced = data;
  unsynced.clear();
}

Disk::Disk() : name_("disk-" + std::to_string(reinterpret_cast<std::uintptr_t>(this))) {
  vfs_.iVersion = 1;
  vfs_.szOsFile = sizeof(Handle);
  vfs_.mxPathname = 256;
  vfs_.zName = name_.c_str();
  vfs_.pAppData = this;
  vfs_.xOpen = open_file;
  vfs_.xDelete = delete_file;
  vfs_.xAccess = access_file;
  vfs_.xFullPathname = full_name;
  vfs_.xRandomness = random_bytes;
  vfs_.xSleep = sleep_for;
  vfs_.xCurrentTime = time_of_day;
  sqlite3_vfs_register(&vfs_, 0);
}

Disk::~Disk() { sqlite3_vfs_unregister(&vfs_); }

bool Disk::operate() {
  if (!dead_ && ++operations_ == dies_at_) dead_ = true;
  return !dead_;
}

std::shared_ptr<Disk::File> Disk::open(const char* name) {
  if (name == nullptr) return std::make_shared<File>();
  std::shared_ptr<File>& file = files_[name];
  if (!file) file = std::make_shared<File>();
  return file;
}

Disk::Image Disk::image() const {
  Image image;
  for (const auto& [name, file] : files_) image[name] = file->data;
  return image;
}

void Disk::restore(const Image& image) {
  files_.clear();
  for (const auto& [name, data] : image) {
    files_[name] = std::make_shared<File>();
    files_[name]->data = files_[name]->synced = data;
  }
}

void Disk::revive() {
  dead_ = false;
  dies_at_ = 0;
}

void Disk::revive_after_power_cut(Prng& prng) {
  for (const auto& [name, file] : files_) file->lose_power(prng);
  revive();
}

}  // namespace starling::sim
