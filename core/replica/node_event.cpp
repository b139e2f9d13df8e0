#include "core/replica/node_event.h"

namespace starling {

const char* to_string(NodeEvent::Kind kind) {
  switch (kind) {
    case NodeEvent::Kind::initial_sync_complete: return "initial sync complete";
    case NodeEvent::Kind::peer_connected: return "peer connected";
    case NodeEvent::Kind::peer_disconnected: return "peer disconnected";
    case NodeEvent::Kind::peer_refused: return "peer refused";
    case NodeEvent::Kind::stream_waits: return "stream waits";
    case NodeEvent::Kind::restored: return "restored";
    case NodeEvent::Kind::identity_doubled: return "identity doubled";
    case NodeEvent::Kind::digest_mismatch: return "digest mismatch";
    case NodeEvent::Kind::damage_found: return "damage found";
    case NodeEvent::Kind::damage_healed: return "damage healed";
    case NodeEvent::Kind::long_transaction: return "long transaction";
    case NodeEvent::Kind::failed: return "failed";
  }
  return "unknown";
}

}  // namespace starling
