// The first words of a session, and what they must agree on.
//
// Checked in this order, each refusal with its own code: protocol version, workspace, clock (a day apart is refused),
// schema (a model of which neither side's version can have grown out of the other's). A joiner says workspace zero and takes
// the id from its first peer.
//
// What a peer knows of ourselves tells whether our name is still ours (renewal). Where it knows more of our streams than we
// do, another hash for an entry, a revision that we told in an opening in which we did not come so far, or an acknowledgement
// of ours that says more than we hold, this database is an older one: a disk image that was put back, or a copy. Where it
// knows a later life of this device, somebody has gone on as us. Either way we begin a new life, later than all that are known.
#pragma once

#include "proto/message.h"

namespace starling {

class Store;

[[nodiscard]] Hello make_hello(Store&, VersionVector shown, const DeviceId& peer, WallTime);
[[nodiscard]] Expected<void> check_hello(Store&, const Hello&, const DeviceId& peer, WallTime);

// Whether both sides have the same version of every model: only then do digests of rows compare.
[[nodiscard]] bool same_models(const Schema&, const Hello&);

struct Renewal {
  Incarnation incarnation;
  Position kept;       // of our streams stands under the former name (Store::begin_new_life)
  const char* why = "";
  bool lived = false;  // because of a later life
};
// Nothing: our name is ours. `shown`: what we have told others that we hold.
[[nodiscard]] std::optional<Renewal> renewal(Store&, const DeviceId& peer, const Hello&, const VersionVector& shown);
// The same, by a vector alone, or by whose acknowledgement a peer holds: of a later life.
[[nodiscard]] std::optional<Renewal> renewal_of_life(Store&, const VersionVector&, const Incarnation& heard = {});

// Our clock was ahead, and is right now: peers will not take what we wrote by it until their clocks have come so far. Nobody
// has yet, so it becomes drafts, which are stamped anew. `theirs`: the clock of a peer that says the same as ours.
[[nodiscard]] std::optional<Renewal> renewal_of_clock(Store&, WallTime theirs, WallTime ours);

// A peer says that the life that we go by never comes back: we were removed, and admitted again. What the peer does not show of
// our streams nobody will take under that name.
[[nodiscard]] Renewal renewal_as_told(Store&, const VersionVector& shown_by_peer, const Incarnation& heard);

// Our log is told to nobody while it is provisional (core/replica/rebase.h).
[[nodiscard]] VersionVector without_own_log(VersionVector, const Origin& self);

// The version of an acknowledgement: grows with the vector, whatever grew in it, and needs no state of its own.
[[nodiscard]] std::uint64_t ack_version(const VersionVector&);

}  // namespace starling
