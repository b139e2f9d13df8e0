// The inner half of the codec: a message as one Cap'n Proto message (segment table and segments), uncompressed.
//
// Apart from codec.h so that frames and compression know nothing of Cap'n Proto, and apart from each other so that a
// message's two directions stand in two files that read alike: one overload of write() and of read() for each message.
#pragma once

#include "proto/message.h"

namespace starling::wire_codec {

inline constexpr std::size_t kErrorTextMax = 1024;

void append_message(Bytes& out, const Message&);

// `words`: aligned to 8 bytes, a multiple of 8 long.
[[nodiscard]] Expected<Message> read_message(BytesView words);

}  // namespace starling::wire_codec
