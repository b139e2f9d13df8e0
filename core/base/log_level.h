// How much a fact for the log matters.
//
// debug: for whoever looks for a fault. info: what a user may want to know later. warning: something is not as it should
// be, and goes on. error: something has stopped.
#pragma once

#include <cstdint>

namespace starling {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

}  // namespace starling
