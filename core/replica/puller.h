// The puller: which stream to ask whom for, from positions alone.
//
// A stream is wanted when a connected peer shows more of it than we hold. It is asked of its author where the author
// is connected (its pushes and its pages come on one connection, in order), else of the peer that shows more and has the
// fewest pulls under way; a peer that comes later takes streams over from one that has two or more beyond its own, so a
// joiner gets the streams of devices that are away from several sources at once. One pull for each stream; it ends with
// the page that says so, with the session, or at a gap, and then positions decide anew. A stream on hold is not asked for.
//
// A source that gives no page for 30 s may be slow, or have forgotten. Somebody else who shows the stream is asked then,
// also where the author is the slow one; with nobody else we go on waiting, for what is asked again is sent again, and a slow
// line would never be done with it. A heartbeat comes behind all that was sent before it, so two of them in between mean that
// nothing is under way: then the same source is asked anew.
#pragma once

#include <map>
#include <set>

#include "core/replica/peer_session.h"

namespace starling {

struct Hold {  // a stream that must not be applied now
  std::string why;
  WallTime until;              // clock; zero: not by time
  VersionVector dependencies;  // released once we cover them; empty: not by position
  MonoTime retry;              // a row that SQLite refused: tried again then; zero: not by retry
  SessionId session = 0;       // whose entries they are that wait for dependencies: over when it ends
};

class Puller {
 public:
  struct Start {
    SessionId session = 0;
    Message request;
  };

  // New pulls, given what we hold; no logs while those must not be taken in.
  [[nodiscard]] std::vector<Start> plan(const std::map<SessionId, PeerSession>&, const VersionVector& ours,
                                        const Origin& self, bool logs, MonoTime);
  // A page of `bytes` was taken in, which brought us to `to`: gives the top-up to send, if it is time.
  [[nodiscard]] std::optional<Message> taken(SessionId, const StreamKey&, std::uint64_t to, std::size_t bytes, bool last,
                                             MonoTime);
  [[nodiscard]] bool asked_in_vain(SessionId session, const StreamKey& key) const { return fruitless_.contains({session, key}); }
  void ask_all_again() { fruitless_.clear(); }  // positions have moved otherwise than by pulls
  void stop(const StreamKey& key) { pulls_.erase(key); }
  void stop(SessionId);   // what was asked of it is asked anew
  void ended(SessionId);  // likewise; what waits for the dependencies of its entries is asked of others
  void stop_all() { pulls_.clear(); }
  void idle(SessionId);  // it said a heartbeat
  void expire(const std::map<SessionId, PeerSession>&, const VersionVector& ours, MonoTime);  // of silent sources

  void hold(const StreamKey&, Hold);  // ends the pull, unless it goes on by itself once we cover the dependencies
  // Holds that are over. Gives the devices whose clocks ours has come to.
  std::set<DeviceId> release(const VersionVector& ours, Now);
  void release_unshown(const std::map<SessionId, PeerSession>&, const VersionVector& ours);  // that wait for the clock, and nobody has it
  [[nodiscard]] const std::map<StreamKey, Hold>& holds() const { return holds_; }
  [[nodiscard]] bool held(const StreamKey& key) const { return holds_.contains(key); }
  [[nodiscard]] bool waits_for_entries(const StreamKey& key) const {
    const auto hold = holds_.find(key);
    return hold != holds_.end() && !hold->second.dependencies.empty();
  }
  [[nodiscard]] bool pulling() const { return !pulls_.empty(); }
  [[nodiscard]] bool pulls(const StreamKey& key) const { return pulls_.contains(key); }
  [[nodiscard]] bool pulls_from(SessionId session, const StreamKey& key) const {
    const auto pull = pulls_.find(key);
    return pull != pulls_.end() && pull->second.session == session;
  }
  [[nodiscard]] std::optional<MonoTime> next_deadline(Now) const;

 private:
  struct Pull {
    SessionId session = 0;
    std::uint64_t from = 0;
    std::size_t used = 0;  // bytes taken since the last request
    MonoTime check;        // whether the source has been silent since
    unsigned idle = 0;     // heartbeats since it gave something
    bool moves = false;    // no more credit is given; over when all that was given is used
  };
  using Loads = std::map<SessionId, std::size_t>;  // pulls of each session that are not waiting
  [[nodiscard]] Loads active_pulls() const;
  void move_one(const std::map<SessionId, PeerSession>&, const VersionVector& ours, Loads&);

  std::map<StreamKey, Pull> pulls_;
  std::map<StreamKey, Hold> holds_;
  std::map<std::pair<SessionId, StreamKey>, unsigned> unanswered_;  // asked for, taken elsewhere; heartbeats since
  std::map<std::pair<SessionId, StreamKey>, MonoTime> fruitless_;  // shown, asked for, not given: not asked for a while
};

}  // namespace starling
