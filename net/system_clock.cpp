#include "net/system_clock.h"

#include <chrono>

namespace starling {

Now SystemClock::now() const {
  using namespace std::chrono;
  return {MonoTime(duration_cast<Duration>(steady_clock::now().time_since_epoch())),
          WallTime{duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count()}};
}

}  // namespace starling
