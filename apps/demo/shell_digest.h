// The rows of each table, hashed by the sqlite3 shell alone.
//
// Starling could be wrong about itself; this asks another program. The shell opens the database file read-only and runs
// its own sha3_query() over an ordered SELECT of each table, types included.
#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace starling::demo {

struct ShellDigest {
  std::uint64_t rows = 0;
  std::string sha3;  // SHA3-256, hexadecimal
};

// By table. Throws Failed where the shell is missing or fails.
[[nodiscard]] std::map<std::string, ShellDigest> shell_digests(const std::filesystem::path& database);

}  // namespace starling::demo
