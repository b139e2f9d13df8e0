#include "net/node.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "core/base/prng.h"
#include "tests/net/test_node.h"

using namespace starling;

TEST_CASE("a node alone: writes, reads, reopens, and keeps its identity") {
  TestNode a(Start::create);
  CHECK(a->wait_ready(1s));
  const Expected<CommitInfo> commit = a.put_note("1", "one");
  REQUIRE(commit);
  CHECK(commit->seq == Seq{1});
  CHECK(commit->rows == 1);
  CHECK(a.notes() == 1);
  const DeviceId id = a->device();
  const Expected<DeviceId> known = device_id(a.folder());
  REQUIRE(known);
  CHECK(*known == id);
  a.reopen();
  CHECK(a->device() == id);
  CHECK(a.notes() == 1);
  REQUIRE(a.put_note("2", "two"));
  CHECK(eventually([&] { return a->status().vector.at(a->status().self).seq == Seq{2}; }));
}

TEST_CASE("one node for each folder; errors of opening say what to do") {
  TestNode a(Start::create);
  Config again = a.config();
  const auto second = Node::open(again, test_models());
  REQUIRE(!second);
  CHECK(second.error().code == Errc::busy);

  a.close();
  again.workspace = "another";
  const auto other = Node::open(again, test_models());
  REQUIRE(!other);
  CHECK(other.error().code == Errc::wrong_workspace);

  again.workspace = a.config().workspace;
  again.peers = {Peer{*device_id(a.folder()), {}}};
  CHECK(!Node::open(again, test_models()));  // its own peer
  again.peers = {Peer{new_device(), {"nonsense"}}};
  CHECK(!Node::open(again, test_models()));
  again.peers.clear();

  REQUIRE(::chmod((a.folder() / "device.key").c_str(), 0644) == 0);
  const auto readable = Node::open(again, test_models());
  REQUIRE(!readable);
  CHECK(readable.error().remedy.find("chmod 600") == 0);
  REQUIRE(::chmod((a.folder() / "device.key").c_str(), 0600) == 0);

  again.listen = "nowhere:";
  auto opened = Node::open(again, test_models());
  REQUIRE(opened);
  CHECK(!(*opened)->start());
}

TEST_CASE("a transaction of 20 MiB: it is refused by no queue, and appears at once on the other device") {
  NodePair pair;
  Prng prng(1);
  const auto write = [&](TestNode& node, const std::string& prefix) {
    return node->commit_shared([&](Transaction& t) -> Expected<void> {
      for (int i = 0; i < 2'000; ++i) {
        std::string noise(10 * 1024, ' ');
        for (char& c : noise) c = static_cast<char>(prng.next());
        const auto done = t.exec("INSERT INTO note VALUES(?, 'large', CAST(? AS TEXT))", prefix + std::to_string(i), Blob{noise});
        if (!done) return done.error();
      }
      return {};
    });
  };
  const auto seen_in_part = [](TestNode& node) {
    const std::int64_t notes = node.notes();
    return notes % 2'000 != 0 ? notes : 0;
  };
  REQUIRE(write(pair.a, "a"));
  REQUIRE(write(pair.b, "b"));  // both at once, on one connection
  std::int64_t in_part = 0;
  CHECK(eventually([&] {
    in_part += seen_in_part(pair.a) + seen_in_part(pair.b);
    return pair.a.notes() == 4'000 && pair.b.notes() == 4'000;
  }, 60s));
  CHECK(in_part == 0);
  CHECK(eventually([&] { return pair.converged(); }));
  for (TestNode* node : {&pair.a, &pair.b}) {
    REQUIRE((*node)->status().peers.size() == 1);
    CHECK((*node)->status().peers[0].sessions == 1);  // nothing broke it
  }
}

TEST_CASE("a write on either side becomes visible on the other, both kinds, both directions") {
  NodePair pair;
  for (int i = 0; i < 20; ++i) {
    REQUIRE(pair.a.put_note("a" + std::to_string(i), "from a"));
    REQUIRE(pair.b.put_note("b" + std::to_string(i), "from b"));
    REQUIRE(pair.a.put_file("fa" + std::to_string(i), i));
    REQUIRE(pair.b.put_file("fb" + std::to_string(i), i));
  }
  CHECK(eventually([&] { return pair.converged() && pair.a.notes() == 40; }));
  CHECK(pair.b.count("file") == 40);
  for (TestNode* node : {&pair.a, &pair.b}) {
    const Status status = (*node)->status();
    REQUIRE(status.peers.size() == 1);
    CHECK(status.peers[0].sessions == 1);
    CHECK(status.peers[0].bytes_in > 0);
    CHECK(status.peers[0].bytes_out > 0);
    CHECK(status.failed.empty());
    CHECK(status.readiness == Readiness::ready);
    CHECK(eventually([&] { return (*node)->status().peers[0].state == PeerState::live; }));
  }
}

