// The bytes of a connection: they read the same however they are cut, and what they hold encodes again.
#include "proto/frame_reader.h"
#include "tests/fuzz/promise.h"
#include "tests/fuzz/target.h"

namespace starling::fuzz {
namespace {

constexpr std::size_t kLimit = 64 * limits::KiB;  // of a payload: small, so that memory is judged by the input
constexpr std::size_t kBufferFactor = 3;          // a buffer that grows, beside the one before

struct Read {
  std::vector<Message> messages;
  std::optional<Errc> error;
  std::size_t left = 0;  // not yet a frame
  friend bool operator==(const Read&, const Read&) = default;
};

// Gives each message to `with`, in the order of the stream. `piece`: so many bytes come at once.
template <class F>
Read read(BytesView stream, std::size_t piece, std::size_t limit, F with) {
  Read read;
  FrameReader reader(limit);
  while (!stream.empty() && !read.error) {
    reader.feed(stream.substr(0, piece));
    stream.remove_prefix(std::min(piece, stream.size()));
    for (;;) {
      Expected<std::optional<Message>> next = reader.next();
      if (!next) {
        promise_refusal(next.error());
        read.error = next.error().code;
      }
      if (!next || !*next) break;
      with(read, std::move(**next));
    }
  }
  read.left = reader.buffered();
  return read;
}

Read read_all(BytesView stream, std::size_t piece, std::size_t limit = kLimit) {
  return read(stream, piece, limit, [](Read& to, Message&& message) { to.messages.push_back(std::move(message)); });
}

// Bytes of the largest payload, or the limit once a frame says that it is compressed.
std::size_t largest_payload(BytesView stream) {
  std::size_t largest = 0;
  while (stream.size() >= kFrameHeader) {
    const std::size_t length = ByteReader(stream).be32();
    if (stream[4] != 0) return kLimit;
    stream.remove_prefix(std::min(kFrameHeader + length, stream.size()));
    largest = std::max(largest, length);
  }
  return std::min(largest, kLimit);
}

}  // namespace

void check_frames(BytesView stream) {
  const Read at_once = read_all(stream, stream.size());
  promise(read_all(stream, 1) == at_once, "byte by byte it reads otherwise");
  promise(read_all(stream, 13) == at_once, "in pieces it reads otherwise");
  const std::size_t peak = measured([&] { return read(stream, 64, kLimit, [](Read&, Message&&) {}); }).peak;
  promise_memory(peak, kBufferFactor * stream.size() + kMessageFactor * largest_payload(stream));
  Bytes again;
  for (const Message& message : at_once.messages) again += encode_frame(message);
  const Read back = read_all(again, again.size(), limits::kFrameMax);  // empty structs have become full ones
  promise(back.messages == at_once.messages, "it encodes to another stream");
}

std::vector<Bytes> frame_seeds() {
  std::vector<Bytes> seeds;
  Prng prng(100);
  for (std::size_t kind = 0; kind < std::variant_size_v<Message>; ++kind) {
    seeds.push_back(encode_frame(samples::message(prng, kind)) + encode_frame(samples::message(prng, 11)));
  }
  seeds.push_back(encode_frame(SharedChange{samples::origin(prng), Seq{1}, Bytes(3000, 'x')}));  // compressed
  return seeds;
}

}  // namespace starling::fuzz
