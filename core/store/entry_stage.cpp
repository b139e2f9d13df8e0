#include "core/store/entry_stage.h"

namespace starling {
namespace {

Bytes name_of(const Origin& origin) {
  ByteWriter name;
  write_origin(name, origin);
  return name.take();
}

}  // namespace

EntryStage::EntryStage(sqlite3* db)
    : all_(db, "SELECT origin, seq, total, max(offset) + length(bytes) FROM sync_stage GROUP BY origin, seq"),
      insert_(db, "INSERT INTO sync_stage(origin, seq, offset, total, bytes) VALUES(?,?,?,?,?)"),
      select_(db, "SELECT bytes FROM sync_stage WHERE origin=? AND seq=? ORDER BY offset"),
      delete_(db, "DELETE FROM sync_stage WHERE origin=?") {}

std::vector<StagedEntry> EntryStage::all() {
  std::vector<StagedEntry> entries;
  const ResetGuard guard(all_);
  while (all_.step()) {
    ByteReader name(all_.column_bytes(0));
    StagedEntry& entry = entries.emplace_back();
    entry.origin = read_origin(name);
    entry.seq = Seq{static_cast<std::uint64_t>(all_.column_integer(1))};
    entry.total = static_cast<std::size_t>(all_.column_integer(2));
    entry.bytes = static_cast<std::size_t>(all_.column_integer(3));
  }
  return entries;
}

std::optional<StagedEntry> EntryStage::find(const Origin& origin) {
  for (StagedEntry& entry : all())
    if (entry.origin == origin) return std::move(entry);
  return std::nullopt;
}

void EntryStage::append(const StagedEntry& entry, BytesView bytes) {
  const std::optional<StagedEntry> here = find(entry.origin);
  ASSERT(here ? here->seq == entry.seq && here->total == entry.total && here->bytes == entry.bytes : entry.bytes == 0);
  ASSERT(!bytes.empty() && bytes.size() <= entry.total - entry.bytes);
  const Bytes name = name_of(entry.origin);
  insert_.blob(name).integer(static_cast<std::int64_t>(entry.seq.value)).integer(static_cast<std::int64_t>(entry.bytes));
  insert_.integer(static_cast<std::int64_t>(entry.total)).blob(bytes).run();
}

Bytes EntryStage::assemble(const StagedEntry& entry) {
  Bytes bytes;
  bytes.reserve(entry.bytes);
  const Bytes name = name_of(entry.origin);
  const ResetGuard guard(select_);
  select_.blob(name).integer(static_cast<std::int64_t>(entry.seq.value));
  while (select_.step()) bytes += select_.column_bytes(0);
  return bytes;
}

void EntryStage::drop(const Origin& origin) {
  const Bytes name = name_of(origin);
  delete_.blob(name).run();
}

}  // namespace starling
