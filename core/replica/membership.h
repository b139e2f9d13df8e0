// Membership: who belongs to the workspace, as changes in the log.
//
// A device that says Hello and is no member yet is admitted by whoever it says it to, in an entry of that sponsor: from
// then on it counts, with an empty acknowledgement. Removal is an entry, too; whoever has applied it takes nothing more
// from that device's own sessions, and its acknowledgement holds back nothing. A device that was removed may be admitted
// again, but only in a later life: it is told so, begins one, and what it had not sent is stamped anew in it (rebase.h).
// Two machines that live under one identity (a disk that was copied into a second one, with the key) each see a later life of
// the device than their own, and begin one beyond it; whoever meets such a life twice in one opening knows. It says so in the
// log, both hear of it wherever they are, and neither writes any more, though both go on receiving. The user says on one of
// them that it goes on (keep_identity); the other one stays as it is until it gets a key of its own.
// Each change is stamped like a local write. admit() and tell_doubled() work in the caller's transaction, the others in one
// of their own.
#pragma once

#include <set>
#include <vector>

#include "core/replica/event.h"
#include "core/replica/member_status.h"

namespace starling {

class Store;
[[nodiscard]] Error doubled_identity(const Store&);  // identity_conflict: what a write gets

// Inserts rows for `devices` that have none, and our own where there is none at all. No change: nullopt.
[[nodiscard]] Expected<std::optional<LocalCommit>> admit(Store&, const std::set<DeviceId>&, WallTime);
// Says that this device is doubled, if it is, and nobody has said so yet.
[[nodiscard]] std::optional<LocalCommit> tell_doubled(Store&, WallTime);
// Errors: it is not doubled.
[[nodiscard]] Expected<LocalCommit> keep_identity(Store&, WallTime);

// Errors: not a member, ourselves, a workspace that we have not joined yet.
[[nodiscard]] Expected<LocalCommit> remove_member(Store&, const DeviceId&, WallTime);
[[nodiscard]] Expected<LocalCommit> readmit_member(Store&, const DeviceId&, WallTime);

[[nodiscard]] std::vector<MemberStatus> list_members(Store&);

}  // namespace starling
