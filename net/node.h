// A node: one device's replica of a workspace, in one folder, in this process.
//
// The composition root: it owns the store, the replica and the network and wires them. Two threads, the network loop and
// the replica, and a third for callbacks where the application gives no executor; a write runs on the caller's thread
// under the writer lock and never waits for a peer. Several nodes in one process are fine, two on one folder are refused
// (a lock file, held by the open node).
//
// The folder (0700) holds starling.db, device.key (0600; the private key, outside the database) and lock. The
// application's own connections to starling.db may read, and may write tables that are no models; they must go through
// the same SQLite library as the node.
//
// All calls are thread-safe. An Error is what the application or a peer caused; a failing machine throws std::exception.
// Callbacks (notice.h) may call anything here, stop() included, but must not destroy the node.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "core/replica/member_status.h"
#include "core/replica/status.h"
#include "core/replica/transaction.h"
#include "core/store/reader.h"
#include "net/config.h"
#include "net/subscription.h"

namespace starling {

struct CommitInfo {
  Origin origin;
  Rev rev;  // of our state stream after the commit
  Seq seq;  // of our log stream; zero: no shared change
  Hlc hlc;
  std::size_t rows = 0;  // net row changes; 0: nothing happened
};

struct QuarantineRetry {
  std::uint64_t released = 0;  // changes and rows that could be applied
  std::uint64_t left = 0;      // that still wait
};

// What a device is known by: creates the key on first use. No node needed.
[[nodiscard]] Expected<DeviceId> device_id(const std::filesystem::path& folder);

class Node {
 public:
  // Locks the folder, opens the database, creates tables, takes over rows that stood in them. No network yet. Errors:
  // the folder is in use; a table that cannot be synchronised; a database of another workspace or device, or one that
  // this process has open through another SQLite library.
  [[nodiscard]] static Expected<std::unique_ptr<Node>> open(Config, std::vector<Model>);
  ~Node();  // stops, and waits for what runs
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  Expected<void> start();  // listens and dials
  // No peers until resume(): sessions end, nobody is dialled, whoever calls is turned away. Writes go on.
  void pause();
  void resume();
  // Pushes and sends what is committed, hangs up, ends the threads; returns at the deadline even if a callback or a
  // write is stuck. No callback begins afterwards. Idempotent; after it writes are refused with Errc::stopped.
  void stop(std::chrono::milliseconds deadline = std::chrono::milliseconds(2000));

  // Runs the function in one transaction on this thread; an error or a throw of its own rolls back. Errors: what the
  // function returned; not_owner, constraint, forbidden, too_large; busy: another program holds the database; stopped.
  Expected<CommitInfo> write(const WriteFn&);
  Expected<CommitInfo> commit_device_owned(const WriteFn&);  // the same; a shared change is refused
  Expected<CommitInfo> commit_shared(const WriteFn&);        // the same; a device-owned change is refused

  [[nodiscard]] Expected<Reader> reader() const;           // a connection of its own
  [[nodiscard]] std::vector<TableDigest> digests() const;  // of every model of the application's, from one snapshot
  [[nodiscard]] Schema schema() const;                     // of the models as they are now, and then the engine's own

  // Changes the application's schema: `ddl` runs CREATE, ALTER TABLE … ADD COLUMN and the like in one transaction, then
  // these are the models (all of them, those that are there included). A model may gain columns at its end, no more.
  // Peers that have not migrated yet go on all the same, and what they had kept of us is there when they have; what
  // this device had kept of others is there now. What `ddl` throws undoes all; a machine that fails
  // behind it throws and stops the node, which when opened again has the schema of before or the new one.
  Expected<void> migrate(const WriteFn& ddl, std::vector<Model>);
  // Writes the database into a new file, while everything goes on. Put back in the place of starling.db, it is
  // recognised: the device goes on under a new incarnation, and what it had written since comes back from its peers.
  Expected<void> backup(const std::filesystem::path&) const;
  // Stops, then removes every table and trigger of Starling's. The application's tables stay, as an ordinary database;
  // so does device.key, by which peers know this device.
  Expected<void> detach();

  Expected<void> add_peer(const Peer&);   // from now on admitted and, with an address, dialled; or given other addresses
  Expected<void> remove_peer(DeviceId);   // hung up, and no longer admitted here; still a member

  // The devices of the workspace, removed ones included. Whoever speaks with a member is one from then on. A member that
  // is away holds back what it lacks: the others keep it. Removing it for good lets that go, on every device.
  [[nodiscard]] Expected<std::vector<MemberStatus>> members() const;
  // It is no peer of this device any more either, and no device that has heard of it takes anything from it. Errors: no
  // member, this device itself, a workspace that this device has not joined yet.
  Expected<void> remove_member(DeviceId);
  // Another machine lives under this device's identity (Status::doubled), and writes are refused on both: this one goes on.
  // Error: there is none.
  Expected<void> keep_identity();
  // Tries again what waits in quarantine: changes that this device cannot apply, kept with the reason (Status::quarantined,
  // tables sync_held and sync_quarantine). Also what an earlier life of the process ended over, which nothing else tries.
  Expected<QuarantineRetry> retry_quarantine();

  // Lets a removed device come back, under a new incarnation; where it is to be a peer, add_peer() it. Error: not removed.
  Expected<void> admit_member(DeviceId);

  // See notice.h. A subscription that is dropped at once never calls.
  [[nodiscard]] Subscription on_change(ChangeFn);
  [[nodiscard]] Subscription on_progress(ProgressFn);
  [[nodiscard]] Subscription on_event(EventFn);

  [[nodiscard]] Status status() const;       // a published copy, never SQLite
  [[nodiscard]] std::uint16_t port() const;  // where it listens; 0: it does not
  [[nodiscard]] DeviceId device() const;
  Expected<void> wait_ready(std::chrono::milliseconds timeout) const;

 private:
  struct Impl;
  explicit Node(std::unique_ptr<Impl>);
  std::unique_ptr<Impl> impl_;
};

}  // namespace starling
