// Short names for devices and origins in tests: device(2) is greater than device(1).
#pragma once

#include "core/base/ids.h"

namespace starling {

inline DeviceId device(unsigned n) {
  DeviceId id;
  id.raw[0] = static_cast<std::uint8_t>(n);
  id.raw[15] = 1;
  return id;
}

inline Origin origin(unsigned n, std::uint64_t birth = 1) { return {device(n), {Hlc{birth}, 0}}; }

inline Stamp stamp(std::uint64_t hlc, unsigned n) { return {Hlc{hlc}, origin(n)}; }

}  // namespace starling
