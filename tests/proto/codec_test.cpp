#include "proto/codec.h"

#include <doctest/doctest.h>

#include <cstring>

#include "core/base/limits.h"
#include "proto/codec_wire.h"
#include "proto/compress.h"
#include "tests/proto/samples.h"

using namespace starling;

namespace {

constexpr std::size_t kKinds = std::variant_size_v<Message>;

BytesView payload_of(BytesView frame) { return frame.substr(kFrameHeader); }
bool is_compressed(BytesView frame) { return frame[4] != 0; }

Expected<Message> decode(BytesView frame, std::size_t most = limits::kFrameMax) {
  return decode_payload(payload_of(frame), is_compressed(frame), most);
}

Bytes wire(const Message& message) {
  Bytes out;
  wire_codec::append_message(out, message);
  return out;
}

Bytes word(std::uint64_t little_endian) {
  Bytes b(8, '\0');
  std::memcpy(b.data(), &little_endian, 8);
  return b;
}

}  // namespace

TEST_CASE("every message comes back, whatever the alignment") {
  Prng prng(1);
  for (std::size_t round = 0; round < 200 * kKinds; ++round) {
    const Message message = samples::message(prng, round % kKinds);
    CHECK(message.index() == round % kKinds);
    const Bytes frame = encode_frame(message);
    const Expected<Message> decoded = decode(frame);
    REQUIRE(decoded);
    CHECK(*decoded == message);
    const Bytes shifted = Bytes(1 + round % 7, ' ') + Bytes(payload_of(frame));
    CHECK(decode_payload(BytesView(shifted).substr(1 + round % 7), is_compressed(frame)).value() == message);
  }
}

TEST_CASE("a frame is a length, flags and a payload of whole words") {
  const Bytes frame = encode_frame(ErrorMessage{Errc::busy, "later", 500});
  CHECK(ByteReader(frame).be32() == frame.size() - kFrameHeader);
  CHECK(frame.substr(4, 4) == Bytes(4, '\0'));
  CHECK(payload_of(frame).size() % 8 == 0);
}

TEST_CASE("each message has its name") {
  Prng prng(2);
  CHECK(std::string(name_of(samples::message(prng, 0))) == "Hello");
  CHECK(std::string(name_of(samples::message(prng, 8))) == "SharedChangeResponse");
  CHECK(std::string(name_of(samples::message(prng, 11))) == "Error");
  CHECK(std::string(name_of(samples::message(prng, kKinds - 1))) == "DigestResponse");
}

TEST_CASE("all errors keep their code") {
  for (int code = 0; code <= static_cast<int>(Errc::internal); ++code) {
    const ErrorMessage message{static_cast<Errc>(code), to_string(static_cast<Errc>(code)), 1};
    CHECK(std::get<ErrorMessage>(decode(encode_frame(message)).value()) == message);
  }
}

TEST_CASE("what is large and repeats is compressed, nothing else") {
  Prng prng(3);
  const auto frame_of = [](Bytes entry) { return encode_frame(SharedChange{{}, Seq{1}, std::move(entry)}); };
  CHECK(is_compressed(frame_of(Bytes(3 * limits::KiB, 'x'))));
  CHECK_FALSE(is_compressed(frame_of(Bytes(limits::KiB, 'x'))));
  CHECK_FALSE(is_compressed(frame_of(samples::bytes(prng, 100 * limits::KiB))));
  for (Bytes entry : {Bytes(limits::kWholeEntryMax, 'x'), samples::bytes(prng, limits::kWholeEntryMax)}) {
    CHECK(std::get<SharedChange>(decode(frame_of(entry)).value()).entry == entry);
  }
}

TEST_CASE("the greatest vector fits") {
  Prng prng(4);
  Heartbeat heartbeat;
  heartbeat.vector = samples::vector(prng, limits::kVectorMax);
  CHECK(std::get<Heartbeat>(decode(encode_frame(heartbeat)).value()) == heartbeat);
  heartbeat.vector->join(samples::origin(prng), {Rev{1}, {}, {}});
  CHECK_THROWS_AS((void)encode_frame(heartbeat), InvariantBroken);
}

