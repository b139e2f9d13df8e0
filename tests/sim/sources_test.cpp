// A joiner and its sources: streams of devices that are away come from several at once, and none of them twice.
#include <doctest/doctest.h>

#include "tests/sim/phrases.h"

namespace starling::sim {
namespace {

constexpr int kOwners = 6;
constexpr int kFiles = 48;  // of 64 KiB: three times what one pull may have under way
constexpr std::uint64_t kRows = kOwners * kFiles;

// Six owners have told all their rows to S and T, and are gone. J joins from these two.
struct Joining {
  Cluster cluster;
  SimNode& s;
  SimNode& t;
  SimNode* j = nullptr;

  explicit Joining(std::uint64_t seed) : cluster(seed), s(cluster.create("S")), t(cluster.join("T")) {
    cluster.let_meet(s, t);
    std::vector<SimNode*> owners;
    for (int i = 0; i < kOwners; ++i) {
      SimNode& owner = cluster.join("O" + std::to_string(i));
      for (int k = 0; k < kFiles; ++k) {
        owner.write("INSERT INTO file VALUES (?, ?, 1, NULL)", Blob{numbered("f", 100 * i + k)},
                    noise(64 * limits::KiB, static_cast<std::uint64_t>(100 * i + k)));
      }
      cluster.connect(s, owner);
      cluster.connect(t, owner);
      owners.push_back(&owner);
    }
    cluster.run_until_quiet();
    for (SimNode* owner : owners) owner->kill();
    cluster.disconnect(s, t);
    cluster.run_until_quiet();
    j = &cluster.join("J");
    for (SimNode* source : {&s, &t}) {
      Quality line;
      line.bytes_per_second = 4 * limits::MiB;
      cluster.network().set_quality(*source, *j, line);
      cluster.connect(*source, *j);
    }
  }
  [[nodiscard]] std::uint64_t rows_from(const SimNode& source) { return cluster.network().count(source, *j).rows; }
  [[nodiscard]] std::uint64_t held() const { return static_cast<std::uint64_t>(j->count("file")); }
};

}  // namespace

TEST_CASE("A joiner with two sources: the streams of six owners who are away come from both at once, each row once") {
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    CAPTURE(seed);
    Joining told(seed);
    told.cluster.run_until_quiet();
    CHECK(told.held() == kRows);
    CHECK(told.rows_from(told.s) + told.rows_from(told.t) == kRows);
    CHECK(told.rows_from(told.s) >= kRows / 3);
    CHECK(told.rows_from(told.t) >= kRows / 3);
    CHECK(told.j->status().duplicate_rows == 0);
    told.cluster.expect_converged();
  }
}

TEST_CASE("[N25] A joiner with two sources, one of which dies: the other goes on from the positions, no row is taken twice") {
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    CAPTURE(seed);
    Joining told(seed);
    while (told.held() < kRows / 2) told.cluster.run_for(5ms);
    REQUIRE(told.rows_from(told.s) > 0);
    REQUIRE(told.rows_from(told.t) > 0);
    SimNode& dies = seed % 2 == 0 ? told.s : told.t;
    SimNode& stays = seed % 2 == 0 ? told.t : told.s;
    dies.kill();
    told.cluster.run_for(1ms);
    const std::uint64_t before = told.rows_from(stays);
    const std::uint64_t held = told.held();
    told.cluster.run_until_quiet();
    CHECK(told.held() == kRows);
    CHECK(told.rows_from(stays) - before <= kRows - held);
    CHECK(told.j->status().duplicate_rows == 0);
    told.cluster.expect_converged();
  }
}

}  // namespace starling::sim
