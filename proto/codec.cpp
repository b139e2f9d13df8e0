#include "proto/codec.h"

#include <algorithm>
#include <memory>

#include "core/base/assert.h"
#include "proto/codec_wire.h"
#include "proto/compress.h"

namespace starling {
namespace {

constexpr std::size_t kWord = sizeof(std::uint64_t);

Error corrupt(const char* what) { return {Errc::corrupt, what, "", ""}; }

bool is_aligned(BytesView bytes) { return reinterpret_cast<std::uintptr_t>(bytes.data()) % kWord == 0; }

// Room for words, aligned and not cleared.
class Words {
 public:
  explicit Words(std::size_t bytes)
      : words_(std::make_unique_for_overwrite<std::uint64_t[]>(bytes / kWord)), size_(bytes) {}
  [[nodiscard]] std::span<char> bytes() { return {reinterpret_cast<char*>(words_.get()), size_}; }
  [[nodiscard]] BytesView view() { return {bytes().data(), size_}; }

 private:
  std::unique_ptr<std::uint64_t[]> words_;
  std::size_t size_;
};

}  // namespace

Bytes encode_frame(const Message& message) {
  Bytes frame(kFrameHeader, '\0');
  wire_codec::append_message(frame, message);
  ASSERT(frame.size() - kFrameHeader <= limits::kFrameMax);
  std::uint8_t flags = 0;
  if (frame.size() - kFrameHeader > limits::kCompressAbove) {
    Bytes smaller(kFrameHeader, '\0');
    if (compress(BytesView(frame).substr(kFrameHeader), smaller)) {
      frame = std::move(smaller);
      flags = kCompressedFlag;
    }
  }
  ByteWriter header;
  header.be32(static_cast<std::uint32_t>(frame.size() - kFrameHeader));
  header.u8(flags);
  frame.replace(0, header.size(), header.bytes());
  return frame;
}

Expected<Message> decode_payload(BytesView payload, bool compressed, std::size_t payload_max) {
  if (payload.size() > payload_max) return corrupt("a payload beyond the limit");
  if (!compressed) {
    if (payload.empty() || payload.size() % kWord != 0) return corrupt("a payload that is not whole words");
    if (is_aligned(payload)) return wire_codec::read_message(payload);
    Words words(payload.size());
    std::copy(payload.begin(), payload.end(), words.bytes().begin());
    return wire_codec::read_message(words.view());
  }
  const std::optional<std::size_t> size = decompressed_size(payload);
  if (!size || *size == 0 || *size % kWord != 0) return corrupt("a payload that does not decompress");
  if (*size > payload_max) return corrupt("a payload that decompresses beyond the limit");
  Words words(*size);
  if (!decompress(payload, words.bytes())) return corrupt("a payload that does not decompress");
  return wire_codec::read_message(words.view());
}

}  // namespace starling
