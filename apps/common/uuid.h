// UUID version 7 (RFC 9562): 48 bits of milliseconds, the rest random.
//
// The keys of rows that nothing else names. Their order is the order of their making, which keeps inserts local in an
// index. The clock and the randomness are the machine's; nothing in the engine rests on either.
#pragma once

#include <cstdint>

#include "core/base/bytes.h"

namespace starling::apps {

[[nodiscard]] std::int64_t wall_clock_ms();
[[nodiscard]] Bytes new_uuid();  // 16 bytes

}  // namespace starling::apps
