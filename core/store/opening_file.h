// The number beside the database: how a device finds out that its file is not the one it closed.
//
// Each opening of a database draws a number that never comes twice, and keeps it in the file (sync_meta) and in a small file
// beside it. A database that was put back from a copy, or copied to another machine without what stands beside it, has
// another number than the file there. Where the whole folder was put back or copied, both say the same; then the place tells:
// what the file system says of the small file (inode, time of its last change), which no copying program can bring along.
// An image of a whole disk that is put back shows nothing: then peers tell (core/replica/hello.h).
// Same rules as the connection; a failing machine throws SQLite::Exception.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

struct sqlite3;

namespace starling {

class OpeningFile {
 public:
  explicit OpeningFile(sqlite3*);  // of its main database; one in memory has nothing beside it

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::optional<std::uint64_t> read() const;  // nullopt: it is not there, or something else
  void write(std::uint64_t) const;                          // durable when it returns
  void remove() const;

 private:
  sqlite3* db_;
  std::string name_;
};

// What tells a file from any copy of it: inode and time of last change. Empty: there is none, or the file system says nothing.
[[nodiscard]] std::string place_of_file(const std::string& file);

}  // namespace starling
