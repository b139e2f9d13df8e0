// The one codec: a message as Cap'n Proto bytes, and back.
//
// encode_frame() cannot fail on a message that respects limits.h; it ASSERTs otherwise (the text of an ErrorMessage is
// cut, as nobody can know its length beforehand). decode_payload() takes hostile bytes: it reads with a traversal limit
// in proportion to the frame and a nesting limit, copies every field once into validated structs, and catches what
// Cap'n Proto throws on access. Unknown message kinds are Errc::corrupt with the number. Payloads above
// limits::kCompressAbove are compressed where that makes them smaller (compress.h); the declared size is checked
// against the limit before anything is allocated. Nothing packed.
#pragma once

#include "core/base/limits.h"
#include "proto/message.h"

namespace starling {

// A frame: a header of 8 bytes, then the payload.
//   4 bytes  length of the payload, big-endian
//   1 byte   flags: bit 0, the payload is compressed
//   3 bytes  zero
inline constexpr std::size_t kFrameHeader = 8;
inline constexpr std::uint8_t kCompressedFlag = 1;

[[nodiscard]] Bytes encode_frame(const Message&);

// `payload`: the bytes after the header, any alignment (copied when misaligned). `compressed`: from the header.
// `payload_max` holds for the payload as it is and decompressed.
[[nodiscard]] Expected<Message> decode_payload(BytesView payload, bool compressed,
                                               std::size_t payload_max = limits::kFrameMax);

}  // namespace starling
