// A Disk as SQLite sees it.
#pragma once

#include <sqlite3.h>

#include <string>

namespace starling::sim {

class Disk;

// To be registered; both outlive it.
[[nodiscard]] sqlite3_vfs vfs_of(Disk&, const std::string& name);

}  // namespace starling::sim
