#include "core/replica/transaction.h"

#include <SQLiteCpp/Exception.h>
#include <sqlite3.h>

#include "core/base/assert.h"
#include "core/store/capture.h"
#include "core/store/sql_error.h"
#include "core/store/statement_cache.h"
#include "core/store/store.h"

namespace starling {
namespace {

Error rolled_back_by_sqlite(std::string_view sql) {
  return {Errc::constraint, "SQLite has rolled the whole transaction back", std::string(sql.substr(0, 120)),
          "do not use OR ROLLBACK or RAISE(ROLLBACK) inside a write"};
}

// Runs `use` on the statement for `sql`; what SQLite refuses becomes an Error.
template <class T, class Use>
Expected<T> with_statement(Store& store, std::string_view sql, Use use) {
  if (sqlite3_get_autocommit(store.handle()) != 0) return rolled_back_by_sqlite(sql);
  try {
    Expected<Statement*> found = store.statements().get(store.handle(), sql);
    if (!found) return found.error();
    return use(**found);
  } catch (const SQLite::Exception& e) {
    if (!is_user_error(e)) throw;
    store.capture().distrust();  // the statement's earlier rows were reported and are undone now
    if (sqlite3_get_autocommit(store.handle()) != 0) return rolled_back_by_sqlite(sql);
    return sql_error(e, sql, store.capture().take_refusal());
  }
}

}  // namespace

Expected<std::int64_t> Transaction::exec_values(std::string_view sql, std::span<const ValueView> args) {
  return with_statement<std::int64_t>(store_, sql, [&](Statement& statement) -> Expected<std::int64_t> {
    const ResetGuard guard(statement);
    const Expected<void> bound = bind_args(statement, sql, args);
    if (!bound) return bound.error();
    while (statement.step()) {}  // RETURNING rows are not asked for here
    return sqlite3_stmt_readonly(statement.handle()) != 0 ? 0 : sqlite3_changes64(store_.handle());
  });
}

Expected<std::int64_t> Transaction::exec_owned(std::string_view sql, const std::vector<SqlValue>& args) {
  std::vector<ValueView> views;
  views.reserve(args.size());
  for (const SqlValue& v : args) views.push_back(sql_arg(v));
  return exec_values(sql, views);
}

Expected<Rows> Transaction::query_values(std::string_view sql, std::span<const ValueView> args) {
  return with_statement<Rows>(store_, sql, [&](Statement& statement) { return run_query(statement, sql, args); });
}

void Transaction::rethrow_failure() const {
  if (failure_) std::rethrow_exception(failure_);
}

sqlite3* Transaction::handle() {
  store_.capture().distrust();
  return store_.handle();
}

Savepoint Transaction::savepoint() { return Savepoint(*this); }

namespace {
void run_savepoint(Store& store, const std::string& sql) {
  if (sqlite3_get_autocommit(store.handle()) != 0) return;  // rolled back as a whole: nothing to undo
  Statement(store.handle(), sql).run();
}
}  // namespace

Savepoint::Savepoint(Transaction& transaction) : transaction_(transaction), depth_(++transaction.depth_) {
  run_savepoint(transaction_.store_, "SAVEPOINT starling_" + std::to_string(depth_));
}

Savepoint::~Savepoint() {
  if (!open_) return;
  transaction_.depth_ = depth_ - 1;
  transaction_.store_.capture().distrust();
  try {
    run_savepoint(transaction_.store_, "ROLLBACK TO starling_" + std::to_string(depth_));
    run_savepoint(transaction_.store_, "RELEASE starling_" + std::to_string(depth_));
  } catch (const SQLite::Exception&) {
    transaction_.failure_ = std::current_exception();
  }
}

void Savepoint::release() {
  ASSERT(open_ && transaction_.depth_ == depth_);
  open_ = false;
  transaction_.depth_ = depth_ - 1;
  run_savepoint(transaction_.store_, "RELEASE starling_" + std::to_string(depth_));
}

}  // namespace starling
