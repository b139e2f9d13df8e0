// The system's clocks, as the core wants them.
//
// The one place in the library that reads a clock for the core. Monotonic time comes from the steady clock (it stands
// still while the machine sleeps: a deadline then comes late, never early), wall time from the system's. Thread-safe.
#pragma once

#include "net/config.h"

namespace starling {

class SystemClock final : public Clock {
 public:
  [[nodiscard]] Now now() const override;
};

}  // namespace starling
