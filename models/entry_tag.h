// EntryTag: the link that says an entry has a tag.
//
// Shared, with a composite key: every device may tag every entry, also those of other devices, and the same link made
// twice is one link. The columns:
//   entry     the Entry's id
//   tag       the Tag's name
//   added_ms  milliseconds since 1970 UTC
// No foreign keys: entries belong to devices and come and go with their files, in another stream than this link, so
// the row may not be here yet, or no longer. A link without its entry or tag is harmless, and works again when the
// file is back: its entry has the same id.
#pragma once

#include "core/base/schema.h"

namespace starling::models {

[[nodiscard]] inline Model entry_tag() {
  return Model::from_sql(R"(CREATE TABLE entry_tag (
  entry    BLOB NOT NULL,
  tag      TEXT NOT NULL,
  added_ms INTEGER NOT NULL,
  PRIMARY KEY (entry, tag)
))",
                         Kind::shared);
}

}  // namespace starling::models
