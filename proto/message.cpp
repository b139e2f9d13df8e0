#include "proto/message.h"

#include <array>

namespace starling {

const char* name_of(const Message& message) {
  static constexpr std::array kNames = {
      "Hello",        "StateChange",       "StateBatch",          "StateRequest",         "StateResponse",
      "SharedChange", "SharedChangeBatch", "SharedChangeRequest", "SharedChangeResponse", "AckSharedChanges",
      "Heartbeat",    "Error",             "EntryPart",           "SnapshotRequest",      "SnapshotPage",
      "DigestRequest", "DigestResponse"};
  static_assert(kNames.size() == std::variant_size_v<Message>);
  return kNames[message.index()];
}

}  // namespace starling
