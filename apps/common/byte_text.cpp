#include "apps/common/byte_text.h"

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace starling::apps {
namespace {

std::uint8_t byte_at(BytesView text, std::size_t at) { return static_cast<std::uint8_t>(text[at]); }

// The length of the well-formed UTF-8 sequence at `at` (Unicode 15, table 3-7); 0: there is none.
std::size_t sequence_length(BytesView text, std::size_t at) {
  const std::uint8_t lead = byte_at(text, at);
  if (lead < 0x80) return 1;
  std::size_t length = 0;
  std::uint8_t low = 0x80;
  std::uint8_t high = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) length = 2;
  else if (lead >= 0xE0 && lead <= 0xEF) length = 3;
  else if (lead >= 0xF0 && lead <= 0xF4) length = 4;
  else return 0;
  if (lead == 0xE0) low = 0xA0;   // shorter forms exist
  if (lead == 0xED) high = 0x9F;  // surrogates
  if (lead == 0xF0) low = 0x90;
  if (lead == 0xF4) high = 0x8F;  // beyond U+10FFFF
  if (text.size() - at < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    const std::uint8_t next = byte_at(text, at + i);
    if (next < low || next > high) return 0;
    low = 0x80;
    high = 0xBF;
  }
  return length;
}

bool is_control(BytesView sequence) {
  const std::uint8_t first = byte_at(sequence, 0);
  if (sequence.size() == 1) return first < 0x20 || first == 0x7F;
  return sequence.size() == 2 && first == 0xC2 && byte_at(sequence, 1) < 0xA0;  // C1 controls
}

}  // namespace

bool is_utf8(BytesView text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = sequence_length(text, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

ValueView name_value(BytesView name) { return is_utf8(name) ? ValueView::text(name) : ValueView::blob(name); }

std::string printable(BytesView text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = sequence_length(text, at);
    const BytesView sequence = text.substr(at, length == 0 ? 1 : length);
    at += sequence.size();
    if (length != 0 && !is_control(sequence)) {
      out += sequence;
    } else if (sequence == "\n") {
      out += "\\n";
    } else if (sequence == "\t") {
      out += "\\t";
    } else {
      for (const char c : sequence) out += "\\x" + to_hex(BytesView(&c, 1));
    }
  }
  return out;
}

nlohmann::json bytes_to_json(BytesView bytes) {
  if (is_utf8(bytes)) return std::string(bytes);
  return {{"hex", to_hex(bytes)}};
}

Expected<Bytes> bytes_from_json(const nlohmann::json& value, const std::string& what) {
  if (value.is_string()) return value.get<std::string>();
  Bytes bytes;
  if (value.is_object() && value.size() == 1 && value.contains("hex") && value["hex"].is_string() &&
      from_hex(value["hex"].get<std::string>(), bytes)) {
    return bytes;
  }
  return Error{Errc::invalid_argument, "neither a string nor {\"hex\": \"…\"}", what, ""};
}

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

std::string human_size(std::uint64_t bytes) {
  constexpr std::array kUnits{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  auto amount = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (amount >= 1024 && unit + 1 < kUnits.size()) {
    amount /= 1024;
    ++unit;
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", amount, kUnits.at(unit));
  return text.data();
}

}  // namespace starling::apps
