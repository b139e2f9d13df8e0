#include "apps/common/folder_walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>

#include "apps/common/byte_text.h"

namespace starling::apps {
namespace {

constexpr int kOpenFolder = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

struct DirCloser {
  void operator()(DIR* dir) const { ::closedir(dir); }
};

EntryKind kind_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG: return EntryKind::file;
    case S_IFDIR: return EntryKind::folder;
    case S_IFLNK: return EntryKind::link;
    case S_IFIFO: return EntryKind::fifo;
    case S_IFSOCK: return EntryKind::socket;
    case S_IFCHR: return EntryKind::char_device;
    case S_IFBLK: return EntryKind::block_device;
    default: return EntryKind::other;
  }
}

FolderWalk::FileId id_of(const struct stat& s) { return {s.st_dev, s.st_ino}; }

void fill(FoundEntry& entry, const struct stat& s) {
  entry.kind = kind_of(s.st_mode);
  entry.size = entry.kind == EntryKind::file ? static_cast<std::uint64_t>(s.st_size) : 0;
  entry.modified_ms = std::int64_t{s.st_mtim.tv_sec} * 1000 + s.st_mtim.tv_nsec / 1'000'000;
  entry.mode = static_cast<std::uint32_t>(s.st_mode & 07777U);
}

bool is_gone(int number) { return number == ENOENT || number == ENOTDIR || number == ELOOP; }

}  // namespace

const char* to_string(EntryKind kind) {
  switch (kind) {
    case EntryKind::file: return "file";
    case EntryKind::folder: return "folder";
    case EntryKind::link: return "link";
    case EntryKind::fifo: return "fifo";
    case EntryKind::socket: return "socket";
    case EntryKind::char_device: return "char_device";
    case EntryKind::block_device: return "block_device";
    case EntryKind::other: return "other";
  }
  return "other";
}

FolderWalk::FolderWalk(FileDescriptor root, FoundEntry self, Options options)
    : options_(std::move(options)), root_(std::move(self)), root_fd_(std::move(root)) {}

Expected<FolderWalk> FolderWalk::open(const Bytes& root, Options options) {
  FileDescriptor fd(::open(root.c_str(), kOpenFolder));
  struct stat s{};
  if (!fd.valid() || ::fstat(fd.get(), &s) != 0) {
    return Error{Errc::invalid_argument, "cannot open it as a folder: " + std::generic_category().message(errno),
                 printable(root), "name a folder that you may read"};
  }
  FoundEntry self;
  self.name = root.substr(root.find_last_of('/') + 1);
  fill(self, s);
  return FolderWalk(std::move(fd), std::move(self), options);
}

std::optional<FolderWalk::FileId> FolderWalk::file_id(const Bytes& path) {
  struct stat s{};
  if (::stat(path.c_str(), &s) != 0) return std::nullopt;
  return id_of(s);
}

std::optional<FoundFolder> FolderWalk::next() {
  if (!started_) {
    started_ = true;
    return list(std::move(root_fd_), std::move(root_), 0);
  }
  while (!frames_.empty()) {
    Frame& frame = frames_.back();
    path_.resize(frame.path_size);
    if (frame.pending.empty()) {
      if (frame.fd.valid()) --open_;
      frames_.pop_back();
      continue;
    }
    FoundEntry self = std::move(frame.pending.back());
    frame.pending.pop_back();
    const int parent = descriptor_of(frames_.size() - 1);  // -1: errno says why, as for the folder itself
    FileDescriptor fd(parent < 0 ? -1 : ::openat(parent, self.name.c_str(), kOpenFolder | O_NOFOLLOW));
    const int failure = fd.valid() ? 0 : errno;
    if (is_gone(failure)) continue;  // went away meanwhile
    return list(std::move(fd), std::move(self), failure);
  }
  return std::nullopt;
}

