// The simulated network: each direction by itself, connections that end side by side, and the shell's deadlines.
#include <doctest/doctest.h>

#include "tests/sim/phrases.h"

namespace starling::sim {
namespace {

bool connected(const SimNode& node) { return !node.status().peers.empty(); }

std::uint64_t hellos(Cluster& cluster) { return cluster.wire().of("Hello").messages; }

Duration since(const Cluster& cluster, MonoTime start) { return cluster.now() - start; }

// Until `done` says so; gives how long it took.
template <class Condition>
Duration time_until(Cluster& cluster, Duration at_most, const Condition& done) {
  const MonoTime start = cluster.now();
  while (!done() && since(cluster, start) < at_most) cluster.run_for(10ms);
  return since(cluster, start);
}

}  // namespace

TEST_CASE("[N2] A one-way stall: the other direction flows, the stalled side is thought dead, and all heals") {
  Pair p;
  Network& network = p.cluster.network();
  network.stall(p.a, p.b);
  write_notes(p.a, "a", 0, 1);
  write_notes(p.b, "b", 0, 1);
  p.cluster.run_for(10s);
  CHECK(p.a.count("note") == 2);
  CHECK(p.b.count("note") == 1);
  CHECK(connected(p.a));
  CHECK(connected(p.b));
  const Duration until_b_gives_up = time_until(p.cluster, 2min, [&] { return !connected(p.b); });
  CHECK(until_b_gives_up > limits::kSilenceMax - limits::kHeartbeatEvery - 10s);
  CHECK(until_b_gives_up <= limits::kSilenceMax);
  p.cluster.run_for(1s);
  CHECK_FALSE(connected(p.a));  // B's close reached it
  CHECK(network.faults().ends_by_silence == 1);
  p.cluster.run_for(5min);  // nobody can dial
  CHECK_FALSE(connected(p.a));
  CHECK_FALSE(connected(p.b));
  network.release(p.a, p.b);
  p.settle();
  CHECK(p.b.count("note") == 2);
  p.cluster.expect_converged();
}

TEST_CASE("A stall of both directions: each side gives up by itself") {
  Pair p;
  p.cluster.network().stall(p.a, p.b);
  p.cluster.network().stall(p.b, p.a);
  p.cluster.run_for(limits::kSilenceMax + 1s);
  CHECK_FALSE(connected(p.a));
  CHECK_FALSE(connected(p.b));
  CHECK(p.cluster.network().faults().ends_by_silence == 2);
  write_notes(p.a, "a", 0, 1);
  p.settle();  // what a stall holds back does not count: the rest is quiet
  p.cluster.network().release(p.a, p.b);
  p.cluster.network().release(p.b, p.a);
  p.settle();
  CHECK(p.b.count("note") == 1);
  p.cluster.expect_converged();
}

TEST_CASE("A clog: it passes, nothing on the way is lost, and the connection stays") {
  Pair p;
  const std::uint64_t before = hellos(p.cluster);
  p.cluster.network().clog(p.a, p.b, 20s);
  for (int i = 0; i < 10; ++i) write_notes(p.a, "a", i, 1);
  p.cluster.run_for(19s);
  CHECK(p.b.count("note") == 0);
  p.settle();  // waits for it
  CHECK(p.b.count("note") == 10);
  CHECK(hellos(p.cluster) == before);
  CHECK(p.cluster.network().faults().clogs == 1);
  p.cluster.expect_converged();
}

TEST_CASE("A stall that begins during a clog: lasts until it is released") {
  Pair p;
  p.cluster.network().clog(p.a, p.b, 1s);
  p.cluster.network().stall(p.a, p.b);
  write_notes(p.a, "a", 0, 1);
  p.cluster.run_for(10s);
  CHECK(p.b.count("note") == 0);
  p.cluster.network().clog(p.a, p.b, 1s);  // nor does a later clog end it
  p.cluster.run_for(10s);
  CHECK(p.b.count("note") == 0);
  p.cluster.network().release(p.a, p.b);
  p.settle();
  CHECK(p.b.count("note") == 1);
}

TEST_CASE("A peer that takes nothing: the sender gives up after 30 s, the receiver after 75 s of silence") {
  Pair p;
  p.cluster.network().stall(p.a, p.b);
  p.cluster.network().stall(p.b, p.a);
  for (int i = 0; i < 10; ++i) p.a.write("INSERT INTO note(id, body) VALUES (?, ?)", numbered("n", i), noise(100 * limits::KiB, static_cast<std::uint64_t>(i)));
  p.cluster.run_for(29s);
  CHECK(connected(p.a));
  p.cluster.run_for(2s);
  CHECK_FALSE(connected(p.a));
  CHECK(connected(p.b));  // half open: A's close cannot reach it
  CHECK(p.cluster.network().faults().ends_by_send_deadline == 1);
  p.cluster.run_for(limits::kSilenceMax);
  CHECK_FALSE(connected(p.b));
  p.cluster.network().release(p.a, p.b);
  p.cluster.network().release(p.b, p.a);
  p.settle();
  CHECK(p.b.count("note") == 10);
  p.cluster.expect_converged();
}

TEST_CASE("[N24] A link of 1 kB/s: takes its time and is not dead; the other direction is fast") {
  Pair p;
  Quality slow;
  slow.bytes_per_second = 1000;
  p.cluster.network().set_quality(p.a, p.b, slow);
  p.a.write("INSERT INTO note(id, body) VALUES ('large', ?)", noise(120'000, 1));
  p.b.write("INSERT INTO note(id, body) VALUES ('quick', ?)", noise(120'000, 2));
  CHECK(time_until(p.cluster, 1min, [&] { return p.a.count("note") == 2; }) < 1s);
  const Duration took = time_until(p.cluster, 10min, [&] { return p.b.count("note") == 2; });
  CHECK(took > 118s);
  CHECK(took < 125s);
  CHECK(p.cluster.network().faults().ends_by_send_deadline == 0);
  CHECK(p.cluster.network().faults().ends_by_silence == 0);
  p.settle();
  p.cluster.expect_converged();
}

TEST_CASE("A slow link that was clogged: what had gathered passes at its rate, too") {
  Pair p;
  Quality slow;
  slow.bytes_per_second = 1000;
  p.cluster.network().set_quality(p.a, p.b, slow);
  p.cluster.network().clog(p.a, p.b, 20s);
  p.a.write("INSERT INTO note(id, body) VALUES ('n', ?)", noise(20'000, 1));
  const Duration took = time_until(p.cluster, 2min, [&] { return p.b.count("note") == 1; });
  CHECK(took > 39s);
  CHECK(took < 42s);
}

TEST_CASE("A process that dies says so; a computer that loses power does not, and is missed only in time") {
  Pair p;
  p.b.kill();
  p.cluster.run_for(1s);
  CHECK_FALSE(connected(p.a));
  p.b.restart();
  p.settle();
  CHECK(connected(p.a));
  p.b.cut_power();
  p.cluster.run_for(30s);
  CHECK(connected(p.a));
  p.cluster.run_for(limits::kSilenceMax);
  CHECK_FALSE(connected(p.a));
  p.b.restart();
  p.settle();
  p.cluster.expect_converged();
}

TEST_CASE("A device that comes back before its peer has missed it: the new connection takes the place of the old") {
  NetworkCount sum;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    for (const bool talks : {false, true}) {
      Pair p(seed);
      SimNode& comes_back = seed % 2 == 0 ? p.a : p.b;  // the lower device id, or the other
      SimNode& stays = seed % 2 == 0 ? p.b : p.a;
      comes_back.cut_power();
      if (talks) write_notes(stays, "n", 0, 1);
      p.cluster.run_for(1s);
      REQUIRE(connected(stays));
      comes_back.restart();
      if (talks) write_notes(stays, "n", 1, 1);
      const MonoTime start = p.cluster.now();
      p.settle();
      CHECK(since(p.cluster, start) < 10s);
      CHECK(connected(stays));
      p.cluster.expect_converged();
      sum.half_open += p.cluster.network().faults().half_open;
      sum.resets += p.cluster.network().faults().resets;
    }
  }
  CHECK(sum.half_open > 0);
  CHECK(sum.resets > 0);
}

TEST_CASE("A cut: counted, and whether it fell inside a frame") {
  Pair p;
  p.cluster.network().cut_after(p.a, p.b, 1000);
  p.a.write("INSERT INTO note(id, body) VALUES ('n', ?)", noise(100'000, 1));
  p.settle();
  CHECK(p.cluster.network().faults().cuts == 1);
  CHECK(p.cluster.network().faults().cuts_in_frame == 1);
  CHECK(p.b.count("note") == 1);
  p.cluster.expect_converged();
}

TEST_CASE("[F7] Eight hours of sleep: dialled at a bounded pace meanwhile, and one session with each peer when it wakes") {
  constexpr std::uint64_t kHours = 8;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    CAPTURE(seed);
    Cluster cluster(seed);
    SimNode& a = cluster.create("A");
    SimNode& b = cluster.join("B");
    SimNode& c = cluster.join("C");
    cluster.connect_all();
    cluster.run_until_quiet();
    write_notes(b, "b", 0, 5);
    b.suspend();  // what it has just written is on no wire yet
    const std::uint64_t awake = hellos(cluster);
    for (std::uint64_t hour = 0; hour < kHours; ++hour) {
      write_notes(a, "a", static_cast<std::int64_t>(hour), 1);
      write_files(c, "c", static_cast<std::int64_t>(hour), 1);
      cluster.run_for(1h);
    }
    CHECK(hellos(cluster) == awake);  // nobody gets so far as to say it
    CHECK(cluster.network().faults().unanswered <= kHours * 60 * 2 * 6);
    CHECK(cluster.network().faults().unanswered >= kHours * 60 * 2);  // nor does anybody give it up
    CHECK(cluster.network().faults().ends_by_silence == 2);  // each peer has missed it once
    CHECK(c.count("note") == kHours);
    CHECK(a.count("file") == kHours);
    CHECK(b.count("note") == 5);
    b.wake();
    cluster.run_for(1min);
    CHECK(hellos(cluster) - awake <= 8);  // two of each session, and once more where both dialled
    for (const SimNode* node : {&a, &b, &c}) {
      CHECK(node->status().peers.size() == 2);
      CHECK(node->count("note") == kHours + 5);
      CHECK(node->count("file") == kHours);
    }
    cluster.run_until_quiet();
    cluster.expect_converged();
  }
}

TEST_CASE("Delays: what happens on other links does not shift them") {
  const auto shown_after = [](bool others) {
    Cluster cluster;
    SimNode& a = cluster.create("A");
    SimNode& b = cluster.join("B");
    SimNode& c = cluster.create("C");
    SimNode& d = cluster.join("D");
    cluster.network().config.delay_max = 1s;
    if (others) cluster.connect(c, d);
    if (others) write_notes(c, "c", 0, 100);
    cluster.connect(a, b);
    write_notes(a, "a", 0, 3);
    return time_until(cluster, 1min, [&] { return b.count("note") == 3; });
  };
  CHECK(shown_after(false) == shown_after(true));
}

}  // namespace starling::sim
