// The transaction manager: an application's writes, as one transaction with all that follows from it.
//
// write() begins an IMMEDIATE transaction, runs the function, folds what it changed, and in the same transaction
// stamps each change: shared rows get field versions and one log entry, device-owned rows the next revisions. Then it
// commits (durably: synchronous=FULL) and gives one LocalCommit. Any error, any throw: all of it is rolled back, no
// seq, rev or stamp is used up. A transaction that changes nothing in the end leaves no trace.
// Not thread-safe: the caller holds the writer lock.
#pragma once

#include "core/replica/event.h"
#include "core/replica/transaction.h"

namespace starling {

// seeds: rows of a shared model that every device creates (seeds.h).
enum class WriteScope { any, device_owned, shared, seeds };

class TransactionManager {
 public:
  explicit TransactionManager(Store& store) : store_(store) {}

  // Errors: whatever the function returned; Errc::not_owner: a row that another device owns; wrong_class: outside
  // the scope; forbidden: a statement that must not run here; too_large; constraint.
  [[nodiscard]] Expected<LocalCommit> write(WriteScope, const WriteFn&, WallTime);

 private:
  Store& store_;
};

}  // namespace starling
