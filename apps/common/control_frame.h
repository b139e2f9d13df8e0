// Frames of the control protocol (docs/control.md): four bytes of length, big-endian, then so much JSON.
//
// FrameReader takes bytes as they come, in any pieces, and gives whole frames; a length beyond its limit, or zero, is
// an error at once, before anything is buffered for it. After an error it stays failed: where the next frame begins
// cannot be known. No socket here, so that it is tested byte by byte.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "core/base/bytes.h"
#include "core/base/expected.h"

namespace starling::apps {

inline constexpr std::size_t kControlHeader = 4;
inline constexpr std::size_t kControlRequestMax = 256 * 1024;      // payload of a request
inline constexpr std::size_t kControlReplyMax = 8 * 1024 * 1024;   // payload of a reply

class FrameReader {
 public:
  explicit FrameReader(std::size_t payload_max) : payload_max_(payload_max) {}

  void feed(BytesView);
  // The next frame's payload; nullopt: more bytes are needed.
  [[nodiscard]] Expected<std::optional<Bytes>> next();
  [[nodiscard]] bool empty() const { return buffer_.empty(); }  // no part of a frame waits

 private:
  std::size_t payload_max_;
  Bytes buffer_;
};

[[nodiscard]] Bytes encode_frame(BytesView payload);
[[nodiscard]] Bytes encode_frame(const nlohmann::json&);
[[nodiscard]] Expected<nlohmann::json> parse_json(BytesView);  // an object; bounded depth

// An Error on the wire.
[[nodiscard]] nlohmann::json error_to_json(const Error&);
[[nodiscard]] Error error_from_json(const nlohmann::json&);

}  // namespace starling::apps
