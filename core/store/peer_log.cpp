#include "core/store/peer_log.h"

namespace starling {

PeerLog::PeerLog(sqlite3* db)
    : insert_(db, "INSERT INTO sync_log(origin, seq, entry) VALUES(?,?,?)"),
      select_(db, "SELECT entry FROM sync_log WHERE origin=? AND seq>? ORDER BY seq"),
      find_(db, "SELECT entry FROM sync_log WHERE origin=? AND seq=?") {}

void PeerLog::append(Ordinal origin, Seq seq, BytesView entry) {
  insert_.integer(origin).integer(static_cast<std::int64_t>(seq.value)).blob(entry).run();
}

std::vector<Bytes> PeerLog::read(Ordinal origin, Seq from, std::size_t bytes_max) {
  std::vector<Bytes> entries;
  std::size_t bytes = 0;
  const ResetGuard guard(select_);
  select_.integer(origin).integer(static_cast<std::int64_t>(from.value));
  while (bytes < bytes_max && select_.step()) {
    const BytesView entry = select_.column_bytes(0);
    if (!entries.empty() && bytes + entry.size() > bytes_max) break;
    entries.emplace_back(entry);
    bytes += entry.size();
  }
  return entries;
}

std::optional<Bytes> PeerLog::find(Ordinal origin, Seq seq) {
  const ResetGuard guard(find_);
  find_.integer(origin).integer(static_cast<std::int64_t>(seq.value));
  return find_.step() ? std::optional<Bytes>(find_.column_bytes(0)) : std::nullopt;
}

}  // namespace starling
