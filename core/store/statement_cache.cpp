#include "core/store/statement_cache.h"

#include <SQLiteCpp/Exception.h>

namespace starling {
namespace {

constexpr std::size_t kStatementsMax = 64;

bool is_blank(sqlite3* db, std::string_view sql) {  // nothing but blanks, comments and semicolons
  if (sql.find_first_not_of(" \t\r\n;") == std::string_view::npos) return true;
  try {
    std::string_view rest;
    return Statement(db, sql, &rest).handle() == nullptr && (rest.empty() || (rest.size() < sql.size() && is_blank(db, rest)));
  } catch (const SQLite::Exception&) {
    return false;
  }
}

}  // namespace

Expected<Statement*> StatementCache::get(sqlite3* db, std::string_view sql) {
  const auto known = statements_.find(sql);
  if (known != statements_.end()) return &known->second;

  std::string_view tail;
  Statement statement(db, sql, &tail);
  const Error wrong{Errc::invalid_argument, "", std::string(sql.substr(0, 120)), "pass one statement for each call"};
  if (statement.handle() == nullptr) return Error{wrong.code, "there is no statement", wrong.where, wrong.remedy};
  if (!is_blank(db, tail))
    return Error{wrong.code, "more than one statement", wrong.where, wrong.remedy};

  const bool savepoint = sqlite3_stmt_readonly(statement.handle()) != 0 && statement.columns() == 0;
  if (savepoint) {
    uncached_ = std::move(statement);
    return &uncached_;
  }
  if (statements_.size() >= kStatementsMax) statements_.clear();
  return &(statements_[std::string(sql)] = std::move(statement));
}

Expected<void> bind_args(Statement& statement, std::string_view sql, std::span<const ValueView> args) {
  const auto expected = static_cast<std::size_t>(sqlite3_bind_parameter_count(statement.handle()));
  if (expected != args.size()) {
    return Error{Errc::invalid_argument, "the statement takes " + std::to_string(expected) + " arguments, " +
                 std::to_string(args.size()) + " were given", std::string(sql.substr(0, 120)), ""};
  }
  for (const ValueView& value : args) statement.value(value);
  return {};
}

Expected<std::vector<std::string>> visit_rows(Statement& statement, std::string_view sql,
                                              std::span<const ValueView> args, const RowFn& row) {
  const ResetGuard guard(statement);
  const Expected<void> bound = bind_args(statement, sql, args);
  if (!bound) return bound.error();
  const int columns = statement.columns();
  std::vector<std::string> names;
  names.reserve(static_cast<std::size_t>(columns));
  for (int i = 0; i < columns; ++i) names.emplace_back(sqlite3_column_name(statement.handle(), i));
  while (statement.step()) {
    std::vector<SqlValue> values;
    values.reserve(static_cast<std::size_t>(columns));
    for (int i = 0; i < columns; ++i) values.push_back(to_sql_value(statement.column_value(i)));
    if (!row(std::move(values))) break;
  }
  return names;
}

Expected<Rows> run_query(Statement& statement, std::string_view sql, std::span<const ValueView> args) {
  Rows rows;
  Expected<std::vector<std::string>> names = visit_rows(statement, sql, args, [&rows](std::vector<SqlValue>&& row) {
    rows.rows.push_back(std::move(row));
    return true;
  });
  if (!names) return names.error();
  rows.columns = std::move(*names);
  return rows;
}

}  // namespace starling
