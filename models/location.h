// Location: a folder that a device has indexed.
//
// Device-owned: only the device that has the folder may write its row; the others read it. The columns:
//   id          UUID version 7, made when the folder is first indexed; salt of its entries' keys (entry.h)
//   device      16 bytes: whose folder it is (the owner as the application sees it)
//   path        the folder's absolute path, byte for byte: TEXT where it is valid UTF-8, else BLOB
//   created_ms  when it was first indexed, milliseconds since 1970 UTC
// Nothing here changes when the folder is indexed again without differences: an idle re-index writes no row.
#pragma once

#include "core/base/schema.h"

namespace starling::models {

[[nodiscard]] inline Model location() {
  return Model::from_sql(R"(CREATE TABLE location (
  id         BLOB PRIMARY KEY NOT NULL,
  device     BLOB NOT NULL,
  path       BLOB NOT NULL,
  created_ms INTEGER NOT NULL
))",
                         Kind::device_owned);
}

}  // namespace starling::models
