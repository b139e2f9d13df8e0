// What fuzzing has found so far, and what it begins with, in every build.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "tests/fuzz/target.h"

using namespace starling;

namespace {

const std::filesystem::path kCorpus = STARLING_FUZZ_CORPUS;

Bytes content(const std::filesystem::path& file) {
  std::ostringstream all;
  all << std::ifstream(file, std::ios::binary).rdbuf();
  return std::move(all).str();
}

}  // namespace

TEST_CASE("each target keeps its promise for its seeds, and for every beginning of them") {
  for (const fuzz::Target& target : fuzz::targets()) {
    CAPTURE(target.name);
    for (const Bytes& seed : target.seeds()) {
      CHECK_NOTHROW(target.check(seed));
      for (std::size_t n = 0; n < std::min<std::size_t>(seed.size(), 64); ++n) {
        CHECK_NOTHROW(target.check(BytesView(seed).substr(0, n)));
      }
    }
  }
}

TEST_CASE("each target keeps its promise for its corpus") {
  for (const fuzz::Target& target : fuzz::targets()) {
    std::size_t files = 0;
    for (const auto& file : std::filesystem::directory_iterator(kCorpus / target.name)) {
      CAPTURE(file.path());
      CHECK_NOTHROW(target.check(content(file.path())));
      ++files;
    }
    CHECK(files > 0);
  }
}

TEST_CASE("each corpus has a target") {
  std::set<std::string> names;
  for (const fuzz::Target& target : fuzz::targets()) names.insert(target.name);
  for (const auto& folder : std::filesystem::directory_iterator(kCorpus)) {
    CHECK(names.contains(folder.path().filename().string()));
  }
}
