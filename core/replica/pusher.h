// The pusher: our own commits, at once, to the sessions that stand right before them.
//
// Commits are put into a message once, which goes to every session that it continues; sessions that are behind pull. A
// commit too large to push (limits::kPushMax) is announced with the next acknowledgement and pulled as well.
#pragma once

#include <memory>
#include <vector>

#include "core/replica/peer_session.h"

namespace starling {

class Pusher {
 public:
  void add(std::shared_ptr<const LocalCommit> commit) { commits_.push_back(std::move(commit)); }
  // What to send for the commits added since the last call.
  [[nodiscard]] std::vector<Send> push(std::map<SessionId, PeerSession>&);

 private:
  std::vector<std::shared_ptr<const LocalCommit>> commits_;
};

}  // namespace starling
