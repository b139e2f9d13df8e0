#include "core/replica/migration.h"

#include <sqlite3.h>

#include "core/replica/quarantine_release.h"
#include "core/replica/seeds.h"
#include "core/replica/undo.h"

namespace starling {

Expected<void> migrate(Store& store, const WriteFn& ddl, const std::vector<Model>& models, WallTime wall, const AdoptionFn& told) {
  {
    if (const Expected<void> begun = store.try_begin(TransactionKind::migration); !begun) return begun.error();
    const Undo undo(store);
    Transaction transaction(store);
    const Expected<void> done = ddl ? ddl(transaction) : Expected<void>();
    transaction.rethrow_failure();
    if (!done) return done.error();
    if (sqlite3_get_autocommit(store.handle()) != 0) {
      return Error{Errc::constraint, "SQLite has rolled the whole transaction back", "migrate",
                   "do not use OR ROLLBACK or RAISE(ROLLBACK) inside a migration"};
    }
    const Expected<void> replaced = store.replace_models(models);
    if (!replaced) return replaced.error();
    store.commit();
  }
  return take_up_models(store, wall, told);
}

Expected<void> take_up_models(Store& store, WallTime wall, const AdoptionFn& told) {
  (void)release_quarantine(store, wall, Ended::wait);  // before anything is written to their fields
  if (const Expected<void> created = create_seeds(store, wall); !created) return created;
  const Expected<std::uint64_t> adopted = adopt_existing_rows(store, wall, told);
  return adopted ? Expected<void>() : adopted.error();
}

}  // namespace starling
