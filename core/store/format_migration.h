// From the format of an older build to ours, in the transaction that opens the file.
//
// Whatever fails, the file stays as the older build left it. tests/core/store/fixtures keeps a database that each older
// format's last build wrote.
//   2 to 3: tables for changes that are held, fields that are kept (quarantine) and rows that are hidden (UNIQUE, references);
//           sync_model.shape and .seeds, sync_row.seed, sync_origin.opening, sync_origin.horizon_hlc
#pragma once

#include "core/base/expected.h"

struct sqlite3;

namespace starling {

// Before the engine's tables are made. Nothing to do for a new file. Error: the format is not one that we know.
[[nodiscard]] Expected<void> migrate_format(sqlite3*, const std::string& file);

}  // namespace starling
