// Stamps of a run of rows, column by column: their origins as numbers in a table that the writer keeps, their times as
// differences, their counters. What entries and snapshot pages tell of generations.
//
// Rows of one time have generations of one time: in the order of keys the differences are small or none.
#pragma once

#include <vector>

#include "core/base/ids.h"
#include "proto/columns.h"

namespace starling {

// Keeps its memory from run to run. All of a run is added and then written, or read and then asked for.
class StampColumns {
 public:
  // `base`: milliseconds that the first time is told as a difference from.
  void begin(std::int64_t base);
  void add(std::uint64_t origin, Hlc);
  void write(ByteWriter&) const;

  [[nodiscard]] bool read(ByteReader&, std::size_t count, std::int64_t base);  // false: they are malformed
  [[nodiscard]] std::uint64_t origin(std::size_t i) const { return origins_[i]; }  // as it was written: perhaps of none
  [[nodiscard]] Hlc hlc(std::size_t i) const { return Hlc::of(static_cast<std::int64_t>(times_[i]), counters_[i]); }

 private:
  std::vector<std::uint64_t> origins_, times_, counters_;  // times_: to be written, differences; read, milliseconds
  std::int64_t last_ = 0;
};

}  // namespace starling
