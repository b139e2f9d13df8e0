// Quarantine: device-owned rows that cannot be shown here, kept with the reason.
//
// A key that two devices inserted belongs to the lesser device id everywhere but at home, where a device's own row stands;
// a row that is deleted stands like any other. The other row waits here, as its owner's page had it. The stream goes on
// behind it. Visible in status and with SQL in sync_quarantine.
#pragma once

#include "core/base/schema.h"
#include "core/store/statement.h"

namespace starling {

class Quarantine {
 public:
  explicit Quarantine(sqlite3*);
  void put(std::string_view model, BytesView key, Ordinal origin, Rev, std::string_view why, bool deleted, BytesView row);
  void drop(std::string_view model, BytesView key, Ordinal origin);
  [[nodiscard]] std::uint64_t count();

 private:
  Statement put_, drop_, count_;
};

}  // namespace starling
