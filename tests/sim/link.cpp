#include "tests/sim/link.h"

#include <algorithm>

namespace starling::sim {

void Side::session_down(const End& end, MonoTime now) {  // as Dialer::session_down()
  constexpr Duration kLasting = std::chrono::seconds(5);
  constexpr unsigned kFailuresOfTheAccepted = 4;
  if (!end.accepted_at) ++failures;
  else if (now - *end.accepted_at >= kLasting) failures = 1;
  else failures = std::min(failures + 1, kFailuresOfTheAccepted);
}

}  // namespace starling::sim
