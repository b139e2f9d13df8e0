// Membership: who belongs to the workspace, as changes in the log.
//
// A device that says Hello and is no member yet is admitted by whoever it says it to, in an entry of that sponsor: from
// then on it counts, with an empty acknowledgement. Removal is an entry, too; whoever has applied it takes nothing more
// from that device's own sessions, and its acknowledgement holds back nothing. A device that was removed may be admitted
// again, but only in a later life: it begins with an empty folder (docs/adr/0012-membership.md).
// Each change is stamped like a local write. admit() works in the caller's transaction, the others in one of their own.
#pragma once

#include <set>
#include <vector>

#include "core/replica/event.h"
#include "core/replica/member_status.h"

namespace starling {

class Store;

// Inserts rows for `devices` that have none, and our own where there is none at all. No change: nullopt.
[[nodiscard]] Expected<std::optional<LocalCommit>> admit(Store&, const std::set<DeviceId>&, WallTime);
// Errors: not a member, ourselves, a workspace that we have not joined yet.
[[nodiscard]] Expected<LocalCommit> remove_member(Store&, const DeviceId&, WallTime);
[[nodiscard]] Expected<LocalCommit> readmit_member(Store&, const DeviceId&, WallTime);

[[nodiscard]] std::vector<MemberStatus> list_members(Store&);

}  // namespace starling
