// Folders to index: made for a test, listed by find(1), and as the entry table has them.
//
// find(1) is the indexer's naive twin: another program's walk of the same folder, byte for byte. A table and a folder
// are the same when the two maps are.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "core/base/bytes.h"
#include "core/base/prng.h"
#include "core/store/reader.h"

namespace starling::test {

void write_file(const std::filesystem::path&, const std::string& content);

// Files, folders, links of all kinds, a pipe, a socket, names that are not UTF-8, a tree deeper than PATH_MAX.
void make_odd_tree(const std::filesystem::path& root);
// `files` small files in folders of about twenty.
void make_plain_tree(const std::filesystem::path& root, std::size_t files);
// One random change somewhere in the tree.
void change_something(const std::filesystem::path& root, Prng&);

// Path below the root ("" for the root) -> "kind size mode modified_ms".
using Listing = std::map<Bytes, std::string>;
[[nodiscard]] Listing list_with_find(const std::filesystem::path& root);
[[nodiscard]] Listing list_table(const Reader&, const Bytes& location);
// The differences for a failed test's message, a few of them; empty: none.
[[nodiscard]] std::string differences(const Listing& expected, const Listing& found);

}  // namespace starling::test
