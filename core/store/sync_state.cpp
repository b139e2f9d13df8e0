#include "core/store/sync_state.h"

#include "core/store/tables.h"

namespace starling {

SyncState::SyncState(sqlite3* db)
    : put_meta_(db, "INSERT INTO sync_meta(name, value) VALUES(?1,?2) ON CONFLICT(name) DO UPDATE SET value=?2"),
      drop_meta_(db, "DELETE FROM sync_meta WHERE name=?"),
      get_meta_(db, "SELECT name, value FROM sync_meta"),
      put_state_(db,
                 "INSERT INTO sync_state(name, last_sync, initial_sync_completed, created_at, updated_at)"
                 " VALUES(?1,?2,?3,?2,?2) ON CONFLICT(name) DO UPDATE SET last_sync=?2, initial_sync_completed=?3,"
                 " updated_at=?2"),
      get_state_(db, "SELECT initial_sync_completed FROM sync_state WHERE name=?") {
  reload();
}

void SyncState::reload() {
  Facts fresh{.format = kFormatVersion};
  const ResetGuard guard(get_meta_);
  while (get_meta_.step()) {
    const BytesView name = get_meta_.column_bytes(0);
    const BytesView value = get_meta_.column_bytes(1);
    if (name == "workspace_name") fresh.workspace_name = Bytes(value);
    if (name == "workspace" && value.size() == 16) fresh.workspace = WorkspaceId::from(value);
    if (name == kBackupMark) fresh.is_backup = true;
    if (name == "provisional") fresh.provisional = get_meta_.column_integer(1) != 0;
    if (name == "format") fresh.format = get_meta_.column_integer(1);
    if (name == "self") {
      ByteReader r(value);
      fresh.self = read_origin(r);
    }
  }
  const ResetGuard state_guard(get_state_);
  fresh.completed = get_state_.text(fresh.workspace_name).step() && get_state_.column_integer(0) != 0;
  facts_ = std::move(fresh);
}

void SyncState::put_meta(std::string_view name, const ValueView& value) { put_meta_.text(name).value(value).run(); }

void SyncState::create(const std::string& name, const WorkspaceId& id, const Origin& self, bool completed,
                       WallTime now) {
  facts_.workspace_name = name;
  facts_.completed = completed;
  put_meta("format", ValueView::of(std::int64_t{kFormatVersion}));
  put_meta("workspace_name", ValueView::text(name));
  set_self(self);
  set_workspace(id);
  set_provisional(!completed);
  put_state_.text(name).integer(now.ms).integer(completed ? 1 : 0).run();
}

void SyncState::set_provisional(bool on) {
  facts_.provisional = on;
  put_meta("provisional", ValueView::of(std::int64_t{on ? 1 : 0}));
}

void SyncState::note_opening(std::uint64_t nonce) {
  put_meta("opening", ValueView::of(static_cast<std::int64_t>(nonce)));
}

void SyncState::forget_backup() {
  facts_.is_backup = false;
  drop_meta_.text(kBackupMark).run();
}

void SyncState::set_self(const Origin& self) {
  facts_.self = self;
  ByteWriter origin;
  write_origin(origin, self);
  put_meta("self", ValueView::blob(origin.bytes()));
}

void SyncState::set_workspace(const WorkspaceId& id) {
  facts_.workspace = id;
  put_meta("workspace", ValueView::blob(id.view()));
}

void SyncState::set_initial_sync_completed(WallTime now) {
  facts_.completed = true;
  put_state_.text(facts_.workspace_name).integer(now.ms).integer(1).run();
}

}  // namespace starling
