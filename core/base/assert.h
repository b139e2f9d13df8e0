// ASSERT: the channel for bugs, and only for bugs.
//
// It stays on in release builds. Never use it on input: what a peer or a user can cause is an Expected, what the machine
// can cause (disk, memory) is another exception. Not for headers that applications see.
#pragma once

#include "core/base/invariant.h"

#define ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::starling::invariant_broken(#condition, __FILE__, __LINE__))
