// One SQLite on one file: a second copy of the library in this process must not have our database open.
//
// A program may hold two copies of SQLite, for instance the system's and one that some library brings along. If both have
// one file open, then the first close() of either releases the locks of the other (POSIX locks belong to the process),
// and the database is corrupted sooner or later (https://sqlite.org/howtocorrupt.html, section 2.2.1). So before the node
// opens its file: if this process has it open already, and holds a second SQLite, that is refused. Which of the two has
// it open cannot be told; who uses the node's SQLite opens the node first.
#pragma once

#include <filesystem>

#include "core/base/expected.h"

namespace starling {

// Errc::busy, with the place and version of the other copy.
[[nodiscard]] Expected<void> check_one_sqlite(const std::filesystem::path& database);

}  // namespace starling
