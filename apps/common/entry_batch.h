// Changes to entry rows that wait for their transaction.
//
// The indexer collects differences here and commits them together: one transaction, one fsync and one page on the wire
// for a few thousand rows.
#pragma once

#include <vector>

#include "apps/common/folder_walk.h"
#include "net/node.h"

namespace starling::apps {

struct LocationRow {
  Bytes id;
  Bytes device;
  Bytes path;
  std::int64_t created_ms = 0;
};

struct EntryRow {
  Bytes id;
  Bytes parent;  // empty: NULL
  FoundEntry entry;
};

class EntryBatch {
 public:
  explicit EntryBatch(Bytes location) : location_(std::move(location)) {}

  void add_location(LocationRow row) { new_location_.push_back(std::move(row)); }
  void insert(EntryRow row) { changes_.push_back({Op::insert, std::move(row)}); }
  void update(EntryRow row) { changes_.push_back({Op::update, std::move(row)}); }
  void erase(Bytes id) { changes_.push_back({Op::erase, {std::move(id), {}, {}}}); }

  [[nodiscard]] std::size_t rows() const { return changes_.size() + new_location_.size(); }
  [[nodiscard]] Expected<CommitInfo> commit(Node&);  // empty afterwards

 private:
  struct One {
    Op op = Op::insert;
    EntryRow row;
  };
  [[nodiscard]] Expected<void> write(Transaction&) const;
  [[nodiscard]] Expected<std::int64_t> write_one(Transaction&, const One&) const;

  Bytes location_;
  std::vector<LocationRow> new_location_;
  std::vector<One> changes_;
};

}  // namespace starling::apps
