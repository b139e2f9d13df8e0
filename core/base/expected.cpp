#include "core/base/expected.h"

namespace starling {

const char* to_string(Errc code) {
  switch (code) {
    case Errc::invalid_argument: return "invalid argument";
    case Errc::schema: return "schema";
    case Errc::not_owner: return "not owner";
    case Errc::wrong_class: return "wrong class";
    case Errc::constraint: return "constraint";
    case Errc::forbidden: return "forbidden";
    case Errc::too_large: return "too large";
    case Errc::corrupt: return "corrupt";
    case Errc::not_member: return "not a member";
    case Errc::wrong_workspace: return "wrong workspace";
    case Errc::not_ready: return "not ready";
    case Errc::clock: return "clock";
    case Errc::identity_conflict: return "identity conflict";
    case Errc::busy: return "busy";
    case Errc::unreachable: return "unreachable";
    case Errc::stopped: return "stopped";
    case Errc::internal: return "internal";
  }
  return "unknown";
}

std::string Error::text() const {
  std::string line;
  if (!where.empty()) line += where + ": ";
  line += what.empty() ? to_string(code) : what;
  if (!remedy.empty()) line += "; " + remedy;
  return line;
}

}  // namespace starling
