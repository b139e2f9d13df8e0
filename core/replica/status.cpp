#include "core/replica/status.h"

namespace starling {

const char* to_string(Readiness r) {
  switch (r) {
    case Readiness::uninitialized: return "uninitialized";
    case Readiness::backfilling: return "backfilling";
    case Readiness::catching_up: return "catching up";
    case Readiness::ready: return "ready";
    case Readiness::paused: return "paused";
  }
  return "unknown";
}

const char* to_string(PeerState s) {
  switch (s) {
    case PeerState::connecting: return "connecting";
    case PeerState::handshaking: return "handshaking";
    case PeerState::behind: return "behind";
    case PeerState::live: return "live";
    case PeerState::backing_off: return "backing off";
    case PeerState::refused: return "refused";
  }
  return "unknown";
}

}  // namespace starling
