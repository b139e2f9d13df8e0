// The first words of a session, and what they must agree on.
//
// Checked in this order, each refusal with its own code: protocol version, workspace, clock (a day apart is refused),
// schema (a model that neither side's can have grown out of the other's), identity (the peer knows more of our own log than we do, or another hash for an entry of
// it). A joiner says workspace zero and takes the id from its first peer.
#pragma once

#include "proto/message.h"

namespace starling {

class Store;

[[nodiscard]] Hello make_hello(Store&, VersionVector shown, const DeviceId& peer, WallTime);
[[nodiscard]] Expected<void> check_hello(Store&, const Hello&, const DeviceId& peer, WallTime);

// Whether both sides have the same version of every model: only then do digests of rows compare.
[[nodiscard]] bool same_models(const Schema&, const Hello&);

// The latest life of this device that the vector shows, where that is later than ours by birth: then our clock was
// behind when this database was made, and our rows would count as older than those of the life before. As long as we
// have written nothing we can begin anew, later than that; else the peer is refused (check_hello).
[[nodiscard]] std::optional<Incarnation> later_life(const Store&, const VersionVector&);

// Our log is told to nobody while it is provisional (core/replica/rebase.h).
[[nodiscard]] VersionVector without_own_log(VersionVector, const Origin& self);

// The version of an acknowledgement: grows with the vector, whatever grew in it, and needs no state of its own.
[[nodiscard]] std::uint64_t ack_version(const VersionVector&);

}  // namespace starling
