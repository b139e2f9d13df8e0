// The source of snapshots: what a peer gets for whom our log does not reach back.
//
// All shared rows as of one vector, from a spool (core/store/snapshot_spool.h) that serves every joiner who comes while
// our log still goes on from its vector; it is given up when nobody has asked for a while. Pages go out while there is
// credit; of those that the peer has, the hash alone. While we merge a snapshot ourselves, nobody gets one of us. Nor while
// something is in quarantine here or fields are kept that we do not know: what is not among our rows would count as dead.
// Whoever asks then is told so at once, by a page of nothing, and asks another.
#pragma once

#include "core/replica/peer_session.h"

namespace starling {

class Store;

class SnapshotSource {
 public:
  explicit SnapshotSource(Store& store) : store_(store) {}
  ~SnapshotSource();

  // Opens a snapshot for a session, or adds credit to the one that is open.
  void request(PeerSession&, const SnapshotRequest&);
  // Before anything of a step, in no transaction: makes a spool if somebody waits for one, and writes on in one that is
  // not complete. If the disk refuses, whoever waits asks again.
  void work(std::map<SessionId, PeerSession>&, MonoTime);
  [[nodiscard]] std::vector<Message> serve(PeerSession&, MonoTime);
  void forget(std::map<SessionId, PeerSession>&);  // the models have changed
  [[nodiscard]] std::optional<MonoTime> next_deadline(const std::map<SessionId, PeerSession>&, MonoTime) const;

 private:
  [[nodiscard]] bool still_good() const;
  [[nodiscard]] bool must_decline() const;
  [[nodiscard]] std::shared_ptr<SnapshotSpool> make();
  void replace(std::map<SessionId, PeerSession>&);
  void serve(PeerSession&, MonoTime, std::vector<Message>&);

  Store& store_;
  std::shared_ptr<SnapshotSpool> spool_;
  MonoTime used_;
};

}  // namespace starling
