// Frames and messages: how the bytes are cut makes no difference, whatever the bytes are.
#include <doctest/doctest.h>

#include <optional>

#include "proto/frame_reader.h"
#include "tests/damage.h"
#include "tests/proto/generated.h"

using namespace starling;
using namespace starling::samples;

namespace {

struct Sample {
  std::size_t kind = 0;
  std::uint64_t seed = 0;
  [[nodiscard]] Message message() const {
    Prng prng(seed);
    return samples::message(prng, kind);
  }
};

void showValue(const Sample& sample, std::ostream& out) {
  out << name_of(sample.message()) << " of seed " << sample.seed;
}

rc::Gen<Sample> any_sample() {
  return rc::gen::apply(
      [](std::size_t kind, std::uint64_t seed) {
        return Sample{kind, seed};
      },
      rc::gen::inRange<std::size_t>(0, std::variant_size_v<Message>),
      rc::gen::noShrink(rc::gen::arbitrary<std::uint64_t>()));
}

rc::Gen<std::vector<Sample>> any_samples() {
  return rc::gen::resize(12, rc::gen::container<std::vector<Sample>>(any_sample()));
}

Bytes stream_of(const std::vector<Sample>& all) {
  Bytes stream;
  for (const Sample& sample : all) stream += encode_frame(sample.message());
  return stream;
}

// All that a reader makes of bytes that come in these pieces (again and again), up to the first error.
struct Read {
  std::vector<Message> messages;
  std::optional<Errc> error;
  std::size_t left = 0;        // not yet a frame
  std::size_t refused_at = 0;  // bytes that had come when it refused; 0: never
  friend bool operator==(const Read& a, const Read& b) {
    return a.messages == b.messages && a.error == b.error && a.left == b.left;
  }
};

Read read_all(BytesView bytes, const std::vector<std::size_t>& pieces, std::size_t most) {
  Read read;
  FrameReader reader(most);
  std::size_t at = 0;
  for (std::size_t turn = 0; at < bytes.size() && !read.error; ++turn) {
    const std::size_t n = std::min(pieces[turn % pieces.size()], bytes.size() - at);
    reader.feed(bytes.substr(at, n));
    at += n;
    for (;;) {
      Expected<std::optional<Message>> next = reader.next();
      if (!next) {
        read.error = next.error().code;
        read.refused_at = at;
      }
      if (!next || !*next) break;
      read.messages.push_back(std::move(**next));
    }
  }
  read.left = reader.buffered();
  return read;
}

rc::Gen<std::vector<std::size_t>> any_pieces() {
  const auto piece = rc::gen::weightedOneOf<std::size_t>({{2, rc::gen::just<std::size_t>(1)},
                                                          {2, rc::gen::inRange<std::size_t>(1, 12)},
                                                          {1, rc::gen::inRange<std::size_t>(1, 3000)}});
  return rc::gen::nonEmpty(rc::gen::container<std::vector<std::size_t>>(piece));
}

const std::vector<std::size_t> kByteByByte{1}, kAtOnce{limits::kFrameMax * 2};

// The head of a frame, judged by the page of the protocol alone.
bool good_head(BytesView head, std::size_t most) {
  std::size_t length = 0;
  for (const char c : head.substr(0, 4)) length = length << 8 | static_cast<std::uint8_t>(c);
  return length > 0 && length <= most && (head[4] == 0 || head[4] == 1) && head.substr(5, 3) == BytesView("\0\0\0", 3);
}

}  // namespace

TEST_SUITE_BEGIN("property");

TEST_CASE("frames: messages come out as they went in, byte by byte and in any pieces") {
  property(1'000, [] {
    const std::vector<Sample> samples = *any_samples();
    const Bytes stream = stream_of(samples);
    Read sent;
    for (const Sample& sample : samples) sent.messages.push_back(sample.message());
    RC_ASSERT(read_all(stream, kByteByByte, limits::kFrameMax) == sent);
    RC_ASSERT(read_all(stream, *any_pieces(), limits::kFrameMax) == sent);
  });
}

TEST_CASE("frames: damaged streams read the same byte by byte, in any pieces and at once") {
  property(2'000, [] {
    const Bytes stream = damaged(stream_of(*any_samples()), *any_damage());
    const Read at_once = read_all(stream, kAtOnce, limits::kFrameMax);
    RC_ASSERT(read_all(stream, kByteByByte, limits::kFrameMax) == at_once);
    RC_ASSERT(read_all(stream, *any_pieces(), limits::kFrameMax) == at_once);
    if (at_once.error) RC_ASSERT(at_once.left == 0U);
  });
}

TEST_CASE("frames: a bad head is refused at its eighth byte, and not before") {
  property(20'000, [] {
    const Bytes head = *rc::gen::container<std::string>(
        kFrameHeader,
        rc::gen::weightedOneOf<char>(
            {{5, rc::gen::just('\0')}, {2, rc::gen::element<char>(1, 2, 0x40)}, {1, rc::gen::arbitrary<char>()}}));
    const auto most = *rc::gen::element<std::size_t>(64, limits::kFrameBeforeHelloMax, limits::kFrameMax);
    const Read read = read_all(head, kByteByByte, most);
    RC_ASSERT(read.error.has_value() != good_head(head, most));
    RC_ASSERT(read.refused_at == (read.error ? kFrameHeader : 0U));
  });
}

TEST_CASE("frames: garbage takes no more memory than came, and a dead reader takes none") {
  property(2'000, [] {
    const Bytes stream = stream_of(*any_samples()) + *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
    const Bytes bad = damaged(stream, *any_damage());
    FrameReader reader(limits::kFrameMax);
    for (std::size_t at = 0; at < bad.size(); at += 64) {
      reader.feed(BytesView(bad).substr(at, 64));
      for (bool more = true; more;) {
        const Expected<std::optional<Message>> next = reader.next();
        more = next && *next;
      }
      RC_ASSERT(reader.buffered() <= at + 64);
    }
    if (reader.next()) return;
    reader.feed(stream);
    RC_ASSERT(reader.buffered() == 0U);
    RC_ASSERT(!reader.next());
  });
}

TEST_CASE("messages: damaged payloads are refused, or are another message that encodes again") {
  property(10'000, [] {
    const Bytes frame = encode_frame((*any_sample()).message());
    const Bytes payload = damaged(frame.substr(kFrameHeader), *any_damage());
    std::size_t taken = 0;
    const Expected<Message> decoded = [&] {
      const Allocations allocations;
      Expected<Message> m = decode_payload(payload, frame[4] != 0);
      taken = allocations.total();
      return m;
    }();
    RC_ASSERT(taken <= 2 * limits::kFrameMax);
    if (!decoded) return;
    const Bytes again = encode_frame(*decoded);
    const Expected<Message> second = decode_payload(BytesView(again).substr(kFrameHeader), again[4] != 0);
    RC_ASSERT(second.has_value());
    RC_ASSERT(*second == *decoded);
  });
}

TEST_SUITE_END();
