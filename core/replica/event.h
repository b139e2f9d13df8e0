// What goes into the replica and what comes out.
//
// Events are facts about the outside world; effects are what the shell must do, and they exist only after the
// transaction that decided them has been committed. Sessions are numbered by the shell; a number is never reused.
#pragma once

#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "core/base/log_level.h"
#include "core/causal/change.h"
#include "core/replica/node_event.h"
#include "proto/message.h"

namespace starling {

using SessionId = std::uint64_t;

// A row that changed.
struct ChangedRow {
  ModelIndex model = 0;
  Op op = Op::insert;
  FieldMask fields = 0;  // that changed; none for a delete
  Bytes key;             // canonical bytes
};

// One transaction's changes, ours or a peer's, after its commit.
struct ChangeSet {
  std::shared_ptr<const Schema> schema;  // what the indices refer to
  bool local = false;
  Origin origin;
  std::vector<ChangedRow> rows;
  bool overflow = false;   // more rows than limits::kChangeEventRowsMax: anything may have changed
  bool conflicts = false;  // something lost in the merge: sync_conflict has grown

  [[nodiscard]] bool empty() const { return rows.empty() && !overflow && !conflicts; }
};

// What a local commit produced: positions, and the bytes to push while they are small.
struct LocalCommit {
  Origin origin;
  Rev rev_before, rev_after;  // equal: no device-owned change
  Seq seq;                    // zero: no shared change
  bool draft = false;         // it has no number yet, and is told to nobody (rebase.h): seq is provisional
  Hlc hlc;
  std::uint64_t opening = 0;  // of our database: StatePage
  Bytes state_body;           // state_page.h; empty when there is none or it is beyond limits::kPushMax
  Bytes entry;                // likewise
  std::size_t rows = 0;       // net changes
  ChangeSet changes;
};

// --- events
struct PeerUp {  // an authenticated connection; the device id comes from its certificate
  SessionId session = 0;
  DeviceId device;
};
struct PeerDown {
  SessionId session = 0;
};
struct Received {
  SessionId session = 0;
  Message message;
};
struct OutboxFull {  // a push was dropped, or its session's queue has grown too long
  SessionId session = 0;
};
struct Committed {
  std::shared_ptr<const LocalCommit> commit;
};
struct ModelsReplaced {};  // by a migration: the next Hello tells others
using Event = std::variant<PeerUp, PeerDown, Received, OutboxFull, Committed, ModelsReplaced>;

// --- effects
struct Send {
  std::vector<SessionId> sessions;
  std::shared_ptr<const Message> message;
};
struct Accepted {  // the peer's Hello was accepted: it counts as connected
  SessionId session = 0;
};
struct Close {  // after what was sent before
  SessionId session = 0;
  Error why;
};
struct Changed {  // a peer's changes are visible
  ChangeSet event;
};
struct Note {  // a fact for the log, and, where it is one of those, an event for the application
  LogLevel level = LogLevel::info;
  std::string text;
  std::optional<NodeEvent::Kind> event;
  DeviceId peer;
};
using Effect = std::variant<Send, Accepted, Close, Changed, Note>;

}  // namespace starling
