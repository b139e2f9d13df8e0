// The engine's own tables, in the application's database file. docs/storage.md explains each column.
//
// Sizes decide the engine's speed: sync_row is keyed by the canonical key (ADR 0003), its columns are NULL where they
// do not apply. A change here raises kFormatVersion and needs a migration.
#pragma once

namespace starling {

inline constexpr int kFormatVersion = 2;
inline constexpr char kBackupMark[] = "backup";  // in sync_meta of a copy that backup.h made

inline constexpr char kTablesSql[] = R"sql(
CREATE TABLE IF NOT EXISTS sync_meta (
  name TEXT PRIMARY KEY NOT NULL,
  value NOT NULL
) WITHOUT ROWID;

-- The stable number of a model in this file: positions in the schema change as models are added.
CREATE TABLE IF NOT EXISTS sync_model (
  number INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  kind INTEGER NOT NULL,
  digest BLOB NOT NULL,
  adopted INTEGER NOT NULL DEFAULT 0  -- rows that stood in the table before are in
);

CREATE TABLE IF NOT EXISTS sync_origin (
  ordinal INTEGER PRIMARY KEY,
  device BLOB NOT NULL,
  birth INTEGER NOT NULL,
  random INTEGER NOT NULL,
  rev INTEGER NOT NULL DEFAULT 0,
  seq INTEGER NOT NULL DEFAULT 0,
  hlc INTEGER NOT NULL DEFAULT 0,
  hash BLOB NOT NULL,
  horizon_rev INTEGER NOT NULL DEFAULT 0,
  horizon_seq INTEGER NOT NULL DEFAULT 0,
  seen BLOB NOT NULL,
  UNIQUE (device, birth, random)
);

-- Shared rows: (hlc, origin) is the generation (of the row, or that a delete named), fields the stamps that differ,
-- dead_* the delete. Device-owned rows: origin is the owner, rev set, dead_seq 1 when deleted.
CREATE TABLE IF NOT EXISTS sync_row (
  model INTEGER NOT NULL,
  key BLOB NOT NULL,
  origin INTEGER NOT NULL,
  hlc INTEGER,
  fields BLOB,
  dead_origin INTEGER,
  dead_seq INTEGER,
  rev INTEGER,
  sum INTEGER,  -- a hash of the visible row with its version; NULL when it is deleted
  PRIMARY KEY (model, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sync_row_rev ON sync_row (origin, rev) WHERE rev IS NOT NULL;

-- Sums of sync_row.sum: of a shared model (origin 0), or of one owner's rows of a model.
CREATE TABLE IF NOT EXISTS sync_digest (
  id INTEGER PRIMARY KEY,
  model INTEGER NOT NULL,
  origin INTEGER NOT NULL,
  ranges BLOB NOT NULL,
  UNIQUE (model, origin)
);

CREATE TABLE IF NOT EXISTS sync_log (
  origin INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  entry BLOB NOT NULL,
  PRIMARY KEY (origin, seq)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS sync_ack (
  member BLOB PRIMARY KEY NOT NULL,
  birth INTEGER NOT NULL,
  random INTEGER NOT NULL,
  version INTEGER NOT NULL,
  vector BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS sync_conflict (
  id INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  model TEXT NOT NULL,
  key BLOB NOT NULL,
  field TEXT,
  why TEXT NOT NULL,
  winner_hlc INTEGER NOT NULL,
  winner_device BLOB NOT NULL,
  loser_hlc INTEGER NOT NULL,
  loser_device BLOB NOT NULL,
  value BLOB
);

CREATE TABLE IF NOT EXISTS sync_quarantine (
  model TEXT NOT NULL,
  key BLOB NOT NULL,
  origin INTEGER NOT NULL,
  rev INTEGER NOT NULL,
  why TEXT NOT NULL,
  deleted INTEGER NOT NULL,
  row BLOB NOT NULL,
  PRIMARY KEY (model, key, origin)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS sync_state (
  name TEXT PRIMARY KEY NOT NULL,
  last_sync INTEGER,
  initial_sync_completed INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) WITHOUT ROWID;
)sql";

}  // namespace starling
