// Bytes of a connection into frames, without a socket.
//
// feed() takes whatever arrived, in pieces of any size; next() gives whole messages: call it until it gives none, then
// feed again. The length of a frame is checked against the limit in force, before more is taken in for it and again
// before it is decompressed. After an error the reader is dead: the session closes. The limit is small until the peer's
// Hello was accepted.
#pragma once

#include <optional>

#include "proto/codec.h"

namespace starling {

class FrameReader {
 public:
  explicit FrameReader(std::size_t payload_max) : payload_max_(payload_max) {}

  void set_limit(std::size_t payload_max) { payload_max_ = payload_max; }
  void feed(BytesView);
  // A message; nullopt: more bytes are needed; Error: the peer broke the format.
  [[nodiscard]] Expected<std::optional<Message>> next();
  [[nodiscard]] std::size_t buffered() const { return buffer_.size() - start_; }

 private:
  [[nodiscard]] Expected<std::optional<Message>> read_frame();

  std::size_t payload_max_;
  Bytes buffer_;
  std::size_t start_ = 0;  // consumed up to here
  std::optional<Error> broken_;
};

}  // namespace starling
