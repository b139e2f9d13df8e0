// The peer log: every entry that we hold, ours and others', as the bytes that its author wrote.
//
// Appended in order, gap-free for each origin, in the transaction that applies the entry; read in ranges bounded by
// bytes. Relayed as it is: nothing here decodes an entry.
#pragma once

#include <optional>
#include <vector>

#include "core/store/statement.h"
#include "core/base/ids.h"

namespace starling {

class PeerLog {
 public:
  explicit PeerLog(sqlite3*);

  void append(Ordinal, Seq, BytesView entry);
  // Entries after `from`, in order, until they exceed `bytes_max` (at least one, if there is one).
  [[nodiscard]] std::vector<Bytes> read(Ordinal, Seq from, std::size_t bytes_max);
  [[nodiscard]] std::optional<Bytes> find(Ordinal, Seq);

 private:
  Statement insert_, select_, find_;
};

}  // namespace starling
