// How much memory a message holds, near enough to bound a queue of them.
//
// The size on the wire would not do: a few hundred compressed bytes may stand for megabytes.
#pragma once

#include <cstddef>

#include "proto/message.h"

namespace starling {

[[nodiscard]] std::size_t message_cost(const Message&);

}  // namespace starling
