// Prepared statements of the application, by their text: preparing costs more than running a small one.
//
// Bounded; when full, it starts anew. Statements that begin or end savepoints are not kept, so that each use of them
// is seen by the authorizer.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>

#include "core/base/expected.h"
#include "core/base/sql_value.h"
#include "core/store/statement.h"

namespace starling {

class StatementCache {
 public:
  // Errors: no statement, or more than one. Throws SQLite::Exception when SQLite refuses it. The pointer is valid
  // until the next call.
  [[nodiscard]] Expected<Statement*> get(sqlite3*, std::string_view sql);

 private:
  std::map<std::string, Statement, std::less<>> statements_;
  Statement uncached_;
};

// Binds `args` (Errc::invalid_argument when their number is wrong) and leaves the statement to be stepped.
[[nodiscard]] Expected<void> bind_args(Statement&, std::string_view sql, std::span<const ValueView> args);
// Rows one at a time, as values, until `row` says false; gives the names of the columns.
using RowFn = std::function<bool(std::vector<SqlValue>&&)>;
[[nodiscard]] Expected<std::vector<std::string>> visit_rows(Statement&, std::string_view sql,
                                                            std::span<const ValueView> args, const RowFn& row);
// All rows that a statement gives with these arguments, as values.
[[nodiscard]] Expected<Rows> run_query(Statement&, std::string_view sql, std::span<const ValueView> args);

}  // namespace starling
