// Album: a collection of entries that somebody has put together.
//
// Shared: every device may rename and fill every album; concurrent edits merge field by field. The columns:
//   id           UUID version 7
//   name         what it is called
//   description  for people; NULL: none
//   created_ms   milliseconds since 1970 UTC
// Unlike a Tag, whose name is what it is, an album is a thing that has a name: it can be renamed in one field, with all
// its links in place. So two devices that make an album "Norway" at the same time have made two albums of one name;
// whoever asks for one by name must be ready to find both.
#pragma once

#include "core/base/schema.h"

namespace starling::models {

[[nodiscard]] inline Model album() {
  return Model::from_sql(R"(CREATE TABLE album (
  id          BLOB PRIMARY KEY NOT NULL,
  name        TEXT NOT NULL,
  description TEXT,
  created_ms  INTEGER NOT NULL
))",
                         Kind::shared);
}

}  // namespace starling::models
