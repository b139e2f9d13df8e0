// A prepared statement, as thin as SQLite allows.
//
// SQLiteCpp opens the database and names its errors; for the statements of the hot path it would copy each text or
// ask for a terminator, so these bind views as they are. What is bound without a copy must live until the statement is
// reset, which every call of run(), and the end of a Rows loop, does. A failure throws SQLite::Exception.
// Same thread rules as the connection.
#pragma once

#include <sqlite3.h>

#include <string_view>

#include "core/base/assert.h"
#include "core/base/value.h"

namespace starling {

class Statement {
 public:
  Statement() = default;
  Statement(sqlite3* db, std::string_view sql, std::string_view* tail = nullptr);  // tail: what follows the first statement
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;

  // Binds parameter 1, 2, … in turn; the first bind after a reset is 1.
  Statement& integer(std::int64_t v);
  Statement& null();
  Statement& blob(BytesView v);
  Statement& text(BytesView v);
  Statement& value(const ValueView& v);
  Statement& values(BytesView typed_bytes);  // every value in them

  [[nodiscard]] bool step();  // true: a row
  void run();                 // to the end, then reset; for statements that give no rows
  [[nodiscard]] bool try_run();  // the same; false: a constraint was not met
  void reset();               // also forgets bindings' positions

  [[nodiscard]] std::int64_t column_integer(int i) const { return sqlite3_column_int64(handle_, i); }
  [[nodiscard]] bool column_is_null(int i) const { return sqlite3_column_type(handle_, i) == SQLITE_NULL; }
  [[nodiscard]] BytesView column_bytes(int i) const;  // valid until the next step or reset
  [[nodiscard]] ValueView column_value(int i) const;
  [[nodiscard]] int columns() const { return sqlite3_column_count(handle_); }
  [[nodiscard]] sqlite3_stmt* handle() const { return handle_; }

 private:
  void check(int code);  // throws, reset, unless it is SQLITE_OK

  sqlite3_stmt* handle_ = nullptr;
  int next_ = 0;
};

// Resets when it goes out of scope, whatever happens: a statement left open holds the WAL.
class ResetGuard {
 public:
  explicit ResetGuard(Statement& s) : statement_(s) {}
  ~ResetGuard() { statement_.reset(); }
  ResetGuard(const ResetGuard&) = delete;
  ResetGuard& operator=(const ResetGuard&) = delete;

 private:
  Statement& statement_;
};

}  // namespace starling