// Lists a folder and makes it the last frame. `failure`: why it could not be opened.
FoundFolder FolderWalk::list(FileDescriptor fd, FoundEntry self, int failure) {
  FoundFolder folder;
  folder.depth = frames_.size();
  if (!frames_.empty()) path_ += (path_.empty() ? "" : "/") + self.name;
  folder.path = path_;
  folder.self = std::move(self);
  if (failure == 0) failure = read_names(fd.get(), folder);
  if (failure != 0) {
    folder.unreadable = std::generic_category().message(failure);
    folder.entries.clear();
    return folder;
  }
  const auto by_name = [](const FoundEntry& a, const FoundEntry& b) { return a.name < b.name; };
  std::sort(folder.entries.begin(), folder.entries.end(), by_name);
  Frame frame;
  frame.name = folder.self.name;
  frame.path_size = path_.size();
  for (auto entry = folder.entries.rbegin(); entry != folder.entries.rend(); ++entry) {
    if (entry->kind != EntryKind::folder || !entry->unreadable.empty()) continue;
    if (folder.depth + 1 > options_.depth_max) {
      entry->unreadable = "deeper than " + std::to_string(options_.depth_max) + " folders";
    } else {
      frame.pending.push_back(*entry);
    }
  }
  frame.fd = std::move(fd);
  frames_.push_back(std::move(frame));
  ++open_;
  close_some();
  return folder;
}

// 0, or the errno that ended it.
int FolderWalk::read_names(int fd, FoundFolder& folder) const {
  const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);  // closedir() closes its own
  if (copy < 0) return errno;
  const std::unique_ptr<DIR, DirCloser> dir(::fdopendir(copy));
  if (!dir) return errno;
  for (;;) {
    errno = 0;
    const dirent* found = ::readdir(dir.get());
    if (found == nullptr) return errno;
    FoundEntry entry;
    entry.name = found->d_name;
    if (entry.name == "." || entry.name == "..") continue;
    if (look_at(fd, found->d_type, entry)) folder.entries.push_back(std::move(entry));
  }
}

// Fills in what the entry is; false: leave it out.
bool FolderWalk::look_at(int fd, unsigned char type, FoundEntry& entry) const {
  const bool counted_only = !options_.details && type != DT_UNKNOWN && (type != DT_DIR || !options_.skip);
  if (counted_only) {
    entry.kind = kind_of(DTTOIF(type));
    return true;
  }
  struct stat s{};
  if (::fstatat(fd, entry.name.c_str(), &s, AT_SYMLINK_NOFOLLOW) == 0) {
    fill(entry, s);
    return !(options_.skip && id_of(s) == *options_.skip);
  }
  if (is_gone(errno)) return false;
  entry.unreadable = std::generic_category().message(errno);
  return true;
}

// The descriptor of a frame, opened again from the nearest ancestor that is open; -1: it is not there any more.
int FolderWalk::descriptor_of(std::size_t frame) {
  if (frames_[frame].fd.valid()) return frames_[frame].fd.get();
  std::size_t nearest = frame;
  while (nearest > 0 && !frames_[nearest].fd.valid()) --nearest;  // the root's stays open
  FileDescriptor held;
  int fd = frames_[nearest].fd.get();
  for (std::size_t i = nearest + 1; i <= frame; ++i) {
    FileDescriptor next(::openat(fd, frames_[i].name.c_str(), kOpenFolder | O_NOFOLLOW));
    if (!next.valid()) return -1;
    held = std::move(next);
    fd = held.get();
  }
  frames_[frame].fd = std::move(held);
  ++open_;
  return fd;
}

// Closes the outermost folders but the root: the walk comes back to them last.
void FolderWalk::close_some() {
  for (std::size_t i = 1; open_ > options_.open_max && i + 1 < frames_.size(); ++i) {
    if (!frames_[i].fd.valid()) continue;
    frames_[i].fd = FileDescriptor();
    --open_;
  }
}

}  // namespace starling::apps
