// The peer log: every entry that we hold, ours and others', as the bytes that its author wrote.
//
// Appended in order, gap-free for each origin above its horizon, in the transaction that applies the entry; read in
// ranges bounded by bytes. Relayed as it is: nothing here decodes an entry. Dropped from the front alone.
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
  // Drops entries up to `through`, at most so many from the first on; gives how many.
  std::size_t drop(Ordinal, Seq through, std::size_t most);
  void reassign(Ordinal from, Ordinal to);  // all of it
  [[nodiscard]] std::size_t bytes();  // of all entries: counted once, then kept up
  void reload() { bytes_.reset(); }   // after a rollback

 private:
  Statement insert_, select_, find_, first_, sum_, drop_;
  std::optional<std::size_t> bytes_;
};

}  // namespace starling
