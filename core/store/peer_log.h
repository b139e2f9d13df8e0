// The peer log: every entry that we hold, ours and others', as the bytes that its author wrote.
//
// Appended in order, gap-free for each origin above its horizon, in the transaction that applies the entry; read in
// ranges bounded by bytes. Relayed as it is: of an entry no more than its head is decoded here. Dropped from the front
// alone. An entry beyond limits::kPartMax is kept in parts, so that a piece of it is read without the rest.
#pragma once

#include <optional>
#include <vector>

#include "core/base/ids.h"
#include "core/store/statement.h"
#include "proto/entry.h"

namespace starling {

class PeerLog {
 public:
  explicit PeerLog(sqlite3*);

  void append(Ordinal, Seq, BytesView entry);
  // Entries after `from`, in order, until they exceed `bytes_max` (at least one, if there is one), or one is in parts.
  [[nodiscard]] std::vector<Bytes> read(Ordinal, Seq from, std::size_t bytes_max);
  [[nodiscard]] std::optional<Bytes> find(Ordinal, Seq);       // put together
  [[nodiscard]] std::optional<EntryHeader> header(Ordinal, Seq);  // of one in parts, the rest stays unread; nullopt: it is not here
  [[nodiscard]] std::size_t size(Ordinal, Seq);                // of the entry; 0: it is not here
  // Its bytes from `offset` to the end of the part that holds that place; empty: there are none.
  [[nodiscard]] Bytes part(Ordinal, Seq, std::size_t offset);
  // Drops entries up to `through`, at most so many from the first on; gives how many.
  std::size_t drop(Ordinal, Seq through, std::size_t most);
  void remove(Ordinal, Seq);  // one, wherever it stands
  void move(Ordinal from, Seq behind, Ordinal to);  // what follows: it begins there at 1
  [[nodiscard]] std::size_t bytes();  // of all entries: counted once, then kept up
  void reload() { bytes_.reset(); }   // after a rollback

 private:
  Statement insert_, select_, find_, size_, part_, first_, sum_, drop_;
  std::optional<std::size_t> bytes_;
};

}  // namespace starling
