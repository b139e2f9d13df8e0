// UserMetadata: what people say about an entry, beside its tags: whether they like it, how much, and why.
//
// Shared: every device may write about every entry, also those of other devices; concurrent edits of different columns
// both stay. The columns:
//   entry      the Entry's id, and the key: there is one row about an entry, whoever begins it
//   favourite  0 or 1
//   rating     1 to 5; NULL: none
//   note       text; NULL: none
//   created_ms when the row was made, milliseconds since 1970 UTC
// Its own table, because an Entry belongs to the device that has the file, and only that one may change it. No foreign
// key, as in entry_tag.h: what was said of a file stays when the file goes, and is there again when it comes back.
// Two devices that begin the row of one entry at the same time have each inserted a whole row: the later one stands, the
// other is in sync_conflict. From then on they meet field by field.
#pragma once

#include "core/base/schema.h"

namespace starling::models {

[[nodiscard]] inline Model user_metadata() {
  return Model::from_sql(R"(CREATE TABLE user_metadata (
  entry      BLOB PRIMARY KEY NOT NULL,
  favourite  INTEGER NOT NULL DEFAULT 0,
  rating     INTEGER,
  note       TEXT,
  created_ms INTEGER NOT NULL
))",
                         Kind::shared);
}

}  // namespace starling::models
