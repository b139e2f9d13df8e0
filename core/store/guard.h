// The guard: a write that bypasses the engine fails loudly, never silently.
//
// Each synchronised table gets triggers that name the function starling_guard(), which only our own connection has.
// SQLite looks the function up when a write is prepared, so any other connection, the sqlite3 shell included, reads
// (and checks, backs up, vacuums) as it likes and gets "no such function: starling_guard" on INSERT, UPDATE and DELETE.
// The triggers are named sync_guard_<op>_<table>. What no trigger can catch: DROP TABLE, an incremental blob write, and
// whoever drops the triggers.
//
// The triggers do nothing, but that there is one costs each inserted row 0.35 µs (a statement with triggers keeps a
// journal of its own). So our connection runs with triggers switched off while the application has none (ADR 0005).
// starling_applying() is 1 while changes from a peer are applied, for application triggers that care.
#pragma once

#include "core/base/schema.h"

struct sqlite3;
namespace SQLite {
class Database;
}

namespace starling {

// `applying`: read by starling_applying() at run time; must outlive the connection.
void register_guard_functions(sqlite3*, const bool* applying);
// Creates the guards of the schema's tables, drops those of others; inside the caller's transaction.
void install_guards(SQLite::Database&, const Schema&);
void remove_guards(SQLite::Database&);  // detach: every sync_guard_* trigger
// Triggers on if the application has any, else off. To be called after each commit or rollback of a transaction that
// may have changed the schema, since the switch is no part of a transaction.
void switch_triggers(SQLite::Database&);

}  // namespace starling
