// A migration: the application changes its schema while the node runs.
//
// In one transaction `ddl` runs its statements, the models are read again and checked, guards are made anew; whatever
// fails, all of it is rolled back. Tables that are models from now on are adopted with the rows they hold. Rows are not
// written here: neither peers nor the log would know what to make of them. Peers compare schemas when they meet, so the
// caller ends the sessions (event ModelsReplaced). What had waited for these models and fields comes out of quarantine, in
// transactions of its own: where the process ends before that, with the next start. Same thread rules as the transaction
// manager.
#pragma once

#include "core/replica/adoption.h"
#include "core/replica/transaction.h"

namespace starling {

// Errors: whatever `ddl` returned, a statement that must not run here, a model that cannot be synchronised or did
// anything but grow.
[[nodiscard]] Expected<void> migrate(Store&, const WriteFn& ddl, const std::vector<Model>&, WallTime,
                                     const AdoptionFn& = {});

// What follows from the models, after a migration and at each opening, in transactions of its own: what waited for them is let
// go, seeds are created, rows that stood in their tables are adopted. Goes on where it was interrupted.
[[nodiscard]] Expected<void> take_up_models(Store&, WallTime, const AdoptionFn& = {});

}  // namespace starling
