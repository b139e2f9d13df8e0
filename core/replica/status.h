// How a node stands: a copy of plain values, for people, programs and tests.
//
// Published by the host after each step; reading it never touches SQLite or the replica.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/causal/version_vector.h"

namespace starling {

// Derived from positions, never set by hand. A created workspace is ready at once; a joiner once its vector covers
// the one in its first peer's Hello.
enum class Readiness { uninitialized, backfilling, catching_up, ready, paused };
[[nodiscard]] const char* to_string(Readiness);

enum class PeerState { connecting, handshaking, behind, live, backing_off, refused };
[[nodiscard]] const char* to_string(PeerState);

struct PeerStatus {
  DeviceId device;
  PeerState state = PeerState::connecting;
  std::string why;              // backing_off, refused: the last error
  VersionVector vector;         // what it has acknowledged
  std::uint64_t we_lack = 0;    // rows and entries that it has and we do not
  std::uint64_t it_lacks = 0;   // rows and entries of ours (and relayed) that it has not acknowledged
  std::uint64_t bytes_in = 0;   // of the current and earlier sessions since the node opened
  std::uint64_t bytes_out = 0;
  std::uint64_t sessions = 0;   // accepted since the node opened
};

struct WaitingOrigin {  // its log waits, staged nowhere and unacknowledged
  Origin origin;
  std::string why;
  WallTime until;       // zero: not known
};

struct Status {
  std::string workspace_name;
  WorkspaceId workspace;
  Origin self;
  Readiness readiness = Readiness::uninitialized;
  bool initial_sync_completed = false;
  VersionVector vector;
  std::uint64_t lacking = 0;         // changes that connected peers have and we do not
  std::vector<PeerStatus> peers;
  std::vector<WaitingOrigin> waiting;
  std::uint64_t conflicts = 0;       // recorded since the database was made
  std::uint64_t quarantined = 0;
  std::uint64_t hidden = 0;          // shared rows that are not shown: another has their UNIQUE value, or their parent is not there
  std::uint64_t nulled = 0;          // rows that are shown with NULL for a parent that is not there
  std::uint64_t damaged = 0;         // rows that are not as they were written, and wait for a peer that has them
  std::uint64_t repaired = 0;        // rows taken from a peer for that reason, or as digests differed, since the node opened
  std::uint64_t rows_applied = 0;    // from peers, since the node opened
  std::uint64_t entries_applied = 0;
  std::uint64_t duplicate_rows = 0;  // received again and ignored
  bool doubled = false;              // another machine lives under this device's identity: writes are refused until the user decides
  std::size_t members = 0;           // of the workspace, this device among them; 0: nobody was admitted yet
  std::uint64_t log_entries = 0;     // kept here, of all origins
  std::uint64_t entries_dropped = 0;     // of the log, and tombstones, that nobody needs any more; since the node opened
  std::uint64_t tombstones_dropped = 0;
  std::uint64_t snapshots_taken = 0;     // since the node opened
  bool merging = false;              // a snapshot
  std::string failed;                // not empty: the node stopped itself (a bug or a failing machine), and why
};

}  // namespace starling
