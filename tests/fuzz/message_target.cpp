// One message of the codec: any bytes as its content, and the content that can be built of the same bytes.
#include "proto/codec.h"
#include "tests/fuzz/built.h"
#include "tests/fuzz/promise.h"
#include "tests/fuzz/target.h"

namespace starling::fuzz {
namespace {

constexpr std::size_t kWord = 8;

// As promise.h tells; only three messages are lists of anything but vectors and bytes.
std::size_t memory_factor(std::size_t kind) {
  switch (kind) {
    case 0: return sizeof(HeldLog) + kPlainFactor;
    case 2: return sizeof(StatePage) + kPlainFactor;
    case 9: return kMessageFactor;
    default: return kPlainFactor;
  }
}

void append_le32(Bytes& out, std::size_t n) {
  for (unsigned shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(n >> shift & 0xff));
}

// Bytes as a payload that is this kind of message, whatever else they are. The first says how many of the last words
// stand in a second segment; the others follow the kind, from the pointer to the message on.
Bytes payload_of(std::size_t kind, BytesView bytes) {
  const std::size_t split = bytes.empty() ? 0 : static_cast<std::uint8_t>(bytes.front());
  Bytes words = samples::spell("00000000 01000100");  // the root: a struct of one word and one pointer
  append_le32(words, kind + 1);  // 0 is none
  append_le32(words, 0);
  words += bytes.substr(std::min<std::size_t>(1, bytes.size()));
  words.resize((words.size() + kWord - 1) / kWord * kWord);
  const std::size_t all = words.size() / kWord, second = std::min(split, all - 2);
  Bytes table;
  append_le32(table, second == 0 ? 0 : 1);
  append_le32(table, all - second);
  if (second != 0) {
    append_le32(table, second);
    append_le32(table, 0);
  }
  return table + words;
}

void check_payload(std::size_t kind, const Bytes& payload) {
  const auto [message, peak] = measured([&] { return decode_payload(payload, false); });
  promise_memory(peak, memory_factor(kind) * payload.size());
  if (!message) return promise_refusal(message.error());
  promise(message->index() == kind, "it is another message");
  const Bytes again = encode_frame(*message);
  promise(*decode_payload(BytesView(again).substr(kFrameHeader), again[4] != 0) == *message, "it encodes to another");
}

void check_built(std::size_t kind, BytesView bytes) {
  Choices choices(bytes);
  const Message message = built_message(kind, choices);
  const Bytes frame = encode_frame(message);
  const Expected<Message> back = decode_payload(BytesView(frame).substr(kFrameHeader), frame[4] != 0);
  promise(back.has_value(), "what was encoded is refused");
  promise(*back == message, "another message came back");
}

}  // namespace

void check_message(std::size_t kind, BytesView bytes) {
  check_payload(kind, payload_of(kind, bytes));
  check_built(kind, bytes);
}

std::vector<Bytes> message_seeds(std::size_t kind) {
  constexpr std::size_t kBefore = kFrameHeader + 3 * kWord;  // segment table, root and kind
  std::vector<Bytes> seeds;
  Prng prng(kind);
  for (int i = 0; i < 8; ++i) {
    const Message message = samples::message(prng, kind);
    const Bytes frame = encode_frame(message), content = frame.substr(kBefore);
    seeds.push_back('\0' + content);
    promise(payload_of(kind, seeds.back()) == frame.substr(kFrameHeader), "a seed is not its message");
    // The same in a second segment: a far pointer leads there.
    seeds.push_back(static_cast<char>(content.size() / kWord) + samples::spell("02000000 01000000") + content);
    promise(*decode_payload(payload_of(kind, seeds.back()), false) == message, "a seed is not its message");
  }
  return seeds;
}

}  // namespace starling::fuzz
