#include <doctest/doctest.h>

#include <thread>

#include "tests/net/endpoint.h"
#include "tests/net/raw_client.h"

using namespace starling;

TEST_CASE("two devices that know each other connect, say Hello once each, and exchange messages") {
  Pair pair;
  CHECK(longest_round_trip(pair.a, pair.b, 200, 0ms) < 500ms);
  for (Endpoint* endpoint : {&pair.a, &pair.b}) {
    const Endpoint::Seen seen = endpoint->seen();
    CHECK(seen.ups == 1);
    CHECK(seen.downs == 0);
    CHECK(seen.hellos == 1);
    CHECK(seen.failed.empty());
  }
  const PeerLink link = pair.a.link(pair.b.device());
  CHECK(link.sessions == 1);
  CHECK(link.why.empty());
  CHECK(link.bytes_in > 200 * 200);
  CHECK(link.bytes_out > 200 * 200);
}

TEST_CASE("names and IPv6 are dialled as well") {
  for (const char* listen : {"localhost:0", "[::1]:0", ":0"}) {
    Endpoint a, b;
    b.knows(a.device());
    b.start(listen);
    const std::string host =
        std::string(listen) == ":0" ? "127.0.0.1" : std::string(listen).substr(0, std::string(listen).rfind(':'));
    a.knows(b.device(), {"no-such-host.invalid:1", host + b.address().substr(b.address().rfind(':'))});
    a.start("");
    CHECK(a.wait_for_peer(b.device()));
  }
}

TEST_CASE("frames of every size arrive whole and in order") {
  Pair pair;
  std::uint64_t seq = 0;
  for (const std::size_t bytes :
       {1U, 2U, 100U, 16'384U, 16'385U, 100'000U, 1'000'000U, 5U, static_cast<unsigned>(limits::kWholeEntryMax), 70U}) {
    for (int i = 0; i < 3; ++i) REQUIRE(pair.a.send_to(pair.b.device(), some_entry(bytes, ++seq)));
    REQUIRE(pair.b.wait_for([&](const Endpoint::Seen& s) {
      return s.last_seq.contains(pair.a.device()) && s.last_seq.at(pair.a.device()) == seq;
    }));
  }
  CHECK(pair.b.seen().entries[pair.a.device()] == seq);
}

TEST_CASE("what was queued before a close still arrives, and both sides hear of the end") {
  for (int round = 0; round < 20; ++round) {
    Pair pair;
    const SessionId session = pair.a.seen().session_of(pair.b.device());
    const std::size_t bytes = round % 2 == 0 ? 100 : 1'000'000;
    for (std::uint64_t seq = 1; seq <= 5; ++seq) pair.a.send(session, some_entry(bytes, seq));
    pair.b.send_to(pair.a.device(), some_entry(100'000));  // unread at a when it closes
    pair.a.close(session, {Errc::schema, "the models differ", "", ""});
    REQUIRE(pair.b.wait_for([](const Endpoint::Seen& s) { return s.downs > 0; }));
    CHECK(pair.b.seen().entries[pair.a.device()] == 5);
    REQUIRE(pair.a.wait_for([](const Endpoint::Seen& s) { return s.downs > 0; }));
    CHECK(pair.a.seen().logged("the models differ"));
  }
}

TEST_CASE("a peer that refuses is shown as refused, with its reason, even if our replica is slow to hear of it") {
  for (int round = 0; round < 10; ++round) {
    Pair pair;
    pair.a.consume(false);
    const SessionId session = pair.b.seen().session_of(pair.a.device());
    pair.b.send(session, ErrorMessage{Errc::schema, "the models differ", 0});
    pair.b.close(session, {Errc::schema, "no more of this", "", ""});
    REQUIRE(pair.a.wait_for([](const Endpoint::Seen& s) { return s.downs > 0; }));
    CHECK(pair.a.seen().logged("ended: the models differ"));
  }
}

TEST_CASE("a session that ends is dialled anew") {
  Pair pair;
  for (std::uint64_t round = 1; round <= 3; ++round) {
    pair.b.close(pair.b.seen().session_of(pair.a.device()), {Errc::internal, "again", "", ""});
    REQUIRE(pair.a.wait_for([&](const Endpoint::Seen& s) { return s.ups > round && !s.sessions.empty(); }));
    REQUIRE(pair.b.wait_for([&](const Endpoint::Seen& s) { return s.ups > round && !s.sessions.empty(); }));
    REQUIRE(pair.a.wait_for_peer(pair.b.device()));
    REQUIRE(pair.b.wait_for_peer(pair.a.device()));
  }
}

TEST_CASE("nothing behind the Hello is read before the peer is accepted, however large it is") {
  Endpoint b;
  RawTls client(new_identity());
  const TlsIdentity a = new_identity();
  RawTls known(a);
  b.knows(a.device());
  b.start();
  const std::uint16_t port = static_cast<std::uint16_t>(std::stoi(b.address().substr(10)));
  REQUIRE(!known.connect(port));
  Bytes both = encode_frame(some_hello());
  both += encode_frame(some_entry(3'000'000, 1));  // beyond kFrameBeforeHelloMax, and legal once accepted
  REQUIRE(!known.write(both));
  CHECK(b.wait_for([&](const Endpoint::Seen& s) { return s.entries.contains(a.device()); }));
}
