// What a column's DEFAULT comes to, in typed bytes: what SQLite shows for a row that was written before the column.
//
// Entries and state pages of a device whose table had fewer columns are completed with it, so that every peer stores the
// value that the author's own SQLite shows.
#pragma once

#include "core/base/value.h"

namespace starling {

// As SQLite stores it in a column of that declared type; NULL for no default; empty for one that is no constant, which
// ALTER TABLE … ADD COLUMN refuses.
[[nodiscard]] Bytes default_value(const std::string& declared_type, const std::string& default_sql);

}  // namespace starling
