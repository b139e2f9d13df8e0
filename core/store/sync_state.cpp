#include "core/store/sync_state.h"

#include <algorithm>

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
    if (name == "doubled") fresh.doubled = static_cast<Doubled>(get_meta_.column_integer(1));
    const auto number = [this] { return static_cast<std::uint64_t>(get_meta_.column_integer(1)); };
    if (name == "opening") fresh.opening.number = number();
    if (name == "next_opening") fresh.opening.next = number();
    if (name == "openings") {
      for (ByteReader r(value); !r.rest().empty() && !r.failed();) {
        const std::uint64_t opening = r.be64();
        fresh.openings.emplace_back(opening, Rev{r.varint()});
      }
    }
    if (name == "place") fresh.opening.place = Bytes(value);
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

void SyncState::set_doubled(Doubled doubled) {
  facts_.doubled = doubled;
  outlived_ = false;
  put_meta("doubled", ValueView::of(static_cast<std::int64_t>(doubled)));
}

void SyncState::begin_opening(std::uint64_t number) {
  facts_.opening.next = number;
  put_meta("next_opening", ValueView::of(static_cast<std::int64_t>(number)));
}

void SyncState::put_openings() {
  if (facts_.openings.size() > kOpenings) facts_.openings.erase(facts_.openings.begin());
  ByteWriter w;
  for (const auto& [opening, rev] : facts_.openings) {
    w.be64(opening);
    w.varint(rev.value);
  }
  put_meta("openings", ValueView::blob(w.bytes()));
}

std::optional<Rev> SyncState::written_in(std::uint64_t opening, Rev now) const {
  const auto& all = facts_.openings;
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.first == opening; });
  if (found == all.end()) return std::nullopt;
  return std::next(found) == all.end() ? now : std::next(found)->second;
}

void SyncState::end_opening(const std::string& place, Rev written) {
  facts_.opening = {facts_.opening.next, std::nullopt, place};
  put_meta("opening", ValueView::of(static_cast<std::int64_t>(facts_.opening.number.value_or(0))));
  put_meta("place", ValueView::text(place));
  drop_meta_.text("next_opening").run();
  facts_.openings.emplace_back(last_opening(), facts_.openings.empty() ? Rev{} : written);
  put_openings();
}

void SyncState::forget_backup() {
  facts_.is_backup = false;
  drop_meta_.text(kBackupMark).run();
}

void SyncState::set_self(const Origin& self) {
  facts_.self = self;
  facts_.openings.clear();  // they are of one life
  if (last_opening() != 0 && !facts_.opening.next) facts_.openings.emplace_back(last_opening(), Rev{});
  put_openings();
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
