// A row as the pre-update hook shows it, turned into typed bytes; and the rules for the bytes of a key.
//
// An image is the typed bytes of some columns, one after the other. It is made once, in the hook, by copying from
// SQLite; later it is only walked over and compared as bytes.
#pragma once

#include <span>

#include "core/base/schema.h"
#include "core/base/value.h"

struct sqlite3;
struct sqlite3_value;

namespace starling {

struct ImageColumn {
  FieldIndex field = 0;
  int storage = 0;  // as the hook counts
  Affinity affinity = Affinity::blob;
};

using ReadValue = int (*)(sqlite3*, int, sqlite3_value**);  // sqlite3_preupdate_old or sqlite3_preupdate_new

// In place of a value beyond kValueMax: it equals no value, and what it stands for is never copied.
inline constexpr char kOversized = 7;

// Text and blobs are not copied: the view is valid as long as the value.
[[nodiscard]] ValueView view_of(sqlite3_value*);
// The value as it stands on disk: the hook shows an integer that is inserted into a REAL column before its conversion.
[[nodiscard]] ValueView stored_form(ValueView, Affinity);

// Appends the columns to `out`. An image marks what is too large, a key is copied whatever its size. False: something
// was too large.
bool append_image(ByteWriter& out, sqlite3*, ReadValue, std::span<const ImageColumn>);
void append_key(ByteWriter& out, sqlite3*, ReadValue, std::span<const ImageColumn>);
bool append_value(ByteWriter& out, const ValueView&);  // one value of an image

// A canonical key: text or blobs in columns of TEXT or BLOB affinity, integers in the others, since for these types
// equal keys are equal bytes. For keys from the application and from peers.
[[nodiscard]] Expected<void> check_key(const ModelSchema&, BytesView key);

// Whether the declaration allows these values (typed bytes of `fields`, ascending): NOT NULL, and the types of a STRICT
// table.
[[nodiscard]] Expected<void> check_values(const ModelSchema&, FieldMask fields, BytesView values);

// Cuts the first value off an image of ours; never of bytes that came from elsewhere.
[[nodiscard]] BytesView next_value(BytesView& image);

}  // namespace starling
