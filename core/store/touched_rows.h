// The rows that a transaction has touched: their keys and images in one arena, found again by key.
//
// Rows are numbered in the order of first touch, and only in that order are they ever walked. The index is a flat hash
// table with open addressing that holds row numbers; it is asked for one key at a time, so its order shows nowhere.
// Everything is forgotten at once; memory of an ordinary transaction is kept for the next.
#pragma once

#include <vector>

#include "core/base/schema.h"

namespace starling {

struct Extent {  // of the arena
  std::size_t at = 0;
  std::size_t size = 0;
};

struct Image {
  bool present = false;  // the row exists
  bool fits = true;      // no value is beyond the limit
  Extent bytes;
};

struct TouchedRow {
  ModelIndex model = 0;
  std::uint32_t hash = 0;
  Extent key;
  Image before;             // when the transaction began
  Image after;              // as far as the hook told
  bool read_again = false;  // `after` is not known: the table is asked
};

class TouchedRows {
 public:
  TouchedRows() { clear(); }

  // The number of the row, and whether this is its first touch.
  struct Found {
    std::size_t row;
    bool first;
  };
  [[nodiscard]] Found touch(ModelIndex, BytesView key);

  [[nodiscard]] std::size_t size() const { return rows_.size(); }
  [[nodiscard]] TouchedRow& operator[](std::size_t row) { return rows_[row]; }
  [[nodiscard]] BytesView bytes(Extent e) const { return BytesView(arena_).substr(e.at, e.size); }  // until store()
  [[nodiscard]] Extent store(BytesView);
  void overwrite(Extent place, BytesView image);  // not longer than what stands there

  void clear();

 private:
  void grow_index();

  std::vector<TouchedRow> rows_;
  std::vector<std::uint32_t> index_;  // row number + 1; 0: empty. A power of two, at most half full
  Bytes arena_;
};

}  // namespace starling
