// What the replica knows of one session with a peer.
//
// Lives in memory only: a session that ends takes nothing along that the next one's Hello does not tell again.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "core/causal/version_vector.h"
#include "core/replica/event.h"

namespace starling {

enum class Stream : std::uint8_t { state, log };

// A pull that this peer has open with us: pages go out while there is credit.
struct Serving {
  std::uint64_t cursor = 0;  // rev or seq up to which pages were sent
  std::int64_t credit = 0;   // bytes
  std::size_t offset = 0;    // of the entry behind the cursor: its bytes before that were sent, or are there already
};

class SnapshotSpool;

// A snapshot that this peer takes from us.
struct SnapshotServing {
  std::shared_ptr<SnapshotSpool> spool;  // none: as soon as there is one
  std::uint64_t next = 0;                // page
  std::int64_t credit = 0;               // bytes
  std::set<Hash128> kept;                // pages that it has
  bool failed = false;                   // it is told that there is none
};

using StreamKey = std::pair<Origin, Stream>;

struct PeerSession {
  SessionId id = 0;
  DeviceId device;
  MonoTime since;
  bool hello_due = true;          // ours goes out at the end of the step that the session began in
  bool accepted = false;          // its Hello was good
  bool same_models = false;       // its models are the same version as ours: digests compare
  std::set<std::string> models;   // that it has

  Incarnation ours;               // the latest life of this device that it had heard of
  VersionVector vector;           // what it holds, as far as it told
  Incarnation incarnation;
  bool stopped = false;           // it writes nothing as its device any more: which of its lives it is does not matter
  Acknowledgement acknowledged;   // in its own words: its Hello, and what it acknowledged since
  VersionVector told;             // our vector, as far as we told it
  bool sign_due = false;          // this life of it is new to us: it waits to see that we have heard of it
  bool vector_due = false;        // its heartbeat showed that one of us is behind: it is shown our whole vector
  bool dropped = false;           // something that we sent did not go out: it is told our whole vector, and asks anew
  MonoTime next_ack;              // not before
  MonoTime last_sent;
  std::optional<Rev> pushed_rev;  // where it stands in our state stream once all that we sent has arrived;
  std::optional<Seq> pushed_seq;  //   nothing: unknown, it will pull
  std::map<StreamKey, Serving> serving;
  std::optional<SnapshotServing> snapshot;
  std::map<DeviceId, Acknowledgement> relayed;  // of other members, as we told it: what our next delta is added to
  std::map<DeviceId, Acknowledgement> heard;    // as it told us: what its next delta is added to
  MonoTime next_relay;            // not before
  bool serve_on = false;          // there is more to send than went out in one step
};

}  // namespace starling
