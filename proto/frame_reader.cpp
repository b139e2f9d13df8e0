#include "proto/frame_reader.h"

namespace starling {
namespace {

constexpr std::size_t kKeep = 256 * limits::KiB;  // a larger buffer is given back once it is empty

}  // namespace

void FrameReader::feed(BytesView bytes) {
  if (broken_) return;
  // Moving the rest to the front costs less than what was consumed before it did.
  if (start_ > buffer_.size() / 2) {
    buffer_.erase(0, start_);
    start_ = 0;
  }
  buffer_.append(bytes);
}

Expected<std::optional<Message>> FrameReader::next() {
  if (broken_) return *broken_;
  Expected<std::optional<Message>> message = read_frame();
  if (!message) {
    broken_ = message.error();
    buffer_ = Bytes();
    start_ = 0;
  } else if (start_ == buffer_.size()) {
    start_ = 0;
    buffer_.clear();
    if (buffer_.capacity() > kKeep) buffer_.shrink_to_fit();
  }
  return message;
}

Expected<std::optional<Message>> FrameReader::read_frame() {
  const BytesView rest = BytesView(buffer_).substr(start_);
  if (rest.size() < kFrameHeader) return std::optional<Message>();
  ByteReader header(rest.substr(0, kFrameHeader));
  const std::size_t length = header.be32();
  const std::uint8_t flags = header.u8();
  const bool zeros = header.u8() == 0 && header.u8() == 0 && header.u8() == 0;
  if (length == 0 || (flags & ~kCompressedFlag) != 0 || !zeros) {
    return Error{Errc::corrupt, "the head of a frame is malformed", "", ""};
  }
  if (length > payload_max_) {
    return Error{
        Errc::too_large,
        "a frame of " + std::to_string(length) + " bytes, where " + std::to_string(payload_max_) + " are allowed", "",
        ""};
  }
  if (rest.size() - kFrameHeader < length) return std::optional<Message>();
  start_ += kFrameHeader + length;
  Expected<Message> message =
      decode_payload(rest.substr(kFrameHeader, length), (flags & kCompressedFlag) != 0, payload_max_);
  if (!message) return std::move(message).error();
  return std::optional<Message>(std::move(*message));
}

}  // namespace starling
