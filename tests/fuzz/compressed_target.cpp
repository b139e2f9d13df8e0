// A compressed payload: what it swells to is judged before it does; and any bytes, compressed, come back.
#include "proto/codec.h"
#include "proto/compress.h"
#include "tests/fuzz/promise.h"
#include "tests/fuzz/target.h"

namespace starling::fuzz {
namespace {

constexpr std::size_t kAgainMax = limits::kFrameMax / 32;  // a payload whose message cannot encode beyond a frame

void check_payload(BytesView payload) {
  const std::size_t declared = decompressed_size(payload).value_or(0);
  const std::size_t held = declared <= limits::kFrameMax ? declared : 0;
  const auto [message, peak] = measured([&] { return decode_payload(payload, true); });
  promise_memory(peak, kMessageFactor * (payload.size() + held));
  if (!message) return promise_refusal(message.error());
  if (declared > kAgainMax) return;
  const Bytes again = encode_frame(*message);
  promise(*decode_payload(BytesView(again).substr(kFrameHeader), again[4] != 0) == *message, "it encodes to another");
}

}  // namespace

void check_compressed(BytesView bytes) {
  check_payload(bytes);
  Bytes smaller = "before";
  if (!compress(bytes, smaller)) return promise(smaller == "before", "it left something behind");
  promise(smaller.starts_with("before"), "it changed what was there");
  const BytesView compressed = BytesView(smaller).substr(6);
  promise(compressed.size() < bytes.size() && decompressed_size(compressed) == bytes.size(), "a wrong size");
  Bytes back(bytes.size(), '\0');
  promise(decompress(compressed, back) && back == bytes, "other bytes came back");
}

std::vector<Bytes> compressed_seeds() {
  std::vector<Bytes> seeds;
  Prng prng(200);
  for (std::size_t kind : {0U, 2U, 5U, 6U, 9U}) {
    Message message = samples::message(prng, kind);
    if (auto* change = std::get_if<SharedChange>(&message)) change->entry.resize(5000, 'x');
    Bytes seed;
    if (compress(BytesView(encode_frame(message)).substr(kFrameHeader), seed)) seeds.push_back(seed);
  }
  for (const std::size_t zeros : {limits::kFrameMax, limits::kFrameMax + 8}) {
    Bytes bomb;
    if (compress(Bytes(zeros, '\0'), bomb)) seeds.push_back(bomb);
  }
  return seeds;
}

}  // namespace starling::fuzz
