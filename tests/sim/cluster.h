// A cluster: devices, the network between them, and one virtual clock, in one thread and from one seed.
//
// Tests read as prose: create and join devices, connect them, write SQL, let time pass, expect. The code under test is
// the product's from the database to the frame; only the disk, the wire and the time are made up. The same seed gives
// the same run, byte for byte.
#pragma once

#include "core/base/schema.h"
#include "tests/sim/ledger.h"
#include "tests/sim/network.h"
#include "tests/sim/node.h"

namespace starling::sim {

// What the simulated application keeps:
//   note (shared)      id, title, body, stars, weight        label (shared)  id, title
//   note_label (shared)  note and label, both with REFERENCES … ON DELETE CASCADE; added
//   posting (shared)  id, transfer, amount: two for each transfer, which add up to nothing
//   file (device-owned)  id, path, size, hash
[[nodiscard]] std::vector<Model> sim_models();
[[nodiscard]] DeviceId device_number(std::size_t);

class Cluster {
 public:
  explicit Cluster(std::uint64_t seed = 1);
  ~Cluster();

  SimNode& create(const std::string& name);  // opens a new workspace
  SimNode& join(const std::string& name);    // takes the workspace from its first peer
  SimNode& add(NodeConfig);
  SimNode& add(const std::string& name, DeviceId, bool create, std::vector<Model> models = sim_models());
  [[nodiscard]] SimNode& node(std::size_t i) { return *nodes_[i]; }
  [[nodiscard]] const SimNode& node(std::size_t i) const { return *nodes_[i]; }
  [[nodiscard]] std::size_t size() const { return nodes_.size(); }

  void connect(SimNode& a, SimNode& b) { network_.connect(a, b); }
  void disconnect(SimNode& a, SimNode& b) { network_.disconnect(a, b); }
  void connect_all();

  // `a` and `b` connected, everything exchanged.
  void let_meet(SimNode& a, SimNode& b);

  void run_for(Duration);
  // Until nothing but heartbeats has been said for a second. Fails after `at_most`.
  void run_until_quiet(Duration at_most = std::chrono::minutes(10));

  // Every node that is alive shows the same, and is sound in itself (oracle.h).
  void expect_converged();
  [[nodiscard]] std::vector<std::string> complaints();

  [[nodiscard]] Network& network() { return network_; }
  [[nodiscard]] const Network& network() const { return network_; }
  [[nodiscard]] Ledger& ledger() { return ledger_; }
  [[nodiscard]] const WireCount& wire() const { return network_.count(); }
  [[nodiscard]] MonoTime now() const { return timeline_.now(); }
  [[nodiscard]] Timeline& timeline() { return timeline_; }

 private:
  [[nodiscard]] bool quiet() const;

  Prng prng_;
  Timeline timeline_;
  Network network_;
  Ledger ledger_;
  std::vector<std::unique_ptr<SimNode>> nodes_;
};

}  // namespace starling::sim
