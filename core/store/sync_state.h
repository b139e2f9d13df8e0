// The workspace's own facts: sync_meta and sync_state.
//
// Which workspace and device this file belongs to, this device's incarnation, the format; and whether the initial sync
// was completed. Read once at open, written through.
#pragma once

#include <optional>
#include <vector>

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

  // Another machine lives under this device's identity: nothing is written as it any more (core/replica/membership.h).
  enum class Doubled : std::uint8_t { no = 0, untold = 1, told = 2 };  // untold: the log does not say so yet
  [[nodiscard]] bool is_doubled() const { return facts_.doubled != Doubled::no; }
  [[nodiscard]] Doubled doubled() const { return facts_.doubled; }
  void set_doubled(Doubled);
  // A later life than ours was met since the file was opened, and we began one beyond it; or since `doubled` was last set.
  [[nodiscard]] bool outlived() const { return outlived_; }
  void set_outlived() { outlived_ = true; }

  void create(const std::string& name, const WorkspaceId&, const Origin& self, bool completed, WallTime);
  void set_workspace(const WorkspaceId&);
  void set_self(const Origin&);
  // Whether this file is a copy that backup() made, and that nobody has opened since.
  [[nodiscard]] bool is_backup() const { return facts_.is_backup; }
  void forget_backup();
  // The number of the last opening and the place of the file beside us that says the same (opening_file.h). `next` was drawn
  // and that file may have been written: the opening did not come to its end.
  struct Opening {
    std::optional<std::uint64_t> number, next;
    std::optional<std::string> place;  // nullopt: of a build that kept none
  };
  [[nodiscard]] const Opening& opening() const { return facts_.opening; }
  void begin_opening(std::uint64_t number);
  void end_opening(const std::string& place, Rev written);
  [[nodiscard]] std::uint64_t last_opening() const { return facts_.opening.number.value_or(0); }
  // Up to which revision we wrote in that opening of the database, in this life; the last one goes on. nullopt: there was none,
  // as far as we know. Forgotten once there were kOpenings since.
  static constexpr std::size_t kOpenings = 64;
  [[nodiscard]] std::optional<Rev> written_in(std::uint64_t opening, Rev now) const;
  [[nodiscard]] bool knows_all_openings() const { return facts_.openings.size() < kOpenings; }
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
    Doubled doubled = Doubled::no;
    Opening opening;
    std::vector<std::pair<std::uint64_t, Rev>> openings;  // of this life, and our revision when each began
  };
  void put_openings();
  void put_meta(std::string_view name, const ValueView&);

  Facts facts_;
  bool outlived_ = false;
  Statement put_meta_, drop_meta_, get_meta_, put_state_, get_state_;
};

}  // namespace starling
