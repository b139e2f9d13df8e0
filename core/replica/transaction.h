// What an application may do inside a write: plain SQL, in one transaction of the engine.
//
// Valid only inside the call it was given to, on that thread. Rows are values: nothing lazy outlives a call. What
// SQLite refuses (a constraint, a syntax error, a forbidden statement) comes back as an Error and undoes only that
// statement; a failing machine (disk, memory) throws and rolls everything back.
#pragma once

#include <array>
#include <exception>
#include <functional>
#include <memory>
#include <span>

#include "core/base/typed.h"

struct sqlite3;

namespace starling {

class Store;
class Savepoint;

class Transaction {
 public:
  explicit Transaction(Store& store) : store_(store) {}
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // One statement; `?` take the arguments in order. Gives the number of rows that it changed itself.
  template <class... Args>
  Expected<std::int64_t> exec(std::string_view sql, const Args&... args) {
    const std::array<ValueView, sizeof...(Args)> values{sql_arg(args)...};
    return exec_values(sql, values);
  }
  template <class... Args>
  Expected<Rows> query(std::string_view sql, const Args&... args) {
    const std::array<ValueView, sizeof...(Args)> values{sql_arg(args)...};
    return query_values(sql, values);
  }
  Expected<std::int64_t> exec_values(std::string_view sql, std::span<const ValueView> args);
  Expected<Rows> query_values(std::string_view sql, std::span<const ValueView> args);

  // A row of a typed model (core/base/typed.h): inserted, or every field of the row with that key set.
  template <class T>
  Expected<void> put(const T& row) {
    static const std::string sql = typed_model::put_sql<T>();
    return done(exec_owned(sql, typed_model::values(row, false)));
  }
  // Deletes the row with this one's key; true: there was one.
  template <class T>
  Expected<bool> erase(const T& row) {
    static const std::string sql = "DELETE FROM " + quote_identifier(T::kTable) + typed_model::where_key<T>();
    const Expected<std::int64_t> rows = exec_owned(sql, typed_model::values(row, true));
    if (!rows) return rows.error();
    return *rows > 0;
  }
  // As Reader's, and what this transaction has written is seen.
  template <class T, class... Args>
  Expected<std::vector<T>> all(std::string_view rest = "", const Args&... args) {
    return typed_model::all<T>(*this, rest, args...);
  }
  template <class T, class... Key>
  Expected<std::optional<T>> find(const Key&... key) {
    return typed_model::find<T>(*this, key...);
  }

  // What follows is undone unless the savepoint is released; nests.
  [[nodiscard]] Savepoint savepoint();

  // Throws what a savepoint's end could not: then the transaction is beyond use.
  void rethrow_failure() const;

  // The bare connection, for code that speaks SQLite. Capture then reads touched rows again at commit.
  [[nodiscard]] sqlite3* handle();

 private:
  friend class Savepoint;
  Expected<std::int64_t> exec_owned(std::string_view sql, const std::vector<SqlValue>& args);
  static Expected<void> done(const Expected<std::int64_t>& rows) { return rows ? Expected<void>() : rows.error(); }

  Store& store_;
  int depth_ = 0;
  std::exception_ptr failure_;  // of the machine, in a savepoint's end
};

class Savepoint {
 public:
  explicit Savepoint(Transaction&);
  ~Savepoint();  // rolls back to where it was made, unless released
  Savepoint(const Savepoint&) = delete;
  Savepoint& operator=(const Savepoint&) = delete;
  void release();

 private:
  Transaction& transaction_;
  int depth_;
  bool open_ = true;
};

using WriteFn = std::function<Expected<void>(Transaction&)>;

}  // namespace starling
