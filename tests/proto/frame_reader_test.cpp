#include "proto/frame_reader.h"

#include <doctest/doctest.h>

#include "core/base/limits.h"
#include "tests/proto/samples.h"

using namespace starling;

namespace {

std::vector<Message> some_messages(Prng& prng) {
  std::vector<Message> messages;
  for (std::size_t i = 0; i < 40; ++i)
    messages.push_back(samples::message(prng, prng.below(std::variant_size_v<Message>)));
  messages.insert(messages.begin() + 20, SharedChange{{}, Seq{1}, Bytes(100'000, 'x')});
  messages.insert(messages.begin() + 30, SharedChange{{}, Seq{2}, samples::bytes(prng, 300'000)});
  return messages;
}

Bytes stream_of(const std::vector<Message>& messages) {
  Bytes stream;
  for (const Message& message : messages) stream += encode_frame(message);
  return stream;
}

void drain(FrameReader& reader, std::vector<Message>& into) {
  for (;;) {
    Expected<std::optional<Message>> message = reader.next();
    REQUIRE(message);
    if (!*message) return;
    into.push_back(std::move(**message));
  }
}

// The first error that these bytes give; nothing if there is none.
std::optional<Error> error_of(BytesView bytes, std::size_t most = limits::kFrameMax) {
  FrameReader reader(most);
  reader.feed(bytes);
  for (;;) {
    Expected<std::optional<Message>> message = reader.next();
    if (!message) return message.error();
    if (!*message) return std::nullopt;
  }
}

}  // namespace

TEST_CASE("messages come out as they went in, however the bytes arrive") {
  Prng prng(1);
  const std::vector<Message> messages = some_messages(prng);
  const Bytes stream = stream_of(messages);
  for (const std::size_t most :
       {std::size_t{1}, std::size_t{7}, std::size_t{1000}, std::size_t{100'000}, stream.size()}) {
    FrameReader reader(limits::kFrameMax);
    std::vector<Message> got;
    for (std::size_t at = 0; at < stream.size();) {
      const std::size_t n = std::min(most == 1 ? 1 : 1 + prng.below(most), stream.size() - at);
      reader.feed(BytesView(stream).substr(at, n));
      at += n;
      drain(reader, got);
    }
    CHECK(got == messages);
    CHECK(reader.buffered() == 0);
  }
}

TEST_CASE("[N27] half a frame waits") {
  const Bytes frame = encode_frame(Heartbeat{});
  FrameReader reader(limits::kFrameMax);
  for (const char c : frame.substr(0, frame.size() - 1)) {
    reader.feed(BytesView(&c, 1));
    CHECK_FALSE(reader.next().value());
  }
  CHECK(reader.buffered() == frame.size() - 1);
  reader.feed(BytesView(frame).substr(frame.size() - 1));
  CHECK(reader.next().value() == std::optional<Message>(Heartbeat{}));
}

TEST_CASE("[N27] a length beyond the limit is refused at its header") {
  const Bytes frame = encode_frame(StateRequest{});
  CHECK_FALSE(error_of(frame, frame.size() - kFrameHeader));
  CHECK(error_of(frame, frame.size() - kFrameHeader - 1)->code == Errc::too_large);
  CHECK(error_of(Bytes("\xff\xff\xff\xff\0\0\0\0", 8))->code == Errc::too_large);
  CHECK(error_of(Bytes("\0\x40\0\x01\0\0\0\0", 8))->code == Errc::too_large);  // 4 MiB and a byte
  CHECK_FALSE(error_of(Bytes("\0\x40\0\0\0\0\0\0", 8)));
  CHECK_FALSE(error_of(Bytes("\xff\xff\xff\xff\0\0\0", 7)));
}

TEST_CASE("[N27] the limit holds for what a payload decompresses to, and can be raised") {
  const Bytes frame = encode_frame(SharedChange{{}, Seq{1}, Bytes(2 * limits::MiB, 'x')});
  CHECK(frame.size() < 10'000);
  CHECK(error_of(frame, limits::kFrameBeforeHelloMax)->code == Errc::corrupt);
  FrameReader reader(limits::kFrameBeforeHelloMax);
  reader.feed(encode_frame(Hello{}));
  CHECK(std::holds_alternative<Hello>(reader.next().value().value()));
  reader.set_limit(limits::kFrameMax);
  reader.feed(frame);
  CHECK(std::holds_alternative<SharedChange>(reader.next().value().value()));
}

TEST_CASE("[N27] malformed headers are refused, and the reader stays dead") {
  const Bytes good = encode_frame(Heartbeat{});
  for (const std::size_t at : {4U, 5U, 6U, 7U}) {
    Bytes bad = good;
    bad[at] = 2;
    CHECK(error_of(bad)->code == Errc::corrupt);
  }
  CHECK(error_of(Bytes(8, '\0'))->code == Errc::corrupt);
  FrameReader reader(limits::kFrameMax);
  reader.feed(good.substr(0, 4) + "\2");
  reader.feed(Bytes(3, '\0'));
  CHECK_FALSE(reader.next());
  reader.feed(good);
  CHECK(reader.buffered() == 0);
  const Expected<std::optional<Message>> again = reader.next();
  REQUIRE_FALSE(again);
  CHECK(again.error().code == Errc::corrupt);
}

TEST_CASE("[N27] mangled frames give an error, another message, or wait for more") {
  samples::mangle(encode_frame(StateRequest{}), [](const Bytes& bad) {
    const samples::Allocations allocations;
    (void)error_of(bad);
    REQUIRE(allocations.total() < 2 * limits::kFrameMax);
  });
}
