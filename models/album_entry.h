// AlbumEntry: the link that says an entry is in an album.
//
// Shared, with a composite key: every device may put every entry into every album, also those of other devices, and the
// same link made twice is one link. The columns:
//   album     the Album's id
//   entry     the Entry's id
//   added_ms  milliseconds since 1970 UTC
// No foreign keys, as in entry_tag.h: the entry belongs to a device and travels in another stream, so it may not be here
// yet, or no longer. The album comes first in the key: listing one is a range read.
#pragma once

#include "core/base/schema.h"

namespace starling::models {

[[nodiscard]] inline Model album_entry() {
  return Model::from_sql(R"(CREATE TABLE album_entry (
  album    BLOB NOT NULL,
  entry    BLOB NOT NULL,
  added_ms INTEGER NOT NULL,
  PRIMARY KEY (album, entry)
))",
                         Kind::shared);
}

}  // namespace starling::models
