// The stage of a snapshot: pages that have come, on disk, until all are here and are merged.
//
// Pages are kept by hash, so a page that has come once is never asked for again, whoever sends the rest: another source,
// or the same as of another vector. The list of the snapshot under way names them in order. When it is complete, merging
// begins, and goes on from its cursor after a crash. Written in the caller's transaction; after a rollback reload() takes
// back what the database says.
#pragma once

#include <optional>
#include <vector>

#include "core/base/ids.h"
#include "core/store/statement.h"

namespace starling {

class SnapshotStage {
 public:
  struct Cursor {  // merging goes on in this page, behind this key
    std::uint64_t page = 0;
    Bytes key;
  };

  explicit SnapshotStage(sqlite3*);

  void begin();  // another list; pages stay
  // The list's next page. An empty body: we have it. False: we do not, and nothing is written.
  [[nodiscard]] bool put(const Hash128&, BytesView body);
  [[nodiscard]] std::uint64_t listed() const { return listed_; }
  void complete();  // drops pages that are not in the list; merging begins
  void clear();

  [[nodiscard]] bool has(const Hash128&);
  [[nodiscard]] std::vector<Hash128> kept();
  [[nodiscard]] std::optional<Bytes> page(std::uint64_t index);
  [[nodiscard]] const std::optional<Cursor>& merging() const { return merging_; }
  void advance(Cursor);
  void reload();

 private:
  std::optional<Cursor> merging_;
  std::uint64_t listed_ = 0;
  Statement put_page_, has_page_, list_, read_, kept_, count_, cursor_, put_cursor_, drop_cursor_, drop_list_, drop_pages_, drop_others_;
};

}  // namespace starling
