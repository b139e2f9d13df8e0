// Reads a whole database again, from one snapshot, on a connection of its own: is every row as it was written, and does
// another database hold the same?
//
// What the scrub (core/replica/scrubber.h) does in slices for ever, at once and for people: they ask after a disk has
// failed, or before they throw a copy away. Writes nothing and heals nothing.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "core/base/schema.h"

namespace starling {

inline constexpr std::size_t kBadRowsListed = 100;

struct VerifyReport {
  struct Row {
    std::string model;
    Bytes key;  // typed bytes
    std::string what;
  };
  std::uint64_t rows = 0;
  std::uint64_t damaged = 0;
  std::vector<Row> list;          // of the damaged, the first kBadRowsListed
  bool digests_are_good = true;   // they are those of the rows; not looked at where rows are damaged
  std::vector<std::string> file;  // what SQLite finds wrong with the file itself

  [[nodiscard]] bool all_well() const { return damaged == 0 && digests_are_good && file.empty(); }
};

struct Comparison {
  struct Row {
    std::string model;
    Bytes key;
    std::optional<Bytes> here, there;  // typed bytes of the other fields; nullopt: no such row
  };
  std::uint64_t rows = 0;  // here
  std::uint64_t different = 0;
  std::vector<Row> list;  // the first kBadRowsListed
};

[[nodiscard]] VerifyReport verify_database(const std::filesystem::path&, const Schema&);
// Errors: the other is no database of Starling's with these models.
[[nodiscard]] Expected<Comparison> compare_databases(const std::filesystem::path& here, const std::filesystem::path& there,
                                                     const Schema&);

}  // namespace starling
