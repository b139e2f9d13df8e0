// A world: a cluster to which a scenario happens, and then peace.
//
// The faults last as long as the scenario says. Then, if it names a core, only the core is mended: its devices run, their
// clocks are right, and they reach each other, while all others stay as they are and out of reach. The core must agree in
// bounded time. At last everybody is mended, and must agree on everything (oracle.h); and a restart of one must move no row.
// One thread, one world at a time: SQLite's own chance is seeded for the process.
#pragma once

#include <map>

#include "tests/sim/cluster.h"
#include "tests/sim/scenario.h"

namespace starling::sim {

// What happened, by name: faults that struck, and rare states that were reached.
using Tally = std::map<std::string, std::uint64_t>;

// States that a thousand runs must reach, or the mixture has lost its bite.
inline constexpr std::array kRareStates = {
    "a core agreed without the others",  "a device lived again",           "a disk failed inside a write", "a process died inside a write",
    "a process died while it started",   "a stream waited for a clock",    "devices met whose models differ", "something lost in a merge",
    "a stream waited for a row that was refused"};

// One device dies in the middle of that operation of its disk, counted from its birth, whichever life that falls into.
struct Doom {
  std::size_t device = 0;
  std::uint64_t operation = 0;
  std::optional<std::uint64_t> power;  // it dies because the power goes: what survives is drawn from this
};

class World {
 public:
  explicit World(const Scenario&, std::optional<Doom> = std::nullopt);

  // What is wrong; none is good. An exception is a complaint as well. Once.
  [[nodiscard]] std::vector<std::string> run();

  [[nodiscard]] Duration simulated() const { return cluster_.now().time_since_epoch(); }
  [[nodiscard]] std::uint64_t trace() const;  // over every byte sent, when, and what all show in the end
  [[nodiscard]] const Tally& faults() const { return faults_; }
  [[nodiscard]] const Tally& rare() const { return rare_; }
  [[nodiscard]] Cluster& cluster() { return cluster_; }

 private:
  using Devices = std::vector<std::size_t>;
  struct Copy {
    Disk::Image image;
    bool upgraded = false;
  };

  void run_faults();
  void act(const Action&);
  void act_on_topology(const Action&);
  void act_on_network(const Action&);
  void act_on_disk(const Action&);
  void act_on_clock(const Action&);
  void act_on_process(const Action&);

  void write(SimNode&, const Action&);
  void write_behind_the_engine(SimNode&);
  void keep(SimNode&, std::map<std::string, Copy>&, Disk::Image (*image_of)(SimNode&));
  void put_back(SimNode&, const std::map<std::string, Copy>&);
  void replace_disk(SimNode&, const Copy&);
  void wipe(SimNode&);
  void clone(SimNode&);
  void upgrade(SimNode&);
  void remove(std::size_t);
  void readmit(std::size_t);
  void set_picky(SimNode&, bool);
  void start(SimNode&);

  void mend(const Devices&);
  void wait_a_second();
  void isolate(const Devices& core);
  void expect_core_to_agree();
  void expect_all_to_agree();
  void expect_a_silent_restart();
  [[nodiscard]] bool agree(const Devices&);
  [[nodiscard]] Duration patience() const;
  void count_rare_states();
  void forget_refusals();

  [[nodiscard]] SimNode& node(std::size_t i) { return cluster_.node(i); }
  [[nodiscard]] Devices everybody() const;
  void complain(std::string what) { complaints_.push_back(std::move(what)); }

  const Scenario scenario_;
  Cluster cluster_;
  std::map<std::string, Copy> backups_, copies_;  // by device
  std::set<std::string> upgraded_, picky_;
  std::map<std::size_t, Devices> removed_;  // and who knew it
  std::set<std::pair<std::size_t, std::size_t>> slow_;  // directions with little bandwidth
  bool versions_differ_ = false;  // or did, at some time
  std::chrono::milliseconds most_ahead_{0};  // that any clock was
  std::vector<std::string> complaints_;
  Tally faults_, rare_;
};

}  // namespace starling::sim
