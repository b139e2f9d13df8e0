// No trigger of any table runs while this lives: what the engine does to tables for itself is nobody's change.
//
// The guards (guard.h) are triggers as well. Same thread rules as the connection.
#pragma once

#include <sqlite3.h>

namespace starling {

class TriggersOff {
 public:
  explicit TriggersOff(sqlite3* db) : db_(db) {
    sqlite3_db_config(db_, SQLITE_DBCONFIG_ENABLE_TRIGGER, -1, &before_);
    sqlite3_db_config(db_, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  }
  ~TriggersOff() { sqlite3_db_config(db_, SQLITE_DBCONFIG_ENABLE_TRIGGER, before_, nullptr); }
  TriggersOff(const TriggersOff&) = delete;
  TriggersOff& operator=(const TriggersOff&) = delete;

 private:
  sqlite3* db_;
  int before_ = 0;
};

}  // namespace starling
