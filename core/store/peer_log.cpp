#include "core/store/peer_log.h"

#include <algorithm>

#include "core/base/limits.h"

namespace starling {

PeerLog::PeerLog(sqlite3* db)
    : insert_(db, "INSERT INTO sync_log(origin, seq, offset, entry) VALUES(?,?,?,?)"),
      select_(db, "SELECT offset, entry FROM sync_log WHERE origin=? AND seq>? ORDER BY seq, offset"),
      find_(db, "SELECT entry FROM sync_log WHERE origin=? AND seq=? ORDER BY offset"),
      size_(db, "SELECT offset + length(entry) FROM sync_log WHERE origin=? AND seq=? ORDER BY offset DESC LIMIT 1"),
      part_(db, "SELECT offset, entry FROM sync_log WHERE origin=? AND seq=? AND offset<=? ORDER BY offset DESC LIMIT 1"),
      first_(db,
             "SELECT max(seq), total(bytes), count(*) FROM (SELECT seq, sum(length(entry)) AS bytes FROM sync_log"
             " WHERE origin=?1 AND seq<=?2 GROUP BY seq ORDER BY seq LIMIT ?3)"),
      sum_(db, "SELECT total(length(entry)) FROM sync_log"),
      drop_(db, "DELETE FROM sync_log WHERE origin=?1 AND seq<=?2") {}

void PeerLog::append(Ordinal origin, Seq seq, BytesView entry) {
  std::size_t at = 0;
  do {
    const BytesView part = entry.substr(at, limits::kPartMax);
    insert_.integer(origin).integer(static_cast<std::int64_t>(seq.value)).integer(static_cast<std::int64_t>(at)).blob(part).run();
    at += part.size();
  } while (at < entry.size());
  if (bytes_) *bytes_ += entry.size();
}

std::vector<Bytes> PeerLog::read(Ordinal origin, Seq from, std::size_t bytes_max) {
  std::vector<Bytes> entries;
  std::size_t bytes = 0;
  const ResetGuard guard(select_);
  select_.integer(origin).integer(static_cast<std::int64_t>(from.value));
  while (select_.step()) {
    if (select_.column_integer(0) != 0) {  // the one before was only the first part of its entry
      entries.pop_back();
      break;
    }
    if (bytes >= bytes_max) break;
    const BytesView entry = select_.column_bytes(1);
    if (!entries.empty() && bytes + entry.size() > bytes_max) break;
    entries.emplace_back(entry);
    bytes += entry.size();
  }
  return entries;
}

std::optional<Bytes> PeerLog::find(Ordinal origin, Seq seq) {
  const std::size_t size = this->size(origin, seq);
  if (size == 0) return std::nullopt;
  Bytes entry;
  entry.reserve(size);
  const ResetGuard guard(find_);
  find_.integer(origin).integer(static_cast<std::int64_t>(seq.value));
  while (find_.step()) entry += find_.column_bytes(0);
  return entry;
}

std::optional<EntryHeader> PeerLog::header(Ordinal origin, Seq seq) {
  Expected<EntryHeader> header = decode_entry_header(part(origin, seq, 0));
  if (!header) header = decode_entry_header(find(origin, seq).value_or(Bytes()));  // so many dependencies, or none is here
  return header ? std::optional(std::move(*header)) : std::nullopt;
}

std::size_t PeerLog::size(Ordinal origin, Seq seq) {
  const ResetGuard guard(size_);
  size_.integer(origin).integer(static_cast<std::int64_t>(seq.value));
  return size_.step() ? static_cast<std::size_t>(size_.column_integer(0)) : 0;
}

Bytes PeerLog::part(Ordinal origin, Seq seq, std::size_t offset) {
  const ResetGuard guard(part_);
  part_.integer(origin).integer(static_cast<std::int64_t>(seq.value)).integer(static_cast<std::int64_t>(offset));
  if (!part_.step()) return {};
  const BytesView part = part_.column_bytes(1);
  const std::size_t skip = offset - static_cast<std::size_t>(part_.column_integer(0));
  return Bytes(part.substr(std::min(skip, part.size())));
}

std::size_t PeerLog::drop(Ordinal origin, Seq through, std::size_t most) {
  std::int64_t last = 0;
  std::size_t size = 0;
  std::size_t entries = 0;
  {
    const ResetGuard guard(first_);
    first_.integer(origin).integer(static_cast<std::int64_t>(through.value)).integer(static_cast<std::int64_t>(most));
    if (!first_.step() || first_.column_is_null(0)) return 0;
    last = first_.column_integer(0);
    size = static_cast<std::size_t>(first_.column_integer(1));
    entries = static_cast<std::size_t>(first_.column_integer(2));
  }
  drop_.integer(origin).integer(last).run();
  if (bytes_) *bytes_ -= std::min(*bytes_, size);
  return entries;
}

void PeerLog::remove(Ordinal origin, Seq seq) {
  if (bytes_) *bytes_ -= std::min(*bytes_, size(origin, seq));
  Statement(sqlite3_db_handle(drop_.handle()), "DELETE FROM sync_log WHERE origin=? AND seq=?")
      .integer(origin).integer(static_cast<std::int64_t>(seq.value)).run();
}

void PeerLog::move(Ordinal from, Seq behind, Ordinal to) {
  Statement(sqlite3_db_handle(drop_.handle()), "UPDATE sync_log SET origin=?3, seq=seq-?2 WHERE origin=?1 AND seq>?2")
      .integer(from).integer(static_cast<std::int64_t>(behind.value)).integer(to).run();
}

std::size_t PeerLog::bytes() {
  if (!bytes_) {
    const ResetGuard guard(sum_);
    bytes_ = sum_.step() ? static_cast<std::size_t>(sum_.column_integer(0)) : 0;
  }
  return *bytes_;
}

}  // namespace starling
