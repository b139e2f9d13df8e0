// Entries that came before what their author had seen: kept, so that they need not be fetched again.
//
// Authors who answer each other leave entries that need each other in turn, and a joiner pulls their streams side by
// side. Were what comes too early dropped and asked for again, each turn would cost a page and a round trip: a long
// history would cost its square. Bounded by limits::kWaitingMax: what does not fit is dropped, and pulled again by
// position. In memory only; positions decide what is needed.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "core/replica/event.h"

namespace starling {

// Entries of one message, or what is left of them.
struct EntryRun {
  SessionId session = 0;
  Seq from;
  std::vector<Bytes> entries;
  std::size_t page_bytes = 0;  // of the whole message: the pull is credited with it once all is taken
  std::optional<bool> last;    // of a pull's response; nullopt: pushed
};

class WaitingEntries {
 public:
  // Puts a run behind those that wait in that log already. False: there is no room.
  [[nodiscard]] bool keep(const Origin&, EntryRun);
  // All that waits in that log, in the order in which it came; nothing waits there any more.
  [[nodiscard]] std::vector<EntryRun> take(const Origin&);
  [[nodiscard]] std::set<Origin> origins() const;

 private:
  std::map<Origin, std::vector<EntryRun>> runs_;
  std::size_t bytes_ = 0;
};

}  // namespace starling
