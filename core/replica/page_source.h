// The page source: what a pull of a peer gets, read from the store at its cursor.
//
// Pages go out while the pull has credit; each is closed near limits::kPageTarget. An entry beyond limits::kPartMax goes out
// in parts, from where the asker says that it stands. A node serves every stream that it holds, its own and others', up to
// its own position. The last page, or part, says so and closes the pull.
#pragma once

#include "core/replica/peer_session.h"

namespace starling {

class Store;

class PageSource {
 public:
  explicit PageSource(Store& store) : store_(store) {}

  // Opens a pull, or adds credit to an open one; a top-up for a pull that has ended is nothing.
  // `horizon`: of a state stream, that the asker has taken over; if ours has passed it, the pull begins at 0.
  void request(PeerSession&, const StreamKey&, std::uint64_t from, std::uint32_t credit, bool open,
               std::uint32_t offset = 0, Rev horizon = {});
  // The messages that the session's open pulls have credit for; ended pulls are dropped.
  [[nodiscard]] std::vector<Message> serve(PeerSession&);

 private:
  bool serve_state(PeerSession&, const Origin&, Serving&, std::vector<Message>&);  // false: that was the last
  bool serve_log(PeerSession&, const Origin&, Serving&, std::vector<Message>&);
  bool serve_part(PeerSession&, const Origin&, Serving&, std::vector<Message>&);
  [[nodiscard]] bool is_in_parts(const Origin&, Seq);

  Store& store_;
};

}  // namespace starling
