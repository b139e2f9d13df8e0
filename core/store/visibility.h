// Visibility: what a model with rules shows of its merged rows (docs/adr/0015-unique-and-references.md).
//
// A pure function of the merged rows, so every order of the same entries shows the same, and nothing is written to a log:
//   1. UNIQUE, for each model by itself, over all live rows, the one with the latest generation first (of one generation,
//      the greatest key): a row stands if no row that stands holds one of its unique values. The others are hidden.
//   2. Cascade, over the rows that stand: the greatest set in which every row's parents are in the set. So a row goes with
//      its parent, and with it whatever depends on it; rows that refer to each other in a circle, with no parent missing,
//      stay, and so does one that refers to itself.
//   3. set_null: of the rows shown, a reference to what is not shown is shown as NULL.
// A row that is hidden is live all the same: it goes on being merged and comes back when nothing stands against it.
//
// settle() finds the same from what was written alone: rows in the order of 1 from the written ones downwards; then what
// became visible or ceased to be, and its children. What it reads grows with the rows concerned, not with the tables.
#pragma once

#include <vector>

#include "core/store/row_store.h"

namespace starling {

class ConflictLog;

struct ShownChange {  // of what an application sees
  ModelIndex model = 0;
  Op op = Op::insert;
  FieldMask fields = 0;
  Bytes key;
};

// Takes all that is pending. In a transaction in which nothing is captured or enforced (Store::settle).
[[nodiscard]] std::vector<ShownChange> settle(RowStore&, ConflictLog&, WallTime);

}  // namespace starling
