// The model registry's half that needs SQLite: from declared models to a validated Schema.
//
// For each Model: create the table if its DDL is given and it is not there (IF NOT EXISTS semantics; a table that is
// there must have the same columns), read it back as SQLite knows it, and refuse what cannot be synchronised, each with
// an error that says why and what to do:
//   - no primary key, or a rowid key (INTEGER PRIMARY KEY) unless the model declares its integers unique;
//   - AUTOINCREMENT; a key column that may be NULL (TEXT PRIMARY KEY does not say NOT NULL, except WITHOUT ROWID);
//   - a key column that compares other than by bytes (a collation), a key column of REAL affinity, and one of INTEGER
//     or NUMERIC affinity without unique_integers: two keys that SQLite calls equal must have one canonical form, and
//     numbers made on two devices must differ;
//   - UNIQUE indexes and policies for foreign keys that devices could not agree on: constraint_reader.h lists them;
//   - virtual tables, shadow tables, views, temporary tables, names starting with "sync_" or "sqlite_";
//   - VIRTUAL generated columns where SQLite's pre-update hook would then misreport others (see misread_by_hook);
//   - more than kFieldsMax fields, names beyond kNameMax, two models with one table, more than kModelsMax models, and a
//     database whose text is not UTF-8.
// Runs inside the caller's transaction (the store's opening or migration); nothing remains when it fails.
#pragma once

#include <span>

#include "core/base/schema.h"

namespace SQLite {
class Database;
}

namespace starling {

[[nodiscard]] Expected<Schema> open_models(SQLite::Database&, std::span<const Model>);

// Puts the engine's own models (tables.h) behind the application's.
void add_built_in_models(SQLite::Database&, Schema&);

// After ALTER TABLE … ADD COLUMN … DEFAULT the rows written before are short on disk, and the pre-update hook reads
// the new field of such a row as NULL, whatever its default: setting it to NULL would look like no change. This writes
// every row of the table out in full, without firing triggers; a table without defaults is left alone. To be called
// when a table with rows is adopted and when a migration has added a field, in engine mode, inside the transaction.
void fill_in_defaults(SQLite::Database&, const ModelSchema&);

}  // namespace starling
