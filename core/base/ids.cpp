#include "core/base/ids.h"

#include <cctype>

namespace starling {
namespace {

constexpr char kBase32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";  // RFC 4648
constexpr std::size_t kDeviceIdChars = 26;                      // ceil(128 / 5)

int base32_value(char c) {
  const char upper = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  if (upper >= 'A' && upper <= 'Z') return upper - 'A';
  if (upper >= '2' && upper <= '7') return upper - '2' + 26;
  return -1;
}

Error bad_device_id(std::string_view text, const std::string& why) {
  return {Errc::invalid_argument, "not a device id: " + why, std::string(text.substr(0, 64)),
          "copy the whole id that 'starling id' prints on the other device"};
}

}  // namespace

void write_origin(ByteWriter& w, const Origin& origin) {
  w.raw(origin.device.view());
  w.be64(origin.incarnation.birth.packed);
  w.be32(origin.incarnation.random);
}

Origin read_origin(ByteReader& r) {
  const BytesView device = r.raw(16);
  const std::uint64_t birth = r.be64();
  const std::uint32_t random = r.be32();
  if (r.failed()) return {};
  return {DeviceId::from(device), {Hlc{birth}, random}};
}

std::string to_string(const DeviceId& id) {
  std::string text;
  unsigned bits = 0;
  unsigned held = 0;
  std::size_t chars = 0;
  const auto put = [&](unsigned value) {
    if (chars > 0 && chars % 4 == 0) text.push_back('-');
    text.push_back(kBase32[value & 31U]);
    ++chars;
  };
  for (const std::uint8_t byte : id.raw) {
    bits = (bits << 8) | byte;
    held += 8;
    while (held >= 5) {
      held -= 5;
      put(bits >> held);
    }
    bits &= (1U << held) - 1U;
  }
  put(bits << (5 - held));
  return text;
}

Expected<DeviceId> parse_device_id(std::string_view text) {
  DeviceId id;
  unsigned bits = 0;
  unsigned held = 0;
  std::size_t chars = 0;
  std::size_t bytes = 0;
  for (const char c : text) {
    if (c == '-' || c == ' ') continue;
    const int value = base32_value(c);
    if (value < 0) return bad_device_id(text, std::string("'") + c + "' is not one of A-Z, 2-7");
    if (++chars > kDeviceIdChars) continue;  // counted for the message
    bits = (bits << 5) | static_cast<unsigned>(value);
    held += 5;
    if (held >= 8 && bytes < id.raw.size()) {
      held -= 8;
      id.raw[bytes++] = static_cast<std::uint8_t>(bits >> held);
      bits &= (1U << held) - 1U;
    }
  }
  if (chars != kDeviceIdChars) return bad_device_id(text, "it has 26 characters, this has " + std::to_string(chars));
  if (bits != 0) return bad_device_id(text, "its last character is mistyped");
  return id;
}

std::string short_string(const DeviceId& id) { return to_string(id).substr(0, 4); }

std::string to_string(const WorkspaceId& id) { return to_hex(id.view()); }

}  // namespace starling
