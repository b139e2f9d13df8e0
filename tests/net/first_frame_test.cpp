// A paired device whose first frame is not a Hello: in any bit of its head, in its length, in its kind. A real node
// refuses it within five seconds, and serves its other peer as if nothing had happened.
#include <atomic>
#include <deque>

#include "proto/frame_reader.h"
#include "tests/net/raw_client.h"
#include "tests/net/test_node.h"
#include "tests/proto/samples.h"

using namespace starling;

namespace {

constexpr auto kRefusedWithin = 5500ms;  // five seconds, and what a busy machine adds

TlsIdentity new_identity() {
  const TempFolder temp;
  return TlsIdentity::load(temp / "device.key").value();
}

// What came within a second, up to the end; a broken frame fails the test.
std::vector<Message> heard(RawTls& client, std::size_t at_least = 1) {
  FrameReader frames(limits::kFrameMax);
  std::vector<Message> messages;
  while (!client.closed() && messages.size() < at_least) {
    frames.feed(client.read(1s));
    for (;;) {
      Expected<std::optional<Message>> next = frames.next();
      REQUIRE(next);
      if (!*next) break;
      messages.push_back(std::move(**next));
    }
  }
  return messages;
}

// Two nodes; one writes all the time, and how long it takes until the other has it is measured.
class BusyNodes {
 public:
  BusyNodes() : writer_([this] { write(); }) {
    RawTls first(peer());
    REQUIRE(!first.connect(port()));
    const std::vector<Message> greeting = heard(first);
    REQUIRE(greeting.size() == 1);
    hello_ = encode_frame(greeting.front());  // what suits the node in one direction does so in the other
    const DeviceId device = known_.back();
    RawTls second(identities_.back());
    REQUIRE(!second.connect(port()));
    REQUIRE(!second.write(hello_));
    REQUIRE(eventually([&] { return status_of(device).sessions == 1; }));
    known_.clear();
  }
  ~BusyNodes() {
    const std::int64_t before = written_;
    CHECK(eventually([&] { return written_ > before + 2; }));  // it goes on
    done_ = true;
    writer_.join();
    for (const DeviceId& device : known_) CHECK(status_of(device).sessions == 0);
    CHECK(eventually([&] { return pair_.a->status().peers.size() > 1 && states_are_quiet(); }));
    CHECK(status_of(pair_.b->device()).sessions == 1);
    CHECK(pair_.a->status().failed.empty());
    CHECK(longest_.load() < 4'000);  // a commit on either side, on a busy machine; never a guest's five seconds
  }

  // A new device that the node knows.
  const TlsIdentity& peer() {
    identities_.push_back(new_identity());
    known_.push_back(identities_.back().device());
    REQUIRE(pair_.a->add_peer({known_.back(), {}}));
    return identities_.back();
  }
  [[nodiscard]] std::uint16_t port() { return pair_.a->port(); }
  [[nodiscard]] const Bytes& hello() const { return hello_; }  // that this node would accept
  PeerStatus status_of(const DeviceId& device) {
    for (PeerStatus& peer : pair_.a->status().peers)
      if (peer.device == device) return peer;
    return {};
  }

 private:
  bool states_are_quiet() {
    for (const DeviceId& device : known_) {
      const PeerState state = status_of(device).state;
      if (state == PeerState::handshaking || state == PeerState::live || state == PeerState::behind) return false;
    }
    return true;
  }
  void write() {
    while (!done_) {
      const auto start = std::chrono::steady_clock::now();
      if (!pair_.b.put_note("note " + std::to_string(++written_), "text")) return;
      if (!eventually([&] { return pair_.a.notes() == written_; })) return;
      const auto took = std::chrono::steady_clock::now() - start;
      longest_ = std::max<std::int64_t>(longest_, std::chrono::duration_cast<std::chrono::milliseconds>(took).count());
      std::this_thread::sleep_for(5ms);
    }
  }

  NodePair pair_;
  std::deque<TlsIdentity> identities_;
  std::vector<DeviceId> known_;  // and must not get in
  Bytes hello_;
  std::atomic<bool> done_ = false;
  std::atomic<std::int64_t> written_ = 0, longest_ = 0;
  std::thread writer_;
};

// Devices that send some bytes and then wait.
class Guests {
 public:
  explicit Guests(BusyNodes& nodes) : nodes_(nodes) {}
  void add(BytesView bytes) {
    guests_.push_back(std::make_unique<RawTls>(nodes_.peer()));
    REQUIRE(!guests_.back()->connect(nodes_.port()));
    (void)guests_.back()->write(bytes);  // it may have been refused in the middle
  }
  // How long until the node has hung up on the last one.
  [[nodiscard]] std::chrono::milliseconds until_closed() {
    const auto start = std::chrono::steady_clock::now();
    for (const auto& guest : guests_) CHECK(guest->until_closed() < kRefusedWithin);
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
  }

