// A network stops in time, whatever it is doing.
#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "tests/net/endpoint.h"
#include "tests/net/raw_client.h"

using namespace starling;

namespace {

std::chrono::milliseconds stop_time(Endpoint& endpoint, std::chrono::milliseconds linger) {
  const auto start = std::chrono::steady_clock::now();
  endpoint.stop(linger);
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
}

}  // namespace

TEST_CASE("stopping at random moments, with everything under way") {
  Prng prng(11);
  auto longest = 0ms;
  for (int round = 0; round < 40; ++round) {
    Endpoint a, b, c;
    for (Endpoint* x : {&a, &b, &c}) x->start();
    for (Endpoint* x : {&a, &b, &c})
      for (Endpoint* y : {&a, &b, &c})
        if (x != y) x->knows(y->device(), {y->address(), "localhost:1"});
    std::atomic<bool> done = false;
    std::thread sender([&] {
      for (std::uint64_t seq = 1; !done; ++seq) {
        a.send_to(b.device(), some_entry(1 + seq % 20'000, seq));
        c.send_to(b.device(), some_entry(100, seq));
      }
    });
    std::this_thread::sleep_for(std::chrono::microseconds(prng.below(40'000)));
    longest = std::max(longest, stop_time(b, 200ms));
    std::this_thread::sleep_for(std::chrono::microseconds(prng.below(5'000)));
    done = true;
    sender.join();
    longest = std::max(longest, stop_time(a, 0ms));
    longest = std::max(longest, stop_time(c, 200ms));
    for (Endpoint* x : {&a, &b, &c}) {
      CHECK(x->seen().sessions.empty());
      CHECK(x->seen().failed.empty());
    }
  }
  CHECK(longest < 2s);
  MESSAGE("longest stop: ", longest.count(), " ms");
}

TEST_CASE("peers that hang in the middle of everything do not delay a stop") {
  Endpoint b;
  const TlsIdentity deaf = new_identity();
  b.knows(deaf.device());
  asio::io_context io;
  asio::ip::tcp::acceptor silent(io, {asio::ip::address_v4::loopback(), 0});  // takes connections, says nothing
  b.knows(new_identity().device(), {"127.0.0.1:" + std::to_string(silent.local_endpoint().port())});
  b.start();
  const auto port = static_cast<std::uint16_t>(std::stoi(b.address().substr(10)));
  RawTls client(deaf);
  REQUIRE(!client.connect(port));
  REQUIRE(!client.write(encode_frame(some_hello())));
  REQUIRE(b.wait_for_peer(deaf.device()));
  RawSocket mute(port);
  while (b.seen().full == 0) b.send_to(deaf.device(), some_entry(1'000'000));
  CHECK(stop_time(b, 300ms) < 1s);
}

TEST_CASE("stopping before the start, at once after it, twice, and never") {
  Endpoint never, twice;
  never.network().stop(0ms);
  CHECK(never.network().wait_stopped(std::chrono::steady_clock::now()));
  twice.start();
  twice.network().stop(0ms);
  twice.network().stop(1s);
  CHECK(twice.network().wait_stopped(std::chrono::steady_clock::now() + 1s));
}

TEST_CASE("an address that is taken, or not ours, is an error with a remedy") {
  Endpoint a;
  a.start();
  const TlsIdentity identity = new_identity();
  PeerBook book(identity.device());
  ConnectionManager network(identity, book, a, Log(), 1);
  const Expected<std::uint16_t> taken = network.start(a.address());
  REQUIRE(!taken);
  CHECK(taken.error().code == Errc::busy);
  CHECK(!taken.error().remedy.empty());
  CHECK(!network.start("192.0.2.1:0"));
  CHECK(!network.start("no-such-host.invalid:0"));
  CHECK(!network.start("7400"));
  CHECK(network.start("127.0.0.1:0"));
}