TEST_CASE("a change arrives within milliseconds") {
  NodePair pair;
  std::mutex mutex;
  std::condition_variable arrived;
  std::size_t seen = 0;
  const Subscription watch = pair.b->on_change([&](const ChangeEvent& event) {
    const std::scoped_lock lock(mutex);
    seen += event.rows.size();
    arrived.notify_all();
  });
  std::vector<std::chrono::microseconds> times;
  for (std::size_t i = 1; i <= 200; ++i) {
    const auto start = std::chrono::steady_clock::now();
    REQUIRE(pair.a.put_note("n" + std::to_string(i), "x"));
    std::unique_lock lock(mutex);
    REQUIRE(arrived.wait_for(lock, 10s, [&] { return seen == i; }));
    times.push_back(std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start));
  }
  std::sort(times.begin(), times.end());
  MESSAGE("write on a to callback on b: p50 ", times[100].count(), " us, p99 ", times[197].count(), " us");
  CHECK(times[100] < 100ms);
}

TEST_CASE("what was written while the other was away comes when it is back, and nothing comes twice") {
  NodePair pair;
  REQUIRE(pair.a.put_note("1", "both here"));
  REQUIRE(eventually([&] { return pair.converged(); }));
  pair.b.close();
  for (int i = 0; i < 50; ++i) {
    REQUIRE(pair.a.put_note("away" + std::to_string(i), "x"));
    REQUIRE(pair.a.put_file("away" + std::to_string(i), i));
  }
  pair.b.open();
  pair.b.start();
  CHECK(eventually([&] { return pair.converged(); }));
  CHECK(pair.b.notes() == 51);
  CHECK(pair.b->status().rows_applied == 100);

  pair.a.reopen();
  pair.b.reopen();
  REQUIRE(eventually([&] { return pair.connected(); }));
  std::this_thread::sleep_for(500ms);
  CHECK(pair.a->status().rows_applied == 0);
  CHECK(pair.b->status().rows_applied == 0);
}

TEST_CASE("a node that joins gets everything, is ready only then, and passes it on") {
  TestNode a(Start::create, "127.0.0.1:0");
  for (int i = 0; i < 500; ++i) REQUIRE(a.put_note(std::to_string(i), "x"));
  TestNode b(Start::join, "127.0.0.1:0");
  TestNode c(Start::join);
  CHECK(!b->wait_ready(50ms));
  REQUIRE(b->add_peer({a->device(), {a.address()}}));
  REQUIRE(a->add_peer({b->device(), {}}));
  REQUIRE(b->add_peer({c->device(), {}}));
  CHECK(b->wait_ready(10s));
  CHECK(b.notes() == 500);
  a.close();
  REQUIRE(c->add_peer({b->device(), {b.address()}}));
  CHECK(c->wait_ready(10s));
  CHECK(c.notes() == 500);
}

TEST_CASE("errors and throws roll a write back; a write inside a write is refused") {
  TestNode a(Start::create);
  const auto failed = a->write([](Transaction& t) -> Expected<void> {
    (void)t.exec("INSERT INTO note VALUES('1','x','y')");
    return Error{Errc::invalid_argument, "no", "", ""};
  });
  CHECK(!failed);
  CHECK_THROWS_AS((void)a->write([](Transaction& t) -> Expected<void> {
    (void)t.exec("INSERT INTO note VALUES('1','x','y')");
    throw std::runtime_error("no");
  }),
                  std::runtime_error);
  const auto nested = a->write([&](Transaction&) -> Expected<void> {
    const auto inner = a.put_note("1", "inner");
    REQUIRE(!inner);
    return inner.error();
  });
  REQUIRE(!nested);
  CHECK(nested.error().code == Errc::forbidden);
  CHECK(a.notes() == 0);
  CHECK(!a->commit_device_owned([](Transaction& t) -> Expected<void> {
    (void)t.exec("INSERT INTO note VALUES('1','x','y')");
    return {};
  }));
  CHECK(a.put_note("1", "outer"));
}

