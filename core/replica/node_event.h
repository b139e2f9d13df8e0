// Events of a node that an application may want to show or to act on.
//
// The replica notes most of them beside its log lines; the network and the node add their own. They say what happened,
// once; how things stand now is in Status.
#pragma once

#include <string>

#include "core/base/ids.h"

namespace starling {

struct NodeEvent {
  enum class Kind {
    initial_sync_complete,
    peer_connected,
    peer_disconnected,
    peer_refused,       // by us or by them; `text` says why
    stream_waits,       // changes of device `peer` cannot be applied yet; `text` says why
    restored,           // the database was a backup or a copy, or peers know more of it: this device goes on under a new incarnation
    identity_doubled,   // another machine lives under this device's identity: nothing is written as it any more
    digest_mismatch,    // peer `peer` holds the same changes, and other rows: they are compared and repaired
    damage_found,       // rows are not as they were written; `text` says which
    damage_healed,      // they are again
    long_transaction,   // somebody has held the database for limits::kLongTransaction; `text` says who
    failed,             // the node has stopped itself; `text` says why
  };
  Kind kind = Kind::failed;
  DeviceId peer;  // zero: it concerns no peer
  std::string text;
};
[[nodiscard]] const char* to_string(NodeEvent::Kind);

}  // namespace starling
