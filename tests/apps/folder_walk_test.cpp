// The walk: what it lists, and what it refuses to be led to.
#include "apps/common/folder_walk.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <set>

#include "tests/apps/temp_folder.h"
#include "tests/apps/tree.h"

namespace starling::test {
namespace {

namespace fs = std::filesystem;
using apps::EntryKind;
using apps::FolderWalk;
using apps::FoundFolder;

constexpr uid_t kNobody = 65534;

std::vector<FoundFolder> walk_all(const fs::path& root, FolderWalk::Options options = {}) {
  Expected<FolderWalk> walk = FolderWalk::open(root.string(), options);
  REQUIRE_MESSAGE(walk.has_value(), (walk ? "" : walk.error().text()));
  std::vector<FoundFolder> all;
  while (auto folder = walk->next()) all.push_back(std::move(*folder));
  return all;
}

std::set<Bytes> paths_of(const std::vector<FoundFolder>& folders) {
  std::set<Bytes> paths{""};
  for (const FoundFolder& folder : folders) {
    for (const auto& entry : folder.entries) paths.insert(folder.path.empty() ? entry.name : folder.path + "/" + entry.name);
  }
  return paths;
}

std::set<Bytes> paths_of(const Listing& listing) {
  std::set<Bytes> paths;
  for (const auto& [path, what] : listing) paths.insert(path);
  return paths;
}

}  // namespace

TEST_CASE("folder walk: with and without details, with few descriptors and many, the paths are those of find(1)") {
  TempFolder temp;
  make_odd_tree(temp / "odd");
  const std::set<Bytes> expected = paths_of(list_with_find(temp / "odd"));
  for (const bool details : {true, false}) {
    for (const std::size_t open_max : {std::size_t{2}, std::size_t{64}}) {
      CAPTURE(details);
      CAPTURE(open_max);
      FolderWalk::Options options;
      options.details = details;
      options.open_max = open_max;
      CHECK(paths_of(walk_all(temp / "odd", options)) == expected);
    }
  }
}

TEST_CASE("folder walk: few descriptors stay open, however wide and deep the tree") {
  TempFolder temp;
  for (int i = 0; i < 5; ++i) {
    fs::path at = temp.path();
    for (int depth = 0; depth < 12; ++depth) at /= "d" + std::to_string(i);
    fs::create_directories(at);
    write_file(at / "leaf", "x");
  }
  FolderWalk::Options options;
  options.open_max = 3;
  Expected<FolderWalk> walk = FolderWalk::open(temp.path().string(), options);
  REQUIRE(walk.has_value());
  const auto open_now = [] { return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()); };
  const auto before = open_now();
  std::size_t leaves = 0;
  while (const auto folder = walk->next()) {
    CHECK(open_now() <= before + 3);
    for (const auto& entry : folder->entries) leaves += entry.name == "leaf" ? 1 : 0;
  }
  CHECK(leaves == 5);
}

TEST_CASE("folder walk: a folder comes before those inside it, names by their bytes") {
  TempFolder temp;
  for (const char* name : {"b", "a/z", "a/\xC3\xA9", "a/y"}) fs::create_directories(temp / name);
  std::vector<Bytes> order;
  for (const FoundFolder& folder : walk_all(temp.path())) order.push_back(folder.path);
  CHECK(order == std::vector<Bytes>{"", "a", "a/y", "a/z", "a/\xC3\xA9", "b"});
}

TEST_CASE("folder walk: a folder that becomes a link on the way is not followed") {
  TempFolder temp;
  fs::create_directories(temp / "outside");
  write_file(temp / "outside" / "secret", "x");
  fs::create_directories(temp / "in" / "folder");
  Expected<FolderWalk> walk = FolderWalk::open((temp / "in").string(), {});
  REQUIRE(walk.has_value());
  const auto root = walk->next();
  REQUIRE(root.has_value());
  REQUIRE(root->entries.size() == 1);
  CHECK(root->entries[0].kind == EntryKind::folder);
  fs::remove(temp / "in" / "folder");
  fs::create_directory_symlink(temp / "outside", temp / "in" / "folder");
  CHECK_FALSE(walk->next().has_value());
}

TEST_CASE("folder walk: the root itself may be reached through a link") {
  TempFolder temp;
  fs::create_directories(temp / "real" / "inside");
  fs::create_directory_symlink(temp / "real", temp / "link");
  CHECK(walk_all(temp / "link").size() == 2);
}

TEST_CASE("folder walk: what may not be read is listed with its reason, the rest goes on") {
  TempFolder temp;
  fs::permissions(temp.path(), fs::perms(0755));
  for (const char* name : {"closed", "no search", "open"}) {
    fs::create_directories(temp / name);
    write_file(temp / name / "file", "x");
  }
  fs::permissions(temp / "closed", fs::perms(0));
  fs::permissions(temp / "no search", fs::perms(0444));
  const bool root = ::geteuid() == 0;  // whom no permission stops
  if (root) REQUIRE(::seteuid(kNobody) == 0);
  const std::vector<FoundFolder> folders = walk_all(temp.path());
  if (root) REQUIRE(::seteuid(0) == 0);
  REQUIRE(folders.size() == 4);
  CHECK(folders[1].path == "closed");
  CHECK(folders[1].unreadable == "Permission denied");
  CHECK(folders[1].entries.empty());
  CHECK(folders[2].path == "no search");
  REQUIRE(folders[2].entries.size() == 1);
  CHECK(folders[2].entries[0].name == "file");
  CHECK(folders[2].entries[0].unreadable == "Permission denied");
  REQUIRE(folders[3].entries.size() == 1);
  CHECK(folders[3].entries[0].unreadable == "");
}

TEST_CASE("folder walk: beyond the greatest depth a folder is listed and not entered") {
  TempFolder temp;
  fs::create_directories(temp / "1/2/3/4");
  FolderWalk::Options options;
  options.depth_max = 2;
  const std::vector<FoundFolder> folders = walk_all(temp.path(), options);
  REQUIRE(folders.size() == 3);
  REQUIRE(folders[2].entries.size() == 1);
  CHECK(folders[2].entries[0].name == "3");
  CHECK(folders[2].entries[0].unreadable == "deeper than 2 folders");
}

}  // namespace starling::test
