#include "apps/common/control_frame.h"

#include <nlohmann/json.hpp>

namespace starling::apps {
namespace {

constexpr int kDepthMax = 16;

std::string text_of(const nlohmann::json& object, const char* name) {
  const auto at = object.find(name);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

}  // namespace

void FrameReader::feed(BytesView bytes) { buffer_ += bytes; }

Expected<std::optional<Bytes>> FrameReader::next() {
  if (buffer_.size() < kControlHeader) return std::optional<Bytes>();
  ByteReader reader(buffer_);
  const std::size_t length = reader.be32();
  if (length == 0 || length > payload_max_) {
    return Error{Errc::too_large, "a frame of " + std::to_string(length) + " bytes", "",
                 "frames hold 1 to " + std::to_string(payload_max_) + " bytes of JSON"};
  }
  if (buffer_.size() - kControlHeader < length) return std::optional<Bytes>();
  Bytes payload = buffer_.substr(kControlHeader, length);
  buffer_.erase(0, kControlHeader + length);
  return std::optional<Bytes>(std::move(payload));
}

Bytes encode_frame(BytesView payload) {
  ByteWriter writer;
  writer.reserve(kControlHeader + payload.size());
  writer.be32(static_cast<std::uint32_t>(payload.size()));
  writer.raw(payload);
  return writer.take();
}

Bytes encode_frame(const nlohmann::json& value) {
  // Texts that are not UTF-8 should have been bytes_to_json; a stray one must not take the daemon down.
  return encode_frame(BytesView(value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)));
}

Expected<nlohmann::json> parse_json(BytesView text) {
  bool deep = false;
  const auto bounded = [&deep](int depth, nlohmann::json::parse_event_t, const nlohmann::json&) {
    deep = deep || depth > kDepthMax;
    return !deep;
  };
  nlohmann::json value = nlohmann::json::parse(text, bounded, false);
  if (deep || value.is_discarded() || !value.is_object()) {
    return Error{Errc::corrupt, "not a JSON object", "the frame", "see docs/control.md"};
  }
  return value;
}

nlohmann::json error_to_json(const Error& error) {
  return {{"code", to_string(error.code)}, {"what", error.what}, {"where", error.where}, {"remedy", error.remedy}};
}

Error error_from_json(const nlohmann::json& value) {
  Error error;
  const std::string code = text_of(value, "code");
  for (int i = 0; i <= static_cast<int>(Errc::internal); ++i) {
    if (code == to_string(static_cast<Errc>(i))) error.code = static_cast<Errc>(i);
  }
  error.what = text_of(value, "what");
  error.where = text_of(value, "where");
  error.remedy = text_of(value, "remedy");
  return error;
}

}  // namespace starling::apps
