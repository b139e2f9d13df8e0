// What a power cut, and a sync that failed, may leave of one file: everything that the rules allow, and nothing else.
#include <doctest/doctest.h>

#include <set>

#include "tests/sim/disk_file.h"
#include "tests/sim/phrases.h"

namespace starling::sim {

TEST_CASE("A file: gets back to what was synced through any writes and truncations, and forth again") {
  bool lost_all = false;
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    CAPTURE(seed);
    Prng prng(seed);
    const Bytes synced = noise(2000, seed);
    DiskFile file(synced);
    Bytes twin = synced;
    for (int i = 0; i < 3; ++i) {
      const std::size_t at = prng.below(3000);
      if (prng.chance(30)) {
        file.truncate(at);
        twin.resize(std::min(twin.size(), at));
        continue;
      }
      const Bytes bytes = noise(1 + prng.below(900), prng.next());
      file.write(at, bytes);
      twin.resize(std::max(twin.size(), at + bytes.size()));
      twin.replace(at, bytes.size(), bytes);
    }
    CHECK(file.data() == twin);
    if (seed % 2 == 0) {
      file.fail_to_sync();  // goes back, to see what is certain, and forth
      CHECK(file.data() == twin);
      continue;
    }
    (void)file.lose_power(prng);
    lost_all = lost_all || file.data() == synced;
  }
  CHECK(lost_all);
}

TEST_CASE("A power cut: a write is lost, whole, or there in any of its sectors; another has a fate of its own") {
  constexpr std::size_t kSector = DiskFile::kSector;
  std::set<std::string> seen;
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    Prng prng(seed);
    DiskFile file(Bytes(3 * kSector, 'a'));
    file.write(0, Bytes(2 * kSector, 'b'));
    file.write(2 * kSector, Bytes(kSector, 'c'));
    (void)file.lose_power(prng);
    seen.insert({file.data()[0], file.data()[kSector], file.data()[2 * kSector]});
  }
  CHECK(seen == std::set<std::string>{"aaa", "aba", "baa", "bba", "aac", "abc", "bac", "bbc"});
}

TEST_CASE("A sync that fails: a later one does not write what it left, a new write does") {
  constexpr std::size_t kSector = DiskFile::kSector;
  bool lost = false, kept = false;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Prng prng(seed);
    DiskFile file(Bytes(3 * kSector, 'a'));
    file.write(0, Bytes(3 * kSector, 'b'));
    file.fail_to_sync();
    CHECK(file.data() == Bytes(3 * kSector, 'b'));  // the process sees what it wrote
    file.sync();
    file.write(kSector + 10, "c");  // in the second sector, which is written as a whole
    file.sync();
    (void)file.lose_power(prng);
    lost = lost || file.data()[0] == 'a';
    kept = kept || file.data()[0] == 'b';
    CHECK(file.data().substr(kSector, kSector) == Bytes(10, 'b') + 'c' + Bytes(kSector - 11, 'b'));
  }
  CHECK(lost);
  CHECK(kept);
}

TEST_CASE("A sync that fails: of a sector that it left and that was written again, a power cut shows no mixture") {
  constexpr std::size_t kSector = DiskFile::kSector;
  const std::string old(kSector, 'a'), forgotten(kSector, 'b');
  std::set<std::string> seen;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Prng prng(seed);
    DiskFile file(old);
    file.write(0, forgotten);
    file.fail_to_sync();
    file.write(10, "c");
    (void)file.lose_power(prng);
    seen.insert(file.data());
  }
  CHECK(seen == std::set<std::string>{old, forgotten, Bytes(10, 'b') + 'c' + Bytes(kSector - 11, 'b')});
}

}  // namespace starling::sim
