// Walks a folder and all below it, read only, one folder at a time.
//
// Links are recorded and never followed, not even when a folder is swapped for a link while the walk is on its way:
// each folder is opened from its parent's descriptor with O_NOFOLLOW. Paths may be longer than PATH_MAX and trees deeper
// than there are descriptors: few stay open at a time, the others are opened again by name when the walk comes back.
// Names are bytes. What cannot be read is listed with its reason, what goes away meanwhile is left out; nothing of this
// stops the walk. Order: a folder before those inside it, names by their bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "net/file_descriptor.h"
#include "core/base/bytes.h"
#include "core/base/expected.h"

namespace starling::apps {

enum class EntryKind { file, folder, link, fifo, socket, char_device, block_device, other };
[[nodiscard]] const char* to_string(EntryKind);

struct FoundEntry {
  Bytes name;
  EntryKind kind = EntryKind::other;
  std::uint64_t size = 0;  // of a file
  std::int64_t modified_ms = 0;
  std::uint32_t mode = 0;
  std::string unreadable;  // not empty: only the name is known, and why
};

struct FoundFolder {
  Bytes path;             // from the root, "" for the root itself
  std::size_t depth = 0;  // the root's is 0
  FoundEntry self;
  std::vector<FoundEntry> entries;
  std::string unreadable;  // not empty: the entries could not be listed, and why
};

class FolderWalk {
 public:
  using FileId = std::pair<std::uint64_t, std::uint64_t>;  // device and inode
  struct Options {
    bool details = true;         // false: only names and kinds, to count
    std::optional<FileId> skip;  // a folder that is left out, wherever it stands
    std::size_t depth_max = 4096;
    std::size_t open_max = 64;   // descriptors
  };

  // Errors: not a folder, or one that cannot be opened. The root itself may be reached through links.
  [[nodiscard]] static Expected<FolderWalk> open(const Bytes& root, Options options);
  [[nodiscard]] static std::optional<FileId> file_id(const Bytes& path);

  // The next folder; nullopt: that was all.
  [[nodiscard]] std::optional<FoundFolder> next();

 private:
  struct Frame {  // a folder that the walk is in
    Bytes name;
    FileDescriptor fd;                // none: opened again when needed
    std::vector<FoundEntry> pending;  // folders inside that are yet to come, last first
    std::size_t path_size = 0;        // of path_ up to here
  };

  FolderWalk(FileDescriptor root, FoundEntry self, Options options);
  [[nodiscard]] FoundFolder list(FileDescriptor fd, FoundEntry self, int failure);
  [[nodiscard]] int read_names(int fd, FoundFolder& folder) const;
  [[nodiscard]] bool look_at(int fd, unsigned char type, FoundEntry& entry) const;
  [[nodiscard]] int descriptor_of(std::size_t frame);
  void close_some();

  Options options_;
  FoundEntry root_;                 // until the first next()
  FileDescriptor root_fd_;
  bool started_ = false;
  std::vector<Frame> frames_;
  std::size_t open_ = 0;
  Bytes path_;                      // of the last frame
};

}  // namespace starling::apps
