// Every message of the protocol, as a plain validated struct.
//
// The replica speaks only these; the codec turns them into frames and back. Who sent a message comes from the
// connection, never from the message. Rows and entries are opaque here (state_page.h, entry.h): a node relays bytes
// that it did not write.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/base/model_shape.h"
#include "core/causal/ack_table.h"
#include "core/causal/version_vector.h"

namespace starling {

inline constexpr std::uint32_t kProtocolVersion = 3;

struct ModelDigest {
  std::string name;
  Hash128 digest;    // equal: the same version
  ModelShape shape;  // tells whether one version has grown out of the other
  friend bool operator==(const ModelDigest&, const ModelDigest&) = default;
};

// What we hold of the peer's own streams: proof that its history goes on where we last saw it.
struct HeldLog {
  Origin origin;
  Seq seq;
  Hash128 hash;  // of the entry at seq
  Rev rev;
  std::uint64_t opening = 0;  // in which of its openings it told that revision (StatePage); 0: not known
  friend bool operator==(const HeldLog&, const HeldLog&) = default;
};

// First on every session, once in each direction. Nothing else is accepted before it.
struct Hello {
  std::uint32_t protocol = kProtocolVersion;
  std::string workspace_name;
  WorkspaceId workspace;  // zero: a joiner that asks for it
  Incarnation incarnation;
  std::uint64_t ack_version = 0;
  VersionVector vector;
  Incarnation heard;                // of the receiver: whose acknowledgement we hold,
  std::uint64_t heard_version = 0;  //   and which; 0: none, and then maybe of a life that was removed
  std::vector<HeldLog> held;  // of the receiver's device, each incarnation that we know
  std::vector<ModelDigest> models;
  WallTime clock;
  bool stopped = false;  // another machine lives under the sender's identity: it writes nothing any more
  friend bool operator==(const Hello&, const Hello&) = default;
};

struct StatePage {
  Origin origin;
  Rev from;
  Rev to;
  Rev horizon;  // tombstones at or below it have been dropped; where it lies above our position, the page begins at 0
  Bytes body;   // state_page.h
  std::uint64_t opening = 0;  // of the owner's database, in which it told `to` or later: see hello.h
  friend bool operator==(const StatePage&, const StatePage&) = default;
};

struct StateChange {  // pushed: one commit of ours
  StatePage page;
  friend bool operator==(const StateChange&, const StateChange&) = default;
};
struct StateBatch {  // pushed: several commits of ours, in order
  std::vector<StatePage> pages;
  friend bool operator==(const StateBatch&, const StateBatch&) = default;
};

// "Send what continues my position." `credit` bytes may be under way in answer; each further request for the same
// stream adds credit and the source goes on from its cursor; `open` begins a pull at `from`, whatever was open before.
struct StateRequest {
  Origin origin;
  Rev from;
  std::uint32_t credit = 0;
  bool open = false;
  Rev horizon;  // that the asker has taken over: a source with a greater one begins at 0
  friend bool operator==(const StateRequest&, const StateRequest&) = default;
};
struct StateResponse {
  StatePage page;
  bool last = false;  // the source has no more of this stream now
  friend bool operator==(const StateResponse&, const StateResponse&) = default;
};

struct SharedChange {  // pushed: one entry of ours
  Origin origin;
  Seq seq;
  Bytes entry;
  friend bool operator==(const SharedChange&, const SharedChange&) = default;
};
struct SharedChangeBatch {  // pushed: entries from, from+1, …
  Origin origin;
  Seq from;
  std::vector<Bytes> entries;
  friend bool operator==(const SharedChangeBatch&, const SharedChangeBatch&) = default;
};
struct SharedChangeRequest {  // as StateRequest, of a log stream; `from`: the last seq we hold
  Origin origin;
  Seq from;
  std::uint32_t credit = 0;
  bool open = false;
  std::uint32_t offset = 0;  // with `open`: of entry from+1 the asker has staged that many bytes
  friend bool operator==(const SharedChangeRequest&, const SharedChangeRequest&) = default;
};
struct SharedChangeResponse {
  SharedChangeBatch batch;
  bool last = false;
  Seq horizon;  // not zero: entries up to it are gone, and what was asked for among them
  friend bool operator==(const SharedChangeResponse&, const SharedChangeResponse&) = default;
};

// "Send all shared rows, as of one vector": for whom the log does not reach back. A page of snapshot zero: there is none to
// give, ask another. Pages whose hashes are named in `kept`
// travel as hashes; credit as in StateRequest.
struct SnapshotRequest {
  std::uint32_t credit = 0;
  bool open = false;
  std::vector<Hash128> kept;
  friend bool operator==(const SnapshotRequest&, const SnapshotRequest&) = default;
};
struct SnapshotPage {
  Hash128 snapshot;         // the hash of its first page, which tells the vector
  std::uint64_t index = 0;  // 0, 1, 2, …
  Hash128 hash;             // of the body
  Bytes body;               // snapshot_page.h; empty: the receiver has it
  bool last = false;
  friend bool operator==(const SnapshotPage&, const SnapshotPage&) = default;
};

// Acknowledgements: what the sender holds on disk, and what it knows of the other members. `delta`: only what changed
// since the member's previous version on this session.
struct AckSharedChanges {
  struct One {
    Acknowledgement ack;
    bool delta = false;
    friend bool operator==(const One&, const One&) = default;
  };
  std::vector<One> acks;
  friend bool operator==(const AckSharedChanges&, const AckSharedChanges&) = default;
};

// When idle. The hash stands for the sender's vector; the vector itself goes along only when asked for or differing.
// The digest is of all visible rows (core/store/digest_table.h); zero: not to be compared.
struct Heartbeat {
  Hash128 vector_hash;
  std::optional<VersionVector> vector;
  WallTime clock;
  Hash128 digest;
  friend bool operator==(const Heartbeat&, const Heartbeat&) = default;
};

// What differs between two nodes with equal vectors, in three questions: which (model, owner), which of its ranges, which
// rows of those. Bodies are digest_page.h.
enum class DigestLevel : std::uint8_t { groups = 0, ranges = 1, rows = 2 };
inline constexpr std::size_t kDigestRanges = 256;
using RangeMask = std::array<std::uint64_t, kDigestRanges / 64>;

struct DigestRequest {
  DigestLevel level = DigestLevel::groups;
  std::uint32_t model = 0;  // its place in the schema, which is the same for both
  Origin owner;             // zero: the model is shared
  RangeMask ranges{};       // level rows
  Bytes after;              // level rows: what follows this key
  friend bool operator==(const DigestRequest&, const DigestRequest&) = default;
};
struct DigestResponse {
  DigestRequest request;
  Hash128 vector_hash;  // of the moment in which the answer was read
  Bytes body;
  Bytes next;           // level rows: looked through up to this key; empty: to the end
  friend bool operator==(const DigestResponse&, const DigestResponse&) = default;
};

struct ErrorMessage {
  Errc code = Errc::internal;
  std::string text;
  std::uint32_t retry_after_ms = 0;  // 0: no promise
  friend bool operator==(const ErrorMessage&, const ErrorMessage&) = default;
};

// In answer to a SharedChangeRequest, where the next entry is larger than limits::kPartMax: a piece of its bytes. Parts of
// an entry follow each other without a gap, from the offset asked for to its end, and name the same total.
struct EntryPart {
  Origin origin;
  Seq seq;
  std::uint32_t total = 0;   // bytes of the entry
  std::uint32_t offset = 0;  // of these
  Bytes bytes;
  bool last = false;  // the entry ends here, and the source has no more of this stream now
  friend bool operator==(const EntryPart&, const EntryPart&) = default;
};

using Message = std::variant<Hello, StateChange, StateBatch, StateRequest, StateResponse, SharedChange,
                             SharedChangeBatch, SharedChangeRequest, SharedChangeResponse, AckSharedChanges, Heartbeat,
                             ErrorMessage, EntryPart, SnapshotRequest, SnapshotPage, DigestRequest, DigestResponse>;

[[nodiscard]] const char* name_of(const Message&);

}  // namespace starling