TEST_CASE("callbacks come in order, with no lock held, and may write; one that throws harms nobody") {
  NodePair pair;
  std::mutex mutex;
  std::vector<std::string> keys;
  std::atomic<int> local = 0;
  const Subscription careless = pair.b->on_change([](const ChangeEvent&) { throw std::runtime_error("careless"); });
  const Subscription watch = pair.b->on_change([&](const ChangeEvent& event) {
    for (const RowChange& row : event.rows) {
      if (row.local) {
        ++local;
        continue;
      }
      {
        const std::scoped_lock lock(mutex);
        keys.push_back(std::get<std::string>(row.key.at(0)));
      }
      CHECK(pair.b.put_file("copy" + std::to_string(keys.size()), 1));
    }
    (void)pair.b->status();
  });
  for (int i = 0; i < 100; ++i) REQUIRE(pair.a.put_note(std::to_string(1000 + i), "x"));
  CHECK(eventually([&] { return local == 100; }));
  const std::scoped_lock lock(mutex);
  REQUIRE(keys.size() == 100);
  CHECK(std::is_sorted(keys.begin(), keys.end()));
  CHECK(pair.b.logged("careless"));
}

TEST_CASE("a stuck callback delays neither writes nor peers; when it goes on, the rest is told as one") {
  NodePair pair;
  std::mutex mutex;
  std::condition_variable go_on;
  bool stuck = true;
  std::vector<std::size_t> told;
  const Subscription watch = pair.a->on_change([&](const ChangeEvent& event) {
    std::unique_lock lock(mutex);
    told.push_back(event.rows.size());
    go_on.wait(lock, [&] { return !stuck; });
  });
  const int writes = 500;
  auto longest = 0ms;
  for (int i = 0; i < writes; ++i) {
    const auto start = std::chrono::steady_clock::now();
    REQUIRE(pair.a.put_note(std::to_string(i), "x"));
    longest = std::max(longest,
                       std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start));
  }
  CHECK(longest < 1s);
  CHECK(eventually([&] { return pair.converged(); }));
  CHECK(pair.b.notes() == writes);
  std::unique_lock lock(mutex);
  REQUIRE(told.size() == 1);
  stuck = false;
  go_on.notify_all();
  lock.unlock();
  CHECK(eventually([&] {
    const std::scoped_lock look(mutex);
    return told.size() == 2 && told[0] + told[1] == 500;
  }));
}

