// How a member of the workspace stands: who it is, since when, and what is kept for it alone.
//
// A copy of plain values, for people and programs (Node::members). Counted from acknowledgements, so what a member has
// and has not said yet counts as lacking: too much may be kept, never too little.
#pragma once

#include <cstdint>

#include "core/base/ids.h"
#include "core/base/time.h"

namespace starling {

struct MemberStatus {
  DeviceId device;
  bool self = false;
  bool removed = false;
  bool doubled = false;      // two machines live under its identity, and neither writes as it
  WallTime since;            // admitted, or removed, or doubled
  std::uint64_t lacks = 0;   // changes that it has not acknowledged
  WallTime oldest;           // the oldest shared change of those; zero: it lacks none that we still have
};

}  // namespace starling
