// The models that starlingd and starling are built with.
//
// What a device says of itself, its volumes, its folders and what is in them (device-owned); tags, albums and what
// people say of entries (shared). An application that embeds the library brings its own list, of these or others;
// nothing below apps/ knows them.
#pragma once

#include <vector>

#include "models/album.h"
#include "models/album_entry.h"
#include "models/device.h"
#include "models/entry.h"
#include "models/entry_tag.h"
#include "models/location.h"
#include "models/tag.h"
#include "models/user_metadata.h"
#include "models/volume.h"

namespace starling::models {

[[nodiscard]] inline std::vector<Model> built_in() {
  return {device(), volume(),    location(), entry(),  // device-owned
          tag(),    entry_tag(), album(),    album_entry(), user_metadata()};
}

}  // namespace starling::models
