// One session for each peer, whoever dialled, and the same one on both sides.
#include <doctest/doctest.h>

#include <asio/ip/v6_only.hpp>
#include <thread>

#include "tests/net/endpoint.h"
#include "tests/net/raw_client.h"

using namespace starling;

namespace {

bool one_live_session(Endpoint& x, const Endpoint& y) {
  return x.seen().count_of(y.device()) == 1 && x.link(y.device()).state == PeerState::live;
}

// A message of either side arrives at the other: both hold the same connection.
bool connected(Endpoint& a, Endpoint& b, std::uint64_t seq) {
  const auto arrives = [seq](Endpoint& from, Endpoint& to) {
    if (!from.send_to(to.device(), some_entry(10, seq))) return false;
    return to.wait_for(
        [&](const Endpoint::Seen& s) {
          return s.last_seq.contains(from.device()) && s.last_seq.at(from.device()) == seq;
        },
        1s);
  };
  return arrives(a, b) && arrives(b, a);
}

// A peer made of bare sockets, which can fall silent without a word.
struct RawPeer {
  RawPeer() : acceptor(io, {asio::ip::address_v4::loopback(), 0}) {}
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()); }

  TlsIdentity identity = new_identity();
  asio::io_context io;
  asio::ip::tcp::acceptor acceptor;
};

std::uint16_t port_of(const Endpoint& endpoint) {
  const std::string address = endpoint.address();
  return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
}

}  // namespace

TEST_CASE("both sides decide alike between two connections, and a winner stays the winner") {
  Prng prng(3);
  for (int round = 0; round < 1000; ++round) {
    DeviceId a, b;
    for (auto* id : {&a, &b})
      for (std::uint8_t& byte : id->raw) byte = static_cast<std::uint8_t>(prng.next());
    for (const bool older_by_a : {false, true}) {
      for (const bool newer_by_a : {false, true}) {
        const bool at_a = newer_stays(a, b, older_by_a, newer_by_a);
        const bool at_b = newer_stays(b, a, !older_by_a, !newer_by_a);
        CHECK(at_a == at_b);
        if (older_by_a != newer_by_a) {
          CHECK(at_a != newer_stays(a, b, newer_by_a, older_by_a));
          CHECK(at_a == ((newer_by_a ? a : b) < (newer_by_a ? b : a)));
        } else {
          CHECK(at_a);
        }
      }
    }
  }
}

TEST_CASE("two devices that dial each other end with one session, in every round, and leave it alone") {
  std::uint64_t replaced = 0;
  const TlsIdentity one = new_identity();
  const TlsIdentity two = new_identity();
  for (std::uint64_t round = 1; round <= 60; ++round) {
    Endpoint a(one), b(two);
    a.start();
    b.start();
    std::thread other([&] { a.knows(b.device(), {b.address()}); });
    b.knows(a.device(), {a.address()});
    other.join();
    // One side may be refused at first, because the other did not know it yet.
    REQUIRE(a.wait_for([&](const Endpoint::Seen&) { return true; }));
    const auto give_up = std::chrono::steady_clock::now() + 10s;
    std::uint64_t tries = 0;
    while (!(one_live_session(a, b) && one_live_session(b, a) && connected(a, b, round * 1000 + ++tries))) {
      REQUIRE(std::chrono::steady_clock::now() < give_up);
      std::this_thread::sleep_for(1ms);
    }
    const std::uint64_t ups = a.seen().ups + b.seen().ups;
    replaced += ups - 2;
    if (round % 30 != 0) continue;
    std::this_thread::sleep_for(2500ms);  // longer than a loser is kept
    CHECK(a.seen().ups + b.seen().ups == ups);
    CHECK(connected(a, b, round * 1000 + 999));
  }
  MESSAGE("sessions replaced in 60 rounds: ", replaced);
}

TEST_CASE("five devices that all dial each other hold ten sessions, and keep them") {
  std::vector<std::unique_ptr<Endpoint>> all;
  for (int i = 0; i < 5; ++i) all.push_back(std::make_unique<Endpoint>());
  for (auto& endpoint : all) endpoint->start();
  for (auto& x : all)
    for (auto& y : all)
      if (x != y) x->knows(y->device(), {y->address()});
  const auto complete = [&] {
    for (auto& x : all)
      for (auto& y : all)
        if (x != y && !one_live_session(*x, *y)) return false;
    return true;
  };
  const auto start = std::chrono::steady_clock::now();
  while (!complete()) {
    REQUIRE(std::chrono::steady_clock::now() - start < 10s);
    std::this_thread::sleep_for(5ms);
  }
  std::this_thread::sleep_for(500ms);  // what is under way settles
  REQUIRE(complete());
  std::vector<std::uint64_t> ups;
  for (auto& x : all) ups.push_back(x->seen().ups);
  std::this_thread::sleep_for(2500ms);
  for (std::size_t i = 0; i < all.size(); ++i) CHECK(all[i]->seen().ups == ups[i]);
  CHECK(complete());
}

TEST_CASE("a device that lost power and dials again takes the place of the session it no longer knows") {
  // The endpoint has the lower id, so the session that it dialled wins over one that the peer dials.
  RawPeer peer;
  TlsIdentity lower = new_identity();
  while (!(lower.device() < peer.identity.device())) lower = new_identity();
  Endpoint a(std::move(lower));
  a.knows(peer.identity.device(), {peer.address()});
  a.start();
  RawTls first(peer.identity.context(TlsRole::server));
  REQUIRE(!first.accept(peer.acceptor));
  REQUIRE(!first.write(encode_frame(some_hello())));
  REQUIRE(a.wait_for_peer(peer.identity.device()));

  SUBCASE("it is the only one that remembers nothing: the new connection wins after two seconds") {
    RawTls second(peer.identity);
    REQUIRE(!second.connect(port_of(a)));
    CHECK(second.read(1s).empty());
    CHECK(!second.closed());
    CHECK(a.seen().ups == 1);
    CHECK(!second.read(4s).empty());  // its Hello
    CHECK(a.seen().ups == 2);
    CHECK(a.seen().count_of(peer.identity.device()) == 1);
  }
  SUBCASE("it holds the first and hangs up: the first stays") {
    RawTls second(peer.identity);
    REQUIRE(!second.connect(port_of(a)));
    CHECK(second.read(500ms).empty());
    second.hang_up();
    std::this_thread::sleep_for(2500ms);
    CHECK(a.seen().ups == 1);
    CHECK(a.seen().count_of(peer.identity.device()) == 1);
  }
  SUBCASE("the first ends while the second waits: the second takes over at once") {
    RawTls second(peer.identity);
    REQUIRE(!second.connect(port_of(a)));
    CHECK(second.read(300ms).empty());
    first.hang_up();
    CHECK(!second.read(1s).empty());
    CHECK(a.seen().count_of(peer.identity.device()) == 1);
  }
}

TEST_CASE("a newer connection of the same dialler replaces the older at once") {
  const TlsIdentity peer = new_identity();
  Endpoint b;
  b.knows(peer.device());
  b.start();
  std::vector<std::unique_ptr<RawTls>> connections;
  for (std::uint64_t i = 1; i <= 5; ++i) {
    connections.push_back(std::make_unique<RawTls>(peer));
    REQUIRE(!connections.back()->connect(port_of(b)));
    CHECK(!connections.back()->read(2s).empty());
    CHECK(b.seen().ups == i);
    CHECK(b.seen().downs == i - 1);
    CHECK(b.seen().count_of(peer.device()) == 1);
  }
  for (std::size_t i = 0; i + 1 < connections.size(); ++i) CHECK(connections[i]->until_closed() < 1s);
}
