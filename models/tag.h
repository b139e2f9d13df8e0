// Tag: a word that anyone may put on entries.
//
// Shared: every device may change every tag; concurrent edits merge field by field. The columns:
//   name         what the tag is called, and its key: two devices that make the same tag at the same time have made one
//                tag. (With a random key they would have made two of one name, and UNIQUE would hide one of them, with its links.)
//   color        "#rrggbb" or a colour's name; NULL: none
//   description  for people; NULL: none
//   created_ms   milliseconds since 1970 UTC
// A tag of another name is another tag: renaming is making the new one, moving the links and deleting the old one.
#pragma once

#include "core/base/schema.h"

namespace starling::models {

[[nodiscard]] inline Model tag() {
  return Model::from_sql(R"(CREATE TABLE tag (
  name        TEXT PRIMARY KEY NOT NULL,
  color       TEXT,
  description TEXT,
  created_ms  INTEGER NOT NULL
))",
                         Kind::shared);
}

}  // namespace starling::models
