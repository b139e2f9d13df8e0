#include "core/store/snapshot_stage.h"

#include "core/base/assert.h"
#include "core/base/limits.h"

namespace starling {

SnapshotStage::SnapshotStage(sqlite3* db)
    : put_page_(db, "INSERT OR IGNORE INTO sync_snapshot_page(hash, body) VALUES(?,?)"),
      has_page_(db, "SELECT 1 FROM sync_snapshot_page WHERE hash=?"),
      list_(db, "INSERT INTO sync_snapshot(page, hash) VALUES(?,?)"),
      read_(db, "SELECT p.body FROM sync_snapshot s JOIN sync_snapshot_page p ON p.hash=s.hash WHERE s.page=?"),
      kept_(db, "SELECT hash FROM sync_snapshot_page LIMIT ?"),
      count_(db, "SELECT count(*) FROM sync_snapshot"),
      cursor_(db, "SELECT page, key FROM sync_checkpoint WHERE name='snapshot'"),
      put_cursor_(db, "INSERT OR REPLACE INTO sync_checkpoint(name, page, key) VALUES('snapshot', ?, ?)"),
      drop_cursor_(db, "DELETE FROM sync_checkpoint WHERE name='snapshot'"),
      drop_list_(db, "DELETE FROM sync_snapshot"),
      drop_pages_(db, "DELETE FROM sync_snapshot_page"),
      drop_others_(db, "DELETE FROM sync_snapshot_page WHERE hash NOT IN (SELECT hash FROM sync_snapshot)") {
  reload();
}

void SnapshotStage::reload() {
  const ResetGuard cursor_guard(cursor_);
  merging_.reset();
  if (cursor_.step()) merging_ = Cursor{static_cast<std::uint64_t>(cursor_.column_integer(0)), Bytes(cursor_.column_bytes(1))};
  const ResetGuard count_guard(count_);
  listed_ = count_.step() ? static_cast<std::uint64_t>(count_.column_integer(0)) : 0;
}

void SnapshotStage::begin() {
  ASSERT(!merging_);
  if (kept().size() >= limits::kSnapshotPagesMax) drop_pages_.run();  // of too many attempts
  drop_list_.run();
  listed_ = 0;
}

bool SnapshotStage::has(const Hash128& hash) {
  const ResetGuard guard(has_page_);
  return has_page_.blob(hash.view()).step();
}

bool SnapshotStage::put(const Hash128& hash, BytesView body) {
  ASSERT(!merging_);
  if (body.empty()) {
    if (!has(hash)) return false;
  } else {
    put_page_.blob(hash.view()).blob(body).run();
  }
  list_.integer(static_cast<std::int64_t>(listed_++)).blob(hash.view()).run();
  return true;
}

void SnapshotStage::complete() {
  drop_others_.run();
  advance({1, {}});
}

void SnapshotStage::advance(Cursor to) {
  put_cursor_.integer(static_cast<std::int64_t>(to.page)).blob(to.key).run();
  merging_ = std::move(to);
}

void SnapshotStage::clear() {
  drop_cursor_.run();
  drop_list_.run();
  drop_pages_.run();
  merging_.reset();
  listed_ = 0;
}

std::vector<Hash128> SnapshotStage::kept() {
  std::vector<Hash128> hashes;
  const ResetGuard guard(kept_);
  kept_.integer(static_cast<std::int64_t>(limits::kSnapshotPagesMax));
  while (kept_.step()) hashes.push_back(Hash128::from(kept_.column_bytes(0)));
  return hashes;
}

std::optional<Bytes> SnapshotStage::page(std::uint64_t index) {
  const ResetGuard guard(read_);
  read_.integer(static_cast<std::int64_t>(index));
  return read_.step() ? std::optional<Bytes>(read_.column_bytes(0)) : std::nullopt;
}

}  // namespace starling
