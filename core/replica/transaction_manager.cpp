#include "core/replica/transaction_manager.h"

#include <SQLiteCpp/Exception.h>
#include <sqlite3.h>

#include "core/replica/membership.h"
#include "core/replica/stamper.h"
#include "core/replica/undo.h"
#include "core/store/capture.h"
#include "core/store/sql_error.h"
#include "core/store/sync_state.h"

namespace starling {

Expected<LocalCommit> TransactionManager::write(WriteScope scope, const WriteFn& fn, WallTime wall) {
  if (store_.state().is_doubled()) return doubled_identity(store_);
  if (const Expected<void> begun = store_.try_begin(TransactionKind::local); !begun) return begun.error();
  const Undo undo(store_);
  Transaction transaction(store_);
  const Expected<void> done = fn(transaction);
  transaction.rethrow_failure();
  if (!done) return done.error();
  if (sqlite3_get_autocommit(store_.handle()) != 0) {
    return Error{Errc::constraint, "SQLite has rolled the whole transaction back", "write",
                 "do not use OR ROLLBACK or RAISE(ROLLBACK) inside a write"};
  }
  Expected<std::vector<NetChange>> changes = store_.capture().fold();
  if (!changes) return changes.error();
  try {
    Expected<LocalCommit> commit = stamp_changes(store_, *changes, scope, wall);
    if (commit) store_.commit();
    return commit;
  } catch (const SQLite::Exception& e) {  // a deferred foreign key; a row that this brings to light, and a trigger refuses
    if (!is_user_error(e)) throw;
    return sql_error(e, "COMMIT", "");
  }
}

}  // namespace starling
