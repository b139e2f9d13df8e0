// Device: what a device says of itself, so that people see a name where the engine has an id.
//
// Device-owned: each device writes one row, its own, and nobody can rename it. The columns:
//   id          16 bytes, the device's id: the row's owner as the application sees it
//   name        what its people call it; starlingd takes the host's name. Not unique: two machines may bear one name,
//               and UNIQUE could not be synchronised anyhow
//   platform    its system and processor, such as "Linux x86_64"
//   created_ms  when the row was first written, milliseconds since 1970 UTC
// What a device does (when it was seen, how far it is) does not stand here: it changes all the time, `status` has it,
// and a row that travels on every start would make idle devices talk.
#pragma once

#include "core/base/schema.h"

namespace starling::models {

[[nodiscard]] inline Model device() {
  return Model::from_sql(R"(CREATE TABLE device (
  id         BLOB PRIMARY KEY NOT NULL,
  name       TEXT NOT NULL,
  platform   TEXT NOT NULL,
  created_ms INTEGER NOT NULL
))",
                         Kind::device_owned);
}

}  // namespace starling::models
