# The messages of the protocol on the wire. proto/message.h has the same as plain structs, with what each means.
#
# Rules of change: fields and members are only ever added, with the next number. A reader ignores fields that it does
# not know, refuses messages that it does not know, and judges by Hello.protocol what a peer may be sent. Bounds are
# those of core/base/limits.h. Identifiers of 16 bytes travel as two numbers, high half first (big-endian), because a
# pointer to 16 bytes would cost 8 more; instants of the hybrid logical clock as 48 bits of milliseconds and 16 bits of
# counter in one number. Rows and entries are Data: their formats are our own (proto/entry.h, proto/state_page.h).

@0xd35e7ca5d4bb0fd1;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("starling::wire");

struct Message {
  union {
    none @0 :Void;  # what zero bytes say; never sent
    hello @1 :Hello;
    stateChange @2 :StatePage;      # pushed: one commit
    stateBatch @3 :List(StatePage); # pushed: several, in order
    stateRequest @4 :Request;
    stateResponse @5 :StateResponse;
    sharedChange @6 :SharedChange;
    sharedChangeBatch @7 :SharedChangeBatch;
    sharedChangeRequest @8 :Request;
    sharedChangeResponse @9 :SharedChangeResponse;
    ackSharedChanges @10 :List(Acknowledgement);
    heartbeat @11 :Heartbeat;
    error @12 :Error;
    entryPart @13 :EntryPart;
    snapshotRequest @14 :SnapshotRequest;
    snapshotPage @15 :SnapshotPage;
    digestRequest @16 :DigestRequest;
    digestResponse @17 :DigestResponse;
  }
}

# Where a node stands in the two streams of one origin. Lists of these are ascending by device (as bytes), birth and
# random, name an origin once, and hold no position that is zero throughout; hlc is zero if and only if seq is.
struct Position {
  origin :group {
    deviceHigh @0 :UInt64;
    deviceLow @1 :UInt64;
    birth @2 :UInt64;
    random @3 :UInt32;
  }
  rev @4 :UInt64;  # state stream
  seq @5 :UInt64;  # log stream
  hlc @6 :UInt64;  # of the entry at seq
}

# The first message in each direction.
struct Hello {
  protocol @0 :UInt32;
  workspaceName @1 :Text;
  workspaceHigh @2 :UInt64;  # zero, with workspaceLow: a joiner asks for it
  workspaceLow @3 :UInt64;
  incarnation :group {
    birth @4 :UInt64;
    random @5 :UInt32;
  }
  ackVersion @6 :UInt64;
  vector @7 :List(Position);
  held @8 :List(HeldLog);  # of the receiver's device
  models @9 :List(ModelDigest);
  clockMs @10 :Int64;  # wall clock, since 1970 in UTC
  heard :group {       # the receiver's acknowledgement that the sender holds
    birth @11 :UInt64;
    random @12 :UInt32;
    version @13 :UInt64;
  }
  stopped @14 :Bool;   # another machine lives under the sender's identity: it writes nothing any more
}

# How far the sender holds streams of the receiver's: proof that its history goes on from there.
struct HeldLog {
  origin :group {
    deviceHigh @0 :UInt64;
    deviceLow @1 :UInt64;
    birth @2 :UInt64;
    random @3 :UInt32;
  }
  seq @4 :UInt64;
  hashHigh @5 :UInt64;
  hashLow @6 :UInt64;
  rev @7 :UInt64;
  opening @8 :UInt64;  # in which the receiver told that revision
}

struct ModelDigest {
  name @0 :Text;
  digestHigh @1 :UInt64;
  digestLow @2 :UInt64;
  shape @3 :List(UInt64);  # a hash of kind and name, then one of each field (core/base/model_shape.h); at most 65
}

# Device-owned rows of one origin whose last change lies in (from, to].
struct StatePage {
  origin :group {
    deviceHigh @0 :UInt64;
    deviceLow @1 :UInt64;
    birth @2 :UInt64;
    random @3 :UInt32;
  }
  from @4 :UInt64;
  to @5 :UInt64;
  horizon @6 :UInt64;  # tombstones at or below it are gone
  body @7 :Data;
  opening @8 :UInt64;  # of the owner's database, in which it told `to` or later
}

# Of a state stream (from: a rev) or a log stream (from: a seq): "send what follows".
struct Request {
  origin :group {
    deviceHigh @0 :UInt64;
    deviceLow @1 :UInt64;
    birth @2 :UInt64;
    random @3 :UInt32;
  }
  from @4 :UInt64;
  credit @5 :UInt32;  # bytes that may be under way in answer
  open @6 :Bool;      # begin at `from`; else `credit` is added to the pull that is open
  offset @7 :UInt32;  # of a log stream, with `open`: bytes of entry from + 1 that the asker has staged
  horizon @8 :UInt64; # of a state stream: the asker has taken it, and removes what it finds no more (see StatePage)
}

