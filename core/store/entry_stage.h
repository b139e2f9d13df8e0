// The stage: entries that come in parts, on disk until they are whole and applied.
//
// One entry for each log: the next. Parts are written in the transaction of the step that took them, so whoever dies goes
// on from there, whoever then is the source: (origin, seq) names one byte string for ever. How much may stand here, and
// what makes room, is the caller's business (core/replica/part_taker.h). Nothing here decodes an entry.
#pragma once

#include <optional>
#include <vector>

#include "core/base/ids.h"
#include "core/store/statement.h"

namespace starling {

struct StagedEntry {
  Origin origin;
  Seq seq;
  std::size_t total = 0;  // bytes of the entry
  std::size_t bytes = 0;  // of these, from the first on, are here
  [[nodiscard]] bool whole() const { return bytes == total; }
};

class EntryStage {
 public:
  explicit EntryStage(sqlite3*);

  [[nodiscard]] std::vector<StagedEntry> all();
  [[nodiscard]] std::optional<StagedEntry> find(const Origin&);
  // `entry` as it stands here, and the bytes that follow. ASSERTs that another entry of that log is not here.
  void append(const StagedEntry& entry, BytesView bytes);
  [[nodiscard]] Bytes assemble(const StagedEntry&);
  void drop(const Origin&);

 private:
  Statement all_, insert_, select_, delete_;
};

}  // namespace starling
