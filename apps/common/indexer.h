// The indexer: brings the rows of one location in line with the folder on disk.
//
// It reads the folder (folder_walk.h), compares each folder's entries with the rows that stand under it, and writes only
// what differs, in batches of one transaction each: new entries, changed ones, and those that are gone with all below
// them. A second run over an unchanged folder writes nothing. A run that was cut short leaves a shorter table; the next
// one goes on from there. What cannot be read keeps the rows it had: not knowing is not absence.
// The data folder itself is left out, for it changes with every write. One run at a time for a location.
#pragma once

#include <functional>
#include <vector>

#include "apps/common/folder_walk.h"
#include "net/node.h"

namespace starling::apps {

struct IndexOptions {
  std::size_t batch_rows = 2000;      // of one transaction: its page still fits limits::kPushMax
  std::size_t unreadable_max = 100;   // listed by name; the others are counted
  std::optional<FolderWalk::FileId> skip;  // the data folder
};

struct IndexProgress {
  std::uint64_t expected = 0;  // entries on disk; 0 while they are counted
  std::uint64_t entries = 0;   // counted or compared so far
  std::uint64_t written = 0;   // rows committed
};
using IndexProgressFn = std::function<bool(const IndexProgress&)>;  // false: stop

struct Unreadable {
  Bytes path;  // from the root
  std::string why;
};

struct IndexReport {
  Bytes location;  // its id
  bool new_location = false;
  std::uint64_t folders = 0;
  std::uint64_t entries = 0;  // the root's own included
  std::uint64_t bytes = 0;
  std::uint64_t added = 0;
  std::uint64_t changed = 0;
  std::uint64_t removed = 0;
  std::uint64_t commits = 0;
  std::uint64_t unreadable = 0;
  std::vector<Unreadable> unreadable_list;
};

// `root`: an absolute path. Errors: not a readable folder; Errc::stopped when the progress function says so (what was
// committed stays); what the node answers to a write.
[[nodiscard]] Expected<IndexReport> index_folder(Node&, const Bytes& root, const IndexOptions&, const IndexProgressFn&);

}  // namespace starling::apps