TEST_CASE("writers get their turn while a peer's changes pour in") {
  TestNode a(Start::create, "127.0.0.1:0");
  for (int t = 0; t < 100; ++t) {
    REQUIRE(a->write([&](Transaction& tx) -> Expected<void> {
      for (int i = 0; i < 200; ++i)
        (void)tx.exec("INSERT INTO note VALUES(?,'title','a body of some length, so that it takes time')",
                      std::to_string(t * 200 + i));
      return {};
    }));
  }
  TestNode b(Start::join);
  REQUIRE(a->add_peer({b->device(), {}}));
  REQUIRE(b->add_peer({a->device(), {a.address()}}));
  std::vector<std::chrono::microseconds> times;
  while (!b->wait_ready(0ms)) {
    const auto start = std::chrono::steady_clock::now();
    REQUIRE(b.put_file("f" + std::to_string(times.size()), 1));
    times.push_back(std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start));
    REQUIRE(times.size() < 100'000);
  }
  std::sort(times.begin(), times.end());
  MESSAGE(times.size(), " writes while 20000 rows came in: p50 ", times[times.size() / 2].count(), " us, longest ",
          times.back().count(), " us");
  CHECK(times.back() < 1s);
  CHECK(b.notes() == 20'000);
}

TEST_CASE("a machine that fails stops the node, not the program") {
  struct Broken final : Clock {
    SystemClock real;
    std::atomic<bool> fails = false;
    [[nodiscard]] Now now() const override {
      if (fails) throw std::runtime_error("the clock fell off the wall");
      return real.now();
    }
  } clock;
  NodePair pair(&clock);
  clock.fails = true;
  REQUIRE(pair.a.put_note("1", "x"));  // the peer: brings an event to the broken one
  CHECK(eventually([&] { return !pair.b->status().failed.empty(); }));
  CHECK(pair.b->status().failed.find("the clock fell off the wall") != std::string::npos);
  clock.fails = false;
  const auto refused = pair.b.put_note("2", "x");
  REQUIRE(!refused);
  CHECK(refused.error().code == Errc::stopped);
  CHECK(!pair.b->wait_ready(1s));
  CHECK(pair.b.logged("the node stops itself"));
  CHECK(eventually([&] { return pair.a->status().peers[0].state != PeerState::live; }));  // it has hung up
  pair.b->stop();
  pair.b.reopen();
  CHECK(eventually([&] { return pair.converged(); }));
}

TEST_CASE("[N27] a peer of another schema or workspace is refused, with the reason on both sides") {
  TestNode a(Start::create, "127.0.0.1:0");
  TestNode b(Start::create);
  REQUIRE(a->add_peer({b->device(), {}}));
  REQUIRE(b->add_peer({a->device(), {a.address()}}));
  for (TestNode* node : {&a, &b}) {
    CHECK(eventually([&] { return (*node)->status().peers[0].state == PeerState::refused; }));
    CHECK((*node)->status().peers[0].why.find("created twice") != std::string::npos);
    CHECK((*node)->status().peers[0].sessions == 0);
  }
}

TEST_CASE("[F15] a node that is open and not started says nothing of itself; started, it is the one that it was") {
  NodePair pair;
  REQUIRE(pair.a.put_note("1", "x"));
  REQUIRE(pair.b.put_file("1", 1));
  REQUIRE(eventually([&] { return pair.converged(); }));
  const Origin self = pair.a->status().self;
  const Status before = pair.b->status();
  pair.a.close();
  pair.a.open();
  REQUIRE(eventually([&] { return pair.b->status().peers[0].state == PeerState::backing_off; }));
  const auto until = std::chrono::steady_clock::now() + 300ms;  // B dials meanwhile
  while (std::chrono::steady_clock::now() < until) {
    const Status status = pair.b->status();
    CHECK(status.peers[0].state != PeerState::live);
    CHECK(status.vector == before.vector);
    std::this_thread::sleep_for(5ms);
  }
  CHECK(pair.b->status().peers[0].sessions == before.peers[0].sessions);
  pair.a.start();
  REQUIRE(eventually([&] { return pair.converged(); }));
  CHECK(pair.a->status().self == self);
  const Status after = pair.b->status();
  CHECK(after.vector == before.vector);
  CHECK(after.rows_applied == before.rows_applied);
  CHECK(after.entries_applied == before.entries_applied);
  CHECK(after.duplicate_rows == before.duplicate_rows);
}

TEST_CASE("[N21] offline: no network, everything else; what was written so reaches a peer later") {
  TestNode a(Start::create);
  REQUIRE(a.put_note("1", "x"));
  a.close();
  Config config = a.config();
  config.start = Start::offline;
  config.listen = "127.0.0.1:0";
  auto node = Node::open(config, test_models());
  REQUIRE(node);
  CHECK((*node)->start());
  CHECK((*node)->port() == 0);
  CHECK((*node)->wait_ready(1s));
  const Position before = (*node)->status().vector.at((*node)->status().self);
  REQUIRE((*node)->write([](Transaction& t) -> Expected<void> {
    for (const char* sql : {"INSERT INTO note VALUES ('2', 'offline', '')", "INSERT INTO file VALUES ('offline', 1)"})
      if (const auto done = t.exec(sql); !done) return done.error();
    return {};
  }));
  const Position after = (*node)->status().vector.at((*node)->status().self);
  CHECK(after.seq == before.seq.next());
  CHECK(after.rev.value == before.rev.value + 1);
  node->reset();

  Config online = a.config();
  online.listen = "127.0.0.1:0";
  auto again = Node::open(online, test_models());
  REQUIRE(again);
  REQUIRE((*again)->start());
  TestNode b(Start::join);
  REQUIRE((*again)->add_peer({b->device(), {}}));
  b.add_peer({(*again)->device(), {"127.0.0.1:" + std::to_string((*again)->port())}});
  REQUIRE(b->wait_ready(20s));
  CHECK(b.notes() == 2);
  CHECK(b.count("file") == 1);
  CHECK(b->status().vector.at((*again)->status().self).covers(after));
}
