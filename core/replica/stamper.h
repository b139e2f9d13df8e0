// The stamper: what a local transaction's net changes mean to everyone else.
//
// Shared changes get one stamp (one tick of the clock), field versions and one log entry; device-owned changes get the
// next revisions of our state stream, one for each row. All of it is written in the transaction that made the
// changes. The result carries the bytes to push while they are small.
#pragma once

#include <span>

#include "core/replica/event.h"

namespace starling {

class Store;
struct NetChange;
enum class WriteScope;

// Errors: not_owner, wrong_class, too_large. The caller rolls back.
[[nodiscard]] Expected<LocalCommit> stamp_changes(Store&, std::span<const NetChange>, WriteScope, WallTime);

}  // namespace starling
