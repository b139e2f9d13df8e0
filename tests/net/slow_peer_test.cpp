// A peer that does not read costs its own session, in bounds, and nobody else anything.
#include <doctest/doctest.h>

#include <thread>

#include "proto/frame_reader.h"
#include "tests/net/endpoint.h"
#include "tests/net/raw_client.h"

using namespace starling;

namespace {

std::uint16_t port_of(const Endpoint& endpoint) {
  const std::string address = endpoint.address();
  return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
}

std::size_t resident_kib() {
  std::size_t pages = 0, resident = 0;
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  REQUIRE(file != nullptr);
  const int read = std::fscanf(file, "%zu %zu", &pages, &resident);
  std::fclose(file);
  REQUIRE(read == 2);
  return resident * 4;
}

}  // namespace

TEST_CASE("[N24] a peer that stops reading fills its outbox, is told of once a batch, and the others notice nothing") {
  Pair pair;  // b serves, a is quick
  const TlsIdentity stopped = new_identity();
  pair.b.knows(stopped.device());
  RawTls slow(stopped);
  REQUIRE(!slow.connect(port_of(pair.b)));
  REQUIRE(!slow.write(encode_frame(some_hello())));
  REQUIRE(pair.b.wait_for_peer(stopped.device()));
  const SessionId session = pair.b.seen().session_of(stopped.device());

  const auto frame = std::make_shared<const Bytes>(encode_frame(some_entry(1'000'000)));
  std::uint64_t batches = 0;
  const auto before = resident_kib();
  while (pair.b.seen().full < 50) {
    std::vector<NetCommand> commands;
    for (int i = 0; i < 5; ++i) commands.emplace_back(SendFrame{{session}, frame});
    pair.b.network().execute(std::move(commands));
    ++batches;
    CHECK(longest_round_trip(pair.a, pair.b, 1, 0ms) < 500ms);
    REQUIRE(batches < 1000);
  }
  CHECK(pair.b.seen().full <= batches);
  CHECK(resident_kib() - before < 64 * 1024);
  CHECK(pair.b.seen().session_of(stopped.device()) == session);  // it lives on

  // It reads again: what was queued comes, whole frames only, at least half an outbox of them.
  FrameReader reader(limits::kFrameMax);
  std::size_t frames = 0;
  for (;;) {
    const Bytes bytes = slow.read(500ms);
    if (bytes.empty()) break;
    reader.feed(bytes);
    for (;;) {
      const Expected<std::optional<Message>> next = reader.next();
      REQUIRE(next);
      if (!*next) break;
      ++frames;
    }
  }
  CHECK(!slow.closed());
  CHECK(reader.buffered() == 0);
  CHECK(frames >= limits::kOutboxMax / 1'000'000 / 2);
  CHECK(longest_round_trip(pair.a, pair.b, 20, 1ms) < 500ms);
}

TEST_CASE("a replica that is stuck holds its peers back, in bounds, and goes on where it stopped") {
  Pair pair;
  Endpoint quick;
  pair.b.knows(quick.device());
  quick.knows(pair.b.device(), {pair.b.address()});
  quick.start("");
  REQUIRE(pair.b.wait_for_peer(quick.device()));

  pair.b.consume(false);
  const auto before = resident_kib();
  std::uint64_t seq = 0;
  while (pair.a.seen().full == 0) {
    REQUIRE(pair.a.send_to(pair.b.device(), some_entry(1'000'000, ++seq)));
    REQUIRE(seq < 200);
    std::this_thread::sleep_for(2ms);
  }
  std::this_thread::sleep_for(100ms);
  const std::uint64_t read = pair.b.seen().entries[pair.a.device()];
  CHECK(read * 1'000'000 <= limits::kInboxMax + limits::kFrameMax);
  CHECK(resident_kib() - before < 96 * 1024);
  pair.b.consume(true);
  CHECK(pair.b.wait_for([&](const Endpoint::Seen& s) { return s.entries.at(pair.a.device()) >= seq - 10; }));
  CHECK(pair.b.seen().downs == 0);
}

TEST_CASE("few bytes that stand for many are counted as many") {
  const TlsIdentity peer = new_identity();
  Endpoint b;
  b.knows(peer.device());
  b.start();
  b.consume(false);
  RawTls client(peer);
  REQUIRE(!client.connect(port_of(b)));
  REQUIRE(!client.write(encode_frame(some_hello())));
  REQUIRE(b.wait_for_peer(peer.device()));
  SharedChange zeros;
  zeros.entry.assign(3'000'000, '\0');
  const Bytes frame = encode_frame(zeros);
  REQUIRE(frame.size() < 4096);
  Bytes many;
  for (int i = 0; i < 500; ++i) many += frame;
  REQUIRE(!client.write(many));
  std::this_thread::sleep_for(500ms);
  CHECK(b.seen().entries[peer.device()] <= 2);
}

// Minutes long, so only by hand: --no-skip
TEST_CASE("a peer that takes nothing is gone after 30 seconds, one that says nothing after 75" * doctest::skip()) {
  const TlsIdentity deaf = new_identity(), mute = new_identity();
  Endpoint b;
  b.knows(deaf.device());
  b.knows(mute.device());
  b.start();
  RawTls first(deaf), second(mute);
  for (RawTls* client : {&first, &second}) {
    REQUIRE(!client->connect(port_of(b)));
    REQUIRE(!client->write(encode_frame(some_hello())));
  }
  REQUIRE(b.wait_for_peer(deaf.device()));
  REQUIRE(b.wait_for_peer(mute.device()));
  const auto start = std::chrono::steady_clock::now();
  while (b.seen().full == 0) b.send_to(deaf.device(), some_entry(1'000'000));
  CHECK(b.wait_for([&](const Endpoint::Seen& s) { return s.session_of(deaf.device()) == 0; }, 40s));
  CHECK(std::chrono::steady_clock::now() - start > 29s);
  CHECK(b.seen().logged("took nothing for 30 s"));
  CHECK(b.wait_for([&](const Endpoint::Seen& s) { return s.session_of(mute.device()) == 0; }, 60s));
  CHECK(std::chrono::steady_clock::now() - start > 74s);
  CHECK(b.seen().logged("silent for 75 s"));
}