TEST_CASE("a long error text is cut") {
  const Bytes frame = encode_frame(ErrorMessage{Errc::internal, std::string(5000, 'e'), 0});
  CHECK(std::get<ErrorMessage>(decode(frame).value()).text == std::string(1024, 'e'));
}

TEST_CASE("kinds that do not exist are named in the error") {
  // One segment of two words: the root, a struct of one data word, whose first 16 bits are the kind.
  const auto of_kind = [](std::uint64_t kind) {
    return word(std::uint64_t{2} << 32) + word(std::uint64_t{1} << 32) + word(kind);
  };
  for (const std::uint64_t kind : {0U, 18U, 999U, 65535U}) {
    const Expected<Message> decoded = decode_payload(of_kind(kind), false);
    REQUIRE_FALSE(decoded);
    CHECK(decoded.error().code == Errc::corrupt);
    CHECK(decoded.error().what.find("kind " + std::to_string(kind) + " is unknown") != std::string::npos);
  }
  CHECK(decode_payload(of_kind(11), false));  // a Heartbeat that says nothing
  CHECK_FALSE(decode_payload(Bytes(8, '\0'), false));
  CHECK_FALSE(decode_payload(Bytes(16, '\0'), false));
}

TEST_CASE("payloads that are no message are refused") {
  const Bytes good = wire(StateRequest{});
  CHECK(decode_payload(good, false));
  CHECK_FALSE(decode_payload("", false));
  CHECK_FALSE(decode_payload(good + "1234567", false));
  CHECK_FALSE(decode_payload(good + word(0), false));                         // something follows
  CHECK_FALSE(decode_payload(good, true));                                    // compressed, it says
  CHECK_FALSE(decode_payload(good, false, good.size() - 1));                  // beyond the limit
  CHECK_FALSE(decode_payload(word(0xffffffff), false));                       // 2^32 segments
  CHECK_FALSE(decode_payload(word(std::uint64_t{0xffffffff} << 32), false));  // a segment of 32 GiB
}

TEST_CASE("bounds of message.h hold on reading") {
  const auto refused = [](const auto& change, const Message& good) {
    Bytes bytes = wire(good);
    REQUIRE(decode_payload(bytes, false));
    change(bytes);
    CHECK_FALSE(decode_payload(bytes, false));
  };
  Prng prng(5);
  Heartbeat heartbeat;
  heartbeat.vector = samples::vector(prng, 2);
  const Bytes device(std::prev(heartbeat.vector->end())->first.device.view());
  const Bytes high(device.rbegin() + 8, device.rend());  // as the number stands on the wire
  refused([&](Bytes& b) { std::fill_n(b.begin() + static_cast<std::ptrdiff_t>(b.find(high)), 8, '\0'); }, heartbeat);
  const StateChange page{{{}, Rev{0x1111111111}, Rev{0x2222222222}, {}, {}}};
  refused([&](Bytes& b) { b[b.find("\x11\x11") + 5] = 1; }, page);  // ends before it begins
  const SharedChangeBatch batch{{}, Seq{1}, {"entry one"}};
  refused([&](Bytes& b) { b[b.find("entry one") - 4] = 0x02; }, batch);  // a list of length 0: the entry is empty
  const auto little = [](std::uint32_t n) { return word(n).substr(0, 4); };
  const EntryPart part{{}, Seq{1}, 0x333333, 0x111111, Bytes(9, 'p'), false};
  const auto becomes = [&](std::uint32_t from, std::uint64_t to) {
    return [&, from, to](Bytes& b) { b.replace(b.find(little(from)), 4, little(static_cast<std::uint32_t>(to))); };
  };
  refused(becomes(part.total, part.offset + 8), part);  // it reaches beyond its entry
  refused(becomes(part.offset, part.total + 1), part);
  refused(becomes(part.offset, 0xfffffff8), part);
  refused(becomes(part.total, limits::kEntryMax + 1), part);
  refused([&](Bytes& b) { b[b.find("ppppppppp") - 4] = 0x02; }, part);  // it is empty
  const EntryPart end{{}, Seq{1}, part.offset + 9, part.offset, part.bytes, true};
  refused(becomes(end.total, end.total + 1), end);  // the last ends before its entry
  const SharedChangeRequest request{{}, Seq{1}, 1, true, 0x111111};
  refused(becomes(request.offset, limits::kEntryMax + 1), request);
  const Bytes long_name = encode_frame(ErrorMessage{Errc::internal, std::string(200, 'n'), 0});
  CHECK(decode(long_name));
}

