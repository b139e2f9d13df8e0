// The spool: all shared rows as of one vector, written page by page into a file of its own.
//
// It reads through a connection of its own, in one read transaction that begins when the spool is made: everything
// committed then, and nothing later. Writing the pages out first keeps that transaction short, however slow the joiners
// are that they are sent to, for the WAL cannot be reset while it lasts. A page ends where the hash of a key says so,
// once it has some size: two spools that differ in some rows differ in the pages of those rows, and in no other.
// The file is worth nothing after a crash, so it is never synced; it goes with the spool. A failing disk throws
// SQLite::Exception, and the spool is of no use any more.
#pragma once

#include <memory>
#include <optional>

#include "core/store/origin_table.h"
#include "core/store/row_store.h"
#include "proto/snapshot_page.h"

namespace SQLite {
class Database;
}

namespace starling {

class SnapshotSpool {
 public:
  struct Source {
    std::string file;  // of the database
    std::string vfs;
    std::shared_ptr<const Schema> schema;
  };
  // In no transaction: what is committed is what `head` says.
  SnapshotSpool(const Source&, OriginTable&, DigestTable&, const SnapshotHead& head);
  ~SnapshotSpool();
  SnapshotSpool(const SnapshotSpool&) = delete;
  SnapshotSpool& operator=(const SnapshotSpool&) = delete;

  void write_more(std::size_t bytes);  // pages of about so much
  [[nodiscard]] bool complete() const { return rows_ == nullptr; }
  [[nodiscard]] std::uint64_t pages() const { return pages_; }
  [[nodiscard]] const Hash128& id() const { return id_; }  // of page 0
  [[nodiscard]] const VersionVector& vector() const { return vector_; }

  [[nodiscard]] Hash128 hash(std::uint64_t page);
  [[nodiscard]] Bytes body(std::uint64_t page);

 private:
  void open(const Source&);
  void append(const Bytes& page);
  std::size_t write_page();
  void next_model();

  const std::shared_ptr<const Schema> schema_;
  OriginTable& origins_;
  DigestTable& digests_;  // as RowStore wants it; nothing is written
  const VersionVector vector_;
  Hash128 id_;
  std::uint64_t pages_ = 0;
  std::unique_ptr<SQLite::Database> pinned_, file_;
  std::unique_ptr<RowStore> rows_;  // over the pinned connection; none once all is written
  Statement append_, read_body_, read_hash_;
  ModelIndex model_ = 0;
  Bytes after_;
};

}  // namespace starling
