// Rules of ownership: two devices have a row of one key. Each shows its own; everybody else shows the lesser device's.
#include <doctest/doctest.h>

#include "tests/sim/story.h"

namespace starling::sim {
namespace {

// A and B have a file of one name, and all know.
void collide(Cluster& cluster, const Three& t) {
  put_file(t.a, "x", "of A");
  put_file(t.b, "x", "of B");
  everybody_meets(cluster);
  REQUIRE(shown_by(t.a) == "file x=of A");
  REQUIRE(shown_by(t.b) == "file x=of B");
  REQUIRE(shown_by(t.c) == "file x=of A");
}

}  // namespace

TEST_CASE("[R14] A device that lost its disk gets its own row back where another device has one of that key: it shows its own"
          " again, and may change it") {
  for (std::uint64_t seed = 1; seed <= kTellings; ++seed) {
    CAPTURE(seed);
    Cluster cluster(seed);
    const Three t(cluster);
    collide(cluster, t);
    everybody_parts(cluster);
    t.b.wipe();
    t.b.restart();
    cluster.let_meet(t.b, seed % 2 == 0 ? t.a : t.c);
    CHECK(shown_by(t.b) == "file x=of B");
    CHECK(t.b.try_write("UPDATE file SET path='of B, changed'"));
    everybody_meets(cluster);
    CHECK(shown_by(t.b) == "file x=of B, changed");
    CHECK(shown_by(t.a) == "file x=of A");
    CHECK(shown_by(t.c) == "file x=of A");
  }
}

TEST_CASE("[R14-deleted] The lesser device deletes its row: who knew it and who joins only then show the same") {
  for (std::uint64_t seed = 1; seed <= kTellings; ++seed) {
    CAPTURE(seed);
    Cluster cluster(seed);
    const Three t(cluster);
    collide(cluster, t);
    delete_file(t.a, "x");
    cluster.run_until_quiet();
    SimNode& newcomer = cluster.join("D");
    cluster.let_meet(seed % 2 == 0 ? t.a : t.b, newcomer);
    everybody_meets(cluster);
    CHECK(shown_by(newcomer) == shown_by(t.c));
    CHECK(shown_by(t.b) == "file x=of B");
  }
}

}  // namespace starling::sim
