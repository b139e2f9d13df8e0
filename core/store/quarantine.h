// Quarantine: device-owned rows that cannot be shown here, kept with the reason.
//
// A key that two devices inserted belongs to the lesser device id everywhere but at home, where a device's own row stands;
// a row that is deleted stands like any other. The other row waits here, as its owner's page had it. The stream goes on
// behind it. So does a row of a model that is not registered here, or that this device's declaration or SQLite refuses:
// until the owner's next revision of it, which takes its place, or a release (core/replica/quarantine_release.h). Visible in
// status and with SQL in sync_quarantine. Changes of shared rows stand in held_changes.h.
#pragma once

#include <optional>

#include "core/base/schema.h"
#include "core/store/statement.h"

namespace starling {

inline constexpr char kKeyCollision[] = "key collision with device ";  // and its id: released when that one's row is gone and forgotten

struct QuarantinedRow {
  Ordinal origin = 0;
  Rev rev;
  bool deleted = false;
  Bytes key;
  Bytes row;
  std::string why;
};

class Quarantine {
 public:
  explicit Quarantine(sqlite3*);
  void put(std::string_view model, BytesView key, Ordinal origin, Rev, std::string_view why, bool deleted, BytesView row);
  void drop(std::string_view model, BytesView key, Ordinal origin);
  Rev drop_dead(Ordinal origin, Rev through);  // deleted rows, which nobody needs to hear of any more; gives the last
  void explain(Ordinal origin, Rev, std::string_view why);
  [[nodiscard]] std::uint64_t count();
  void reload() { counted_.reset(); }  // after a rollback
  [[nodiscard]] bool maybe() const { return maybe_; }  // false: there is nothing
  // Of a model, those that a release may help, behind a key and origin (nullopt: the first).
  [[nodiscard]] std::optional<QuarantinedRow> next(std::string_view model, const std::optional<QuarantinedRow>& after);

 private:
  sqlite3* db_;
  [[nodiscard]] bool holds(std::string_view model, BytesView key, Ordinal origin);

  Statement put_, drop_, count_, there_, first_, next_;
  std::optional<std::uint64_t> counted_;
  bool maybe_ = false;  // something stands here, or did when the file was opened
};

}  // namespace starling
