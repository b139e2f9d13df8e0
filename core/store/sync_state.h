// The workspace's own facts: sync_meta and sync_state.
//
// Which workspace and device this file belongs to, this device's incarnation, the format; and whether the initial sync
// was completed. Read once at open, written through.
#pragma once

#include "core/base/ids.h"
#include "core/store/statement.h"

namespace starling {

class SyncState {
 public:
  explicit SyncState(sqlite3*);

  // Empty or zero where the file is new.
  [[nodiscard]] const std::string& workspace_name() const { return facts_.workspace_name; }
  [[nodiscard]] const WorkspaceId& workspace() const { return facts_.workspace; }
  [[nodiscard]] const Origin& self() const { return facts_.self; }
  [[nodiscard]] std::int64_t format() const { return facts_.format; }  // of the engine's tables (tables.h)
  [[nodiscard]] bool initial_sync_completed() const { return facts_.completed; }
  // Our log is told to nobody yet: until we have caught up with a member, what we write may be older than what was
  // forgotten, and is stamped anew then (core/replica/rebase.h).
  [[nodiscard]] bool provisional() const { return facts_.provisional; }
  void set_provisional(bool);

  void create(const std::string& name, const WorkspaceId&, const Origin& self, bool completed, WallTime);
  void set_workspace(const WorkspaceId&);
  void set_self(const Origin&);
  // Whether this file is a copy that backup() made, and that nobody has opened since.
  [[nodiscard]] bool is_backup() const { return facts_.is_backup; }
  void forget_backup();
  void note_opening(std::uint64_t nonce);  // once while opening, with a number that never comes twice
  void set_initial_sync_completed(WallTime);
  void reload();  // after a rollback: all of it, or as it was

 private:
  struct Facts {
    std::string workspace_name;
    WorkspaceId workspace;
    Origin self;
    std::int64_t format = 0;
    bool completed = false;
    bool is_backup = false;
    bool provisional = false;
  };
  void put_meta(std::string_view name, const ValueView&);

  Facts facts_;
  Statement put_meta_, drop_meta_, get_meta_, put_state_, get_state_;
};

}  // namespace starling
