// A story: a short history that breaks a simpler rule of merging, forgetting or returning, told exactly.
//
// It ends with what every device must show, also one that joins only then, and with the oracle. It names no means: whether
// logs are pruned, tombstones dropped, rows taken from a snapshot or from the log, the rows in the end are the same. It is
// told with several seeds, so that messages take other times and fall into other batches.
#pragma once

#include <functional>

#include "tests/sim/phrases.h"

namespace starling::sim {

// Gives what every device that is alive must show in the end: as shown_by() says it.
using Story = std::function<std::string(Cluster&)>;

inline constexpr std::uint64_t kTellings = 8;

// `tag`: the one in brackets in the name of the test case.
void tell(std::string_view tag, const Story&, std::uint64_t times = kTellings);

// The notes and files of a device, as "note a=title, file f=path"; of those called bulk… only how many there are.
[[nodiscard]] std::string shown_by(const SimNode&);

// ---- What people do

inline LocalCommit insert_note(SimNode& node, std::string_view id, std::string_view title) {
  return node.write("INSERT INTO note(id, title) VALUES (?, ?)", id, title);
}
inline LocalCommit update_note(SimNode& node, std::string_view id, std::string_view title) {
  return node.write("UPDATE note SET title=?2 WHERE id=?1", id, title);
}
inline LocalCommit delete_note(SimNode& node, std::string_view id) { return node.write("DELETE FROM note WHERE id=?", id); }

inline void put_file(SimNode& node, std::string_view id, std::string_view path) {
  node.write("INSERT OR REPLACE INTO file(id, path) VALUES (?, ?)", Blob{Bytes(id)}, path);
}
inline void delete_file(SimNode& node, std::string_view id) { node.write("DELETE FROM file WHERE id=?", Blob{Bytes(id)}); }

// Rows that do not compress, more than is sent before the first of them were taken.
inline constexpr int kBulk = 30;
void write_bulk_notes(SimNode&);
void write_bulk_files(SimNode&);

// ---- What befalls devices

// The disk as it is now. The device dies for it, and starts again.
[[nodiscard]] Disk::Image image_of(SimNode&);

// An older disk takes the place of the device's own.
enum class Copy {
  by_hand,    // of the whole folder: nothing in it tells, but the files are others
  by_image,   // of the whole machine: nothing tells
  by_backup,  // Node::backup: it is marked as what it is
};
void put_back(SimNode&, const Disk::Image&, Copy);
void tell_of_each_copy(std::string_view tag, const std::function<std::string(Cluster&, Copy)>&);

// Every device that is alive meets every other; all is said.
void everybody_meets(Cluster&);
void everybody_parts(Cluster&);
// Connects them until the first of the bulk rows were taken, and the last are still to be sent.
void begin_transfer(Cluster&, SimNode& from, SimNode& to);

// Devices that know of each other, and are apart. The first one is the workspace's.
struct Three {
  SimNode& a;
  SimNode& b;
  SimNode& c;
  explicit Three(Cluster&);
};

}  // namespace starling::sim
