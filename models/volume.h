// Volume: a file system that a device has mounted, or had.
//
// Device-owned: a disk that is carried from one machine to another has a row on each, because each sees it elsewhere.
// The columns:
//   id           16 bytes, from the device's id and the identity: see volume_id()
//   device       16 bytes: whose volume it is (the owner as the application sees it)
//   identity     what the platform knows the file system by, such as its UUID: equal in the rows of one disk
//   name         its label, for people; NULL: none
//   mount_path   where it stands, byte for byte: TEXT where it is valid UTF-8, else BLOB; NULL: it is not mounted now
//   file_system  "ext4", "vfat", …
//   capacity     bytes
// The id is derived, so that a disk that comes back finds its row again without a search, and without UNIQUE(device,
// identity), which cannot be synchronised. Free space has no column: it changes with every file that anybody writes, and
// each change would travel to every device.
#pragma once

#include "core/base/schema.h"
#include "core/base/sha256.h"

namespace starling::models {

[[nodiscard]] inline Model volume() {
  return Model::from_sql(R"(CREATE TABLE volume (
  id          BLOB PRIMARY KEY NOT NULL,
  device      BLOB NOT NULL,
  identity    TEXT NOT NULL,
  name        TEXT,
  mount_path  BLOB,
  file_system TEXT NOT NULL,
  capacity    INTEGER NOT NULL
))",
                         Kind::device_owned);
}

// The id of a device's row about the file system of that identity.
[[nodiscard]] inline Bytes volume_id(BytesView device, BytesView identity) {
  Bytes seed(device);  // device ids have one length, so the two cannot be confused
  seed += identity;
  return Bytes(hash128(seed).view());
}

}  // namespace starling::models
