#include "apps/common/entry_batch.h"

#include "apps/common/byte_text.h"

namespace starling::apps {

Expected<CommitInfo> EntryBatch::commit(Node& node) {
  Expected<CommitInfo> info = node.commit_device_owned([this](Transaction& t) { return write(t); });
  changes_.clear();
  new_location_.clear();
  return info;
}

Expected<void> EntryBatch::write(Transaction& t) const {
  for (const LocationRow& row : new_location_) {
    const auto done = t.exec("INSERT INTO location(id, device, path, created_ms) VALUES(?, ?, ?, ?)",
                             ValueView::blob(row.id), ValueView::blob(row.device), name_value(row.path), row.created_ms);
    if (!done) return done.error();
  }
  for (const One& one : changes_) {
    if (const auto done = write_one(t, one); !done) return done.error();
  }
  return {};
}

Expected<std::int64_t> EntryBatch::write_one(Transaction& t, const One& one) const {
  const ValueView id = ValueView::blob(one.row.id);
  if (one.op == Op::erase) return t.exec("DELETE FROM entry WHERE id = ?", id);
  const FoundEntry& entry = one.row.entry;
  const auto size = static_cast<std::int64_t>(entry.size);
  const std::int64_t mode = entry.mode;
  if (one.op == Op::update) {
    return t.exec("UPDATE entry SET kind = ?, size = ?, modified_ms = ?, mode = ? WHERE id = ?", to_string(entry.kind),
                  size, entry.modified_ms, mode, id);
  }
  return t.exec(
      "INSERT INTO entry(id, location, parent, name, kind, size, modified_ms, mode) VALUES(?, ?, ?, ?, ?, ?, ?, ?)", id,
      ValueView::blob(location_), one.row.parent.empty() ? ValueView::null() : ValueView::blob(one.row.parent),
      name_value(entry.name), to_string(entry.kind), size, entry.modified_ms, mode);
}

}  // namespace starling::apps