 private:
  BusyNodes& nodes_;
  std::vector<std::unique_ptr<RawTls>> guests_;
};

Bytes framed(BytesView payload) {
  ByteWriter w;
  w.be32(static_cast<std::uint32_t>(payload.size()));
  w.be32(0);
  w.raw(payload);
  return w.take();
}

// The node's last word to a device that sent these bytes. Its Hello came before, unless one step of the replica saw the
// device come and its bytes.
ErrorMessage answer(BusyNodes& nodes, BytesView bytes) {
  RawTls client(nodes.peer());
  REQUIRE(!client.connect(nodes.port()));
  REQUIRE(!client.write(bytes));
  const std::vector<Message> messages = heard(client, 2);
  REQUIRE(!messages.empty());
  CHECK((messages.size() == 1 || std::holds_alternative<Hello>(messages.front())));
  REQUIRE(std::holds_alternative<ErrorMessage>(messages.back()));
  CHECK(client.until_closed() < 1s);
  return std::get<ErrorMessage>(messages.back());
}

}  // namespace

TEST_CASE("a first frame with any one bit of its head flipped: refused, at once or when no more comes") {
  BusyNodes nodes;
  Guests guests(nodes);
  for (std::size_t at = 0; at < kFrameHeader; ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      Bytes bad = nodes.hello();
      bad[at] = static_cast<char>(static_cast<std::uint8_t>(bad[at]) ^ (1U << bit));
      guests.add(bad);
    }
  }
  CHECK(guests.until_closed() < kRefusedWithin);
}

TEST_CASE("a Hello that stops anywhere, then silence: refused within five seconds") {
  BusyNodes nodes;
  Guests guests(nodes);
  const std::size_t size = nodes.hello().size();
  std::vector<std::size_t> lengths{0, 1, 3, 4, 5, 7, 8, 9, size - 1};
  for (std::size_t i = 1; i < 40; ++i) lengths.push_back(i * size / 40);  // all get a place: limits::kSessionsMax
  for (const std::size_t length : lengths) guests.add(nodes.hello().substr(0, length));
  CHECK(guests.until_closed() < kRefusedWithin);
}

TEST_CASE("a Hello that stops anywhere, then the end of the connection: forgotten") {
  BusyNodes nodes;
  const TlsIdentity& peer = nodes.peer();
  for (std::size_t length = 0; length < nodes.hello().size(); ++length) {
    RawTls client(peer);
    REQUIRE(!client.connect(nodes.port()));
    REQUIRE(!client.write(nodes.hello().substr(0, length)));
    client.hang_up();
  }
}

TEST_CASE("a Hello that was cut off and framed anew at any length: refused at once, with the reason") {
  BusyNodes nodes;
  const Bytes payload = nodes.hello().substr(kFrameHeader);
  for (std::size_t length = 1; length < payload.size(); ++length) {
    CAPTURE(length);
    CHECK(answer(nodes, framed(payload.substr(0, length))).code == Errc::corrupt);
  }
}

TEST_CASE("each kind of frame before the Hello: refused at once, with the reason") {
  BusyNodes nodes;
  Prng prng(1);
  for (std::size_t kind = 1; kind < std::variant_size_v<Message>; ++kind) {
    const Message message = samples::message(prng, kind);
    if (std::holds_alternative<ErrorMessage>(message)) continue;
    const ErrorMessage said = answer(nodes, encode_frame(message));
    CHECK(said.code == Errc::corrupt);
    CHECK(said.text.find(std::string("unexpected ") + name_of(message)) != std::string::npos);
  }
  RawTls rude(nodes.peer());  // an Error is the one thing that may come first: the end
  REQUIRE(!rude.connect(nodes.port()));
  REQUIRE(!rude.write(encode_frame(ErrorMessage{Errc::busy, "no", 0})));
  CHECK(rude.until_closed() < 1s);
}
