#include "apps/common/uuid.h"

#include <sys/random.h>

#include <cerrno>
#include <chrono>
#include <system_error>

namespace starling::apps {

std::int64_t wall_clock_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

Bytes new_uuid() {
  Bytes id(16, '\0');
  while (::getrandom(id.data(), id.size(), 0) != static_cast<ssize_t>(id.size())) {  // so few bytes come at once
    if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "getrandom");
  }
  const std::int64_t ms = wall_clock_ms();
  for (std::size_t i = 0; i < 6; ++i) id[i] = static_cast<char>(ms >> (40 - 8 * i));
  id[6] = static_cast<char>((id[6] & 0x0F) | 0x70);  // version
  id[8] = static_cast<char>((id[8] & 0x3F) | 0x80);  // variant
  return id;
}

}  // namespace starling::apps