TEST_CASE("compression bombs are refused before anything is allocated for them") {
  Bytes bomb;
  REQUIRE(compress(Bytes(64 * limits::MiB, '\0'), bomb));
  CHECK(bomb.size() < 16 * limits::KiB);
  const Bytes hello = encode_frame(SharedChange{{}, Seq{1}, Bytes(2 * limits::MiB, 'x')});
  CHECK(is_compressed(hello));
  const samples::Allocations allocations;
  CHECK_FALSE(decode_payload(bomb, true));
  CHECK_FALSE(decode(hello, limits::kFrameBeforeHelloMax));
  CHECK(allocations.total() < 10'000);
}

TEST_CASE("compressed garbage is refused") {
  Prng prng(6);
  for (int round = 0; round < 2000; ++round) CHECK_FALSE(decode_payload(samples::bytes(prng, prng.below(200)), true));
  Bytes not_words;
  REQUIRE(compress(Bytes(1001, 'x'), not_words));
  CHECK_FALSE(decode_payload(not_words, true));
  Bytes empty_frame("\x28\xb5\x2f\xfd\x20\x00\x01\x00\x00", 9);
  CHECK(decompressed_size(empty_frame) == 0);
  CHECK_FALSE(decode_payload(empty_frame, true));
}

TEST_CASE("lists that claim more than they hold do not swell") {
  // A list of zero-size structs costs no bytes, and Cap'n Proto lets it claim 2^29 of them.
  const Bytes bomb = word(std::uint64_t{4} << 32) + word(std::uint64_t{1} << 32 | std::uint64_t{1} << 48) + word(10) +
                     word(1 | std::uint64_t{7} << 32) + word(std::uint64_t{0x1fffffff} << 2);
  const samples::Allocations allocations;
  CHECK_FALSE(decode_payload(bomb, false));
  CHECK(allocations.total() < 10'000);
}

TEST_CASE("mangled messages are refused, or are other messages") {
  Prng prng(7);
  for (std::size_t kind = 0; kind < kKinds; ++kind) {
    std::size_t accepted = 0;
    samples::mangle(wire(samples::message(prng, kind)), [&](const Bytes& bad) {
      const samples::Allocations allocations;
      const Expected<Message> decoded = decode_payload(bad, false);
      REQUIRE(allocations.total() < 64 * limits::KiB);
      if (!decoded) return;
      ++accepted;
      REQUIRE(decode(encode_frame(*decoded)).value() == *decoded);
    });
    CHECK(accepted > 0);
  }
}

TEST_CASE("mangled compressed payloads are refused, or are other messages") {
  SharedChangeBatch batch{{}, Seq{1}, {}};
  for (int i = 0; i < 80; ++i) batch.entries.push_back("an entry with the number " + std::to_string(i));
  const Bytes frame = encode_frame(batch);
  REQUIRE(is_compressed(frame));
  samples::mangle(payload_of(frame), [](const Bytes& bad) {
    const samples::Allocations allocations;
    (void)decode_payload(bad, true);
    REQUIRE(allocations.total() < 3 * limits::kFrameMax);
  });
}