struct StateResponse {
  page @0 :StatePage;
  last @1 :Bool;  # nothing follows now
}

struct SharedChange {
  origin :group {
    deviceHigh @0 :UInt64;
    deviceLow @1 :UInt64;
    birth @2 :UInt64;
    random @3 :UInt32;
  }
  seq @4 :UInt64;
  entry @5 :Data;
}

# Entries from, from + 1, … of one log.
struct SharedChangeBatch {
  origin :group {
    deviceHigh @0 :UInt64;
    deviceLow @1 :UInt64;
    birth @2 :UInt64;
    random @3 :UInt32;
  }
  from @4 :UInt64;
  entries @5 :List(Data);
}

struct SharedChangeResponse {
  batch @0 :SharedChangeBatch;
  last @1 :Bool;
  horizon @2 :UInt64;  # not zero: entries up to it are gone, and what was asked for among them: take a snapshot
}

# "Send all shared rows, as of one vector." Pages whose hash the asker names travel as their hash alone.
struct SnapshotRequest {
  credit @0 :UInt32;
  open @1 :Bool;
  kept @2 :List(Hash);
}

struct SnapshotPage {
  snapshotHigh @0 :UInt64;  # the hash of its first page
  snapshotLow @1 :UInt64;
  index @2 :UInt64;         # from 0
  hash @3 :Hash;            # of the body
  body @4 :Data;            # proto/snapshot_page.h; empty: the receiver named its hash
  last @5 :Bool;
}

struct Hash {
  high @0 :UInt64;
  low @1 :UInt64;
}

# A piece of an entry that is larger than a part: offset + length of bytes is at most total, bytes are not empty.
struct EntryPart {
  origin :group {
    deviceHigh @0 :UInt64;
    deviceLow @1 :UInt64;
    birth @2 :UInt64;
    random @3 :UInt32;
  }
  seq @4 :UInt64;
  total @5 :UInt32;   # bytes of the entry
  offset @6 :UInt32;  # of these
  bytes @7 :Data;
  last @8 :Bool;  # the entry ends here, and nothing follows now
}

# What a member holds on disk, versioned by (incarnation, version).
struct Acknowledgement {
  memberHigh @0 :UInt64;
  memberLow @1 :UInt64;
  incarnation :group {
    birth @2 :UInt64;
    random @3 :UInt32;
  }
  version @4 :UInt64;
  vector @5 :List(Position);
  delta @6 :Bool;  # only what changed since the version before, on this session
}

struct Heartbeat {
  vectorHashHigh @0 :UInt64;
  vectorHashLow @1 :UInt64;
  vector @2 :List(Position);  # null: not sent
  clockMs @3 :Int64;
  digestHigh @4 :UInt64;  # of all visible rows; zero, with digestLow: not to be compared
  digestLow @5 :UInt64;
}

# Of nodes with equal vectors: which (model, owner), which of its 256 ranges, which rows of those differ.
struct DigestRequest {
  level @0 :UInt8;  # 0: groups; 1: ranges of one; 2: rows of some of its ranges
  model @1 :UInt32;
  owner :group {  # zero: the model is shared
    deviceHigh @2 :UInt64;
    deviceLow @3 :UInt64;
    birth @4 :UInt64;
    random @5 :UInt32;
  }
  ranges @6 :List(UInt64);  # rows: 256 bits, the lowest first
  after @7 :Data;           # rows: what follows this key
}

struct DigestResponse {
  request @0 :DigestRequest;
  vectorHashHigh @1 :UInt64;
  vectorHashLow @2 :UInt64;
  body @3 :Data;  # proto/digest_page.h
  next @4 :Data;  # rows: looked through up to this key; empty: to the end
}

struct Error {
  code @0 :ErrorCode;
  text @1 :Text;  # at most 1 KiB
  retryAfterMs @2 :UInt32;  # zero: no promise
}

# Numbers are for ever. A reader takes one that it does not know for `internal`.
enum ErrorCode {
  internal @0;
  invalidArgument @1;
  schema @2;
  notOwner @3;
  wrongClass @4;
  constraint @5;
  forbidden @6;
  tooLarge @7;
  corrupt @8;
  notMember @9;
  wrongWorkspace @10;
  notReady @11;
  clock @12;
  identityConflict @13;
  busy @14;
  unreachable @15;
  stopped @16;
}
