#include "core/store/peer_log.h"

#include <algorithm>

namespace starling {

PeerLog::PeerLog(sqlite3* db)
    : insert_(db, "INSERT INTO sync_log(origin, seq, entry) VALUES(?,?,?)"),
      select_(db, "SELECT entry FROM sync_log WHERE origin=? AND seq>? ORDER BY seq"),
      find_(db, "SELECT entry FROM sync_log WHERE origin=? AND seq=?"),
      first_(db,
             "SELECT max(seq), total(length(entry)) FROM (SELECT seq, entry FROM sync_log WHERE origin=?1 AND seq<=?2"
             " ORDER BY seq LIMIT ?3)"),
      sum_(db, "SELECT total(length(entry)) FROM sync_log"),
      drop_(db, "DELETE FROM sync_log WHERE origin=?1 AND seq<=?2") {}

void PeerLog::append(Ordinal origin, Seq seq, BytesView entry) {
  insert_.integer(origin).integer(static_cast<std::int64_t>(seq.value)).blob(entry).run();
  if (bytes_) *bytes_ += entry.size();
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

std::size_t PeerLog::drop(Ordinal origin, Seq through, std::size_t most) {
  std::int64_t last = 0;
  std::size_t size = 0;
  {
    const ResetGuard guard(first_);
    first_.integer(origin).integer(static_cast<std::int64_t>(through.value)).integer(static_cast<std::int64_t>(most));
    if (!first_.step() || first_.column_is_null(0)) return 0;
    last = first_.column_integer(0);
    size = static_cast<std::size_t>(first_.column_integer(1));
  }
  drop_.integer(origin).integer(last).run();
  if (bytes_) *bytes_ -= std::min(*bytes_, size);
  return static_cast<std::size_t>(sqlite3_changes64(sqlite3_db_handle(drop_.handle())));
}

void PeerLog::reassign(Ordinal from, Ordinal to) {
  Statement(sqlite3_db_handle(drop_.handle()), "UPDATE sync_log SET origin=?2 WHERE origin=?1").integer(from).integer(to).run();
}

std::size_t PeerLog::bytes() {
  if (!bytes_) {
    const ResetGuard guard(sum_);
    bytes_ = sum_.step() ? static_cast<std::size_t>(sum_.column_integer(0)) : 0;
  }
  return *bytes_;
}

}  // namespace starling
