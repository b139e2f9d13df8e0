// The engine's own tables, in the application's database file. docs/storage.md explains each column.
//
// Sizes decide the engine's speed: sync_row is keyed by the canonical key (ADR 0003), its columns are NULL where they
// do not apply. A change here raises kFormatVersion and needs a migration (format_migration.h).
#pragma once

namespace starling {

inline constexpr int kFormatVersion = 3;
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
  adopted INTEGER NOT NULL DEFAULT 0,  -- rows that stood in the table before are in
  seeds BLOB,  -- hash of the declared ones that are in; NULL: none
  seeds_told INTEGER NOT NULL DEFAULT 0,
  shape BLOB  -- of its fields, as they were when the file was opened last; NULL: by a build that did not keep it
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
  horizon_hlc INTEGER NOT NULL DEFAULT 0,  -- of that entry
  restart INTEGER NOT NULL DEFAULT 0,  -- its state stream is read anew, and so far it was
  opening INTEGER NOT NULL DEFAULT 0,  -- of its database, in which it told `rev` or later; 0: not known
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
  seed INTEGER,  -- 1: its key is a seed's, though its generation is none
  PRIMARY KEY (model, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sync_row_rev ON sync_row (origin, rev) WHERE rev IS NOT NULL;
-- Tombstones, by what allows them to go.
CREATE INDEX IF NOT EXISTS sync_row_dead ON sync_row (dead_origin, dead_seq) WHERE dead_origin IS NOT NULL;
CREATE INDEX IF NOT EXISTS sync_row_gone ON sync_row (origin, rev) WHERE rev IS NOT NULL AND dead_seq IS NOT NULL;

-- Sums of sync_row.sum: of a shared model (origin 0), or of one owner's rows of a model.
CREATE TABLE IF NOT EXISTS sync_digest (
  id INTEGER PRIMARY KEY,
  model INTEGER NOT NULL,
  origin INTEGER NOT NULL,
  ranges BLOB NOT NULL,
  UNIQUE (model, origin)
);

-- An entry as its author wrote it: one row, or parts of limits::kPartMax bytes; offset says where in the entry they stand.
CREATE TABLE IF NOT EXISTS sync_log (
  origin INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  offset INTEGER NOT NULL,
  entry BLOB NOT NULL,
  PRIMARY KEY (origin, seq, offset)
) WITHOUT ROWID;

-- Parts of entries that are not applied yet. By the whole name of the origin: one that was never applied has no ordinal.
CREATE TABLE IF NOT EXISTS sync_stage (
  origin BLOB NOT NULL,
  seq INTEGER NOT NULL,
  offset INTEGER NOT NULL,
  total INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (origin, seq, offset)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS sync_ack (
  member BLOB PRIMARY KEY NOT NULL,
  birth INTEGER NOT NULL,
  random INTEGER NOT NULL,
  version INTEGER NOT NULL,
  vector BLOB NOT NULL
) WITHOUT ROWID;

-- The devices of the workspace: a shared model like the application's, but the engine's own (member_table.h).
CREATE TABLE IF NOT EXISTS sync_member (
  device BLOB PRIMARY KEY NOT NULL,
  member INTEGER NOT NULL DEFAULT 1,
  barred INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

-- A snapshot that is being taken in: its pages in order, by hash, and the pages by themselves. The last may be of an
-- earlier attempt. sync_checkpoint tells where merging stands.
CREATE TABLE IF NOT EXISTS sync_snapshot (
  page INTEGER PRIMARY KEY,
  hash BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS sync_snapshot_page (
  hash BLOB NOT NULL UNIQUE,
  body BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS sync_checkpoint (
  name TEXT PRIMARY KEY NOT NULL,
  page INTEGER NOT NULL,
  key BLOB NOT NULL
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
CREATE INDEX IF NOT EXISTS sync_quarantine_rev ON sync_quarantine (origin, rev);

-- Rows of models with rules whose merged values the application's table does not hold, or not all (hidden_rows.h), and
-- what they hold of each rule.
CREATE TABLE IF NOT EXISTS sync_hidden (
  model INTEGER NOT NULL,
  key BLOB NOT NULL,
  kind INTEGER NOT NULL,  -- 1 another row has its UNIQUE value, 2 its parent is not there, 3 shown with NULL for that
  why TEXT NOT NULL,
  row BLOB NOT NULL,
  PRIMARY KEY (model, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sync_hidden_value (
  model INTEGER NOT NULL,
  rule INTEGER NOT NULL,
  value BLOB NOT NULL,
  key BLOB NOT NULL,
  PRIMARY KEY (model, rule, value, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sync_hidden_value_key ON sync_hidden_value (model, key);

-- Changes of shared rows that cannot be applied here yet, in the order in which they came: origin, hlc and seq say which
-- entry each stood in.
CREATE TABLE IF NOT EXISTS sync_held (
  id INTEGER PRIMARY KEY,
  model TEXT NOT NULL,
  key BLOB NOT NULL,
  origin INTEGER NOT NULL,
  hlc INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  op INTEGER NOT NULL,
  generation_origin INTEGER NOT NULL,
  generation_hlc INTEGER NOT NULL,
  fields INTEGER NOT NULL,
  row BLOB NOT NULL,
  why TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS sync_held_row ON sync_held (model, key, id);

-- Values of fields that the model does not have here yet, beside the row. Their stamps are in the row's version.
CREATE TABLE IF NOT EXISTS sync_kept (
  model INTEGER NOT NULL,
  key BLOB NOT NULL,
  field INTEGER NOT NULL,
  value BLOB NOT NULL,
  PRIMARY KEY (model, key, field)
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
