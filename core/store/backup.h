// A backup: the whole database as one file, while everybody goes on writing.
//
// SQLite's online backup, read from one snapshot. The copy is marked, so that whoever opens it in the place of the
// original knows that peers may have heard of more than it holds, and goes on under a new incarnation
// (Store::was_restored). Any thread; the writer is not disturbed.
#pragma once

#include <filesystem>

#include "core/base/expected.h"

namespace starling {

// Errors: there is a file already. A failing machine throws SQLite::Exception; then there is no `target`.
[[nodiscard]] Expected<void> back_up(const std::filesystem::path& database, const std::filesystem::path& target);

}  // namespace starling
