// A node: one device's replica of a workspace, in one folder, in this process.
//
// The composition root: it owns the store, the replica and the network and wires them. Two threads: the network loop
// and the replica; a write runs on the caller's thread under the writer lock and never waits for a peer. Several
// nodes in one process are fine, two on one folder are refused (a lock file, held by the open node).
//
// The folder (0700) holds starling.db, device.key (0600; the private key, outside the database) and lock.
// All calls are thread-safe unless said otherwise. Callbacks run on the replica thread with no lock held: they may call
// anything here, stop() included, but must not block for long and must not destroy the node.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "core/replica/status.h"
#include "core/replica/transaction.h"
#include "core/store/reader.h"
#include "net/config.h"

namespace starling {

struct CommitInfo {
  Origin origin;
  Rev rev;  // of our state stream after the commit
  Seq seq;  // of our log stream; zero: no shared change
  Hlc hlc;
  std::size_t rows = 0;  // net row changes; 0: nothing happened
};

// What a device is known by: creates the key on first use. No node needed.
[[nodiscard]] Expected<DeviceId> device_id(const std::filesystem::path& folder);

class Node {
 public:
  using ChangeFn = std::function<void(const ChangeEvent&)>;

  // Locks the folder, opens the database, creates tables. No network yet. Errors: the folder is in use, a table that
  // cannot be synchronised, a database of another workspace or device.
  [[nodiscard]] static Expected<std::unique_ptr<Node>> open(Config, std::vector<Model>);
  ~Node();  // stops
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  Expected<void> start();  // listens and dials
  // Pushes and sends what is committed, hangs up, ends both threads; returns at the deadline even if a callback or a
  // write is stuck. Idempotent, from any thread; after it writes are refused with Errc::stopped.
  void stop(std::chrono::milliseconds deadline = std::chrono::milliseconds(2000));

  Expected<CommitInfo> write(const WriteFn&);                // an error or a throw rolls back
  Expected<CommitInfo> commit_device_owned(const WriteFn&);  // the same; a shared change is refused
  Expected<CommitInfo> commit_shared(const WriteFn&);        // the same; a device-owned change is refused

  [[nodiscard]] Reader reader() const;                     // throws SQLite::Exception
  [[nodiscard]] std::vector<TableDigest> digests() const;  // of every model, from one snapshot
  [[nodiscard]] const Schema& schema() const;
  [[nodiscard]] Status status() const;       // a published copy, never SQLite
  [[nodiscard]] std::uint16_t port() const;  // where it listens; 0: it does not
  [[nodiscard]] DeviceId device() const;
  Expected<void> wait_ready(std::chrono::milliseconds timeout) const;
  void add_peer(Peer);       // from now on admitted and, with an address, dialled
  void on_change(ChangeFn);  // before start(); one transaction, one event, in order

 private:
  struct Impl;
  explicit Node(std::unique_ptr<Impl>);
  std::unique_ptr<Impl> impl_;
};

}  // namespace starling
