// Change capture: from SQL that an application ran to the net change of each row.
//
// The pre-update hook of the writer connection records, for each synchronised row that a transaction touches, its
// image before the first touch and after the last, as typed bytes in an arena. fold() then gives net changes: equal
// images are no change; delete and insert of one key is an update of the fields that differ; a change of the key is a
// delete and an insert. REPLACE, UPSERT, cascades and triggers come through the same hook.
//
// The hook also reports work that is undone later, and is not told of it: by ROLLBACK TO, or by a statement that fails
// half-way. What always holds is the image before the first touch, and that every changed row was touched. So once rows
// may have been undone, distrust() makes fold() read every touched row again by its key. The caller distrusts after a
// failed statement and while the application holds the bare handle; a ROLLBACK TO that the application prepares is
// noted here. One row is read again for itself after a blob write, or when it was touched twice and grew.
//
// Rules of the connection (Authorizer): in an application's transaction, statements that would change the schema,
// ATTACH, DETACH, BEGIN, COMMIT, ROLLBACK, PRAGMA (except those that only read) and writes to sync_* tables are refused
// at prepare. Work of the engine itself is free of this and is not captured. A commit that the engine did not ask for
// is refused by the commit hook, so a statement that outlives its transaction cannot write unseen.
// An application's statements are prepared between begin() and fold(): prepared without the hook, DELETE without WHERE
// empties a table without a word. Before a model is captured its defaults have been filled in (schema_reader.h): the
// hook does not know them.
// One per connection, same thread as the connection; not movable: SQLite holds its address.
#pragma once

#include <memory>
#include <vector>

#include "core/causal/change.h"

struct sqlite3;

namespace starling {

struct NetChange {
  ModelIndex model = 0;
  Op op = Op::insert;
  BytesView key;          // canonical
  FieldMask changed = 0;  // insert: every non-key field; update: those that differ; erase: none
  BytesView values;       // typed bytes of `changed`, ascending
  BytesView row;          // typed bytes of every non-key field after the change; empty for erase
  BytesView before;       // the same before the change; empty for insert
};

class Capture {
 public:
  // Takes the connection's pre-update, commit and rollback hooks and its authorizer. `schema` must outlive it.
  Capture(sqlite3*, const Schema& schema);
  ~Capture();
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  // An application's transaction: from begin() every touched row of a model is recorded and the authorizer is strict.
  // `migration`: the schema may be changed, and rows of models must not.
  void begin(bool migration = false);
  void distrust();

  // The net changes, ordered by first touch; views are valid until the next begin() or end(). Errors: a key that is
  // NULL or of a type that a key must not have (Errc::constraint), a key, value or row beyond limits.h (too_large).
  // The transaction stays open and usable; the caller rolls back on error. From fold() on nothing is recorded and the
  // engine may write its own tables. Also an error: SQLite has rolled the transaction back by itself.
  [[nodiscard]] Expected<std::vector<NetChange>> fold();
  void end();  // after COMMIT, before ROLLBACK: an application's ROLLBACK is refused

  // The engine's own COMMIT: the commit hook lets exactly one through. Also before a statement of the engine that
  // commits by itself: PRAGMA journal_mode and user_version, ANALYZE.
  void allow_commit();

  [[nodiscard]] bool touched_anything() const;  // since begin(); throws what failed in the hook, as fold() does
  // Since begin() the whole transaction was rolled back: by RAISE(ROLLBACK), OR ROLLBACK or a failing machine, if the
  // caller did not. What ran since then was refused at its commit.
  [[nodiscard]] bool rolled_back() const;
  // What the authorizer refused last, for a clear error ("CREATE TABLE inside a transaction"); empty: nothing.
  [[nodiscard]] std::string take_refusal();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace starling
