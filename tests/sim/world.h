// A world: a cluster to which a scenario happens, and then peace.
//
// The faults last as long as the scenario says. Then, if it names a core, only the core is mended: its devices run, their
// clocks are right, and they reach each other, while all others stay as they are and out of reach. The core must agree in
// bounded time. At last everybody is mended, and must agree on everything (oracle.h); each can write, and all see it; and a
// restart of one moves no row.
// One thread, one world at a time: SQLite's own chance is seeded for the process.
#pragma once

#include <map>

#include "tests/sim/cluster.h"
#include "tests/sim/scenario.h"

namespace starling::sim {

// What happened, by name: faults that struck, and rare states that were reached.
using Tally = std::map<std::string, std::uint64_t>;

// What four thousand runs must reach, or the mixture has lost its bite.
inline constexpr std::array kRareStates = {
    "a core agreed without the others",  "a device lived again",           "a disk failed inside a write", "a process died inside a write",
    "a process died while it started",   "a stream waited for a clock",    "devices met whose models differ", "something lost in a merge",
    "a refused row waited in quarantine", "quarantine released by upgrade", "an entry travelled in parts", "an entry in parts went on where it stood",
    "a join went on where it stood", "a join changed its source", "a snapshot was taken with sweep", "a lapsed member came back",
    "a tombstone was dropped", "an acknowledgement was relayed", "a removed device came back", "a unique loser", "a row hidden for its parent",
    "a reference shown as NULL", "a hidden row came back",
    "a device learned of its later life", "two machines lived as one device, and were told", "own entries were recovered", "a draft was told anew",
    "a draft was superseded", "a wait for a clock ended", "a counter ran over"};
inline constexpr std::array kFaultsThatMustStrike = {
    "break", "cut-power", "cut inside a frame", "died in an operation of its disk", "disk full", "ended by silence", "half open",
    "outbox full", "read error", "write error", "sync error", "truncation error", "sector lost", "restore", "wipe", "year"};

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
  [[nodiscard]] std::uint64_t operations(std::size_t device) const { return operations_.at(device); }  // of its disk, before peace

 private:
  using Devices = std::vector<std::size_t>;
  struct Copy {
    Disk::Image image;
    std::vector<Model> models;
    bool joined = true;
  };

  void fill_a_counter();
  void run_faults();
  [[nodiscard]] Model with_seeds(Model label, const std::string& device) const;
  [[nodiscard]] std::vector<Model> models_of(const std::string& device, bool upgraded) const;
  [[nodiscard]] bool act(const Action&);  // false: it struck nothing, or what it struck is counted elsewhere
  [[nodiscard]] bool act_on_topology(const Action&);
  [[nodiscard]] bool act_on_network(const Action&);
  [[nodiscard]] bool act_on_disk(const Action&);
  [[nodiscard]] bool act_on_clock(const Action&);
  [[nodiscard]] bool act_on_process(const Action&);

  void write(SimNode&, const Action&);
  [[nodiscard]] bool write_behind_the_engine(SimNode&);
  void keep(SimNode&, std::map<std::string, Copy>&, Disk::Image (*image_of)(SimNode&));
  [[nodiscard]] bool put_back(SimNode&, const std::map<std::string, Copy>&);
  void replace_disk(SimNode&, const Copy&);
  [[nodiscard]] bool wipe(SimNode&);
  [[nodiscard]] bool others_have_joined(const SimNode&);
  [[nodiscard]] bool clone(SimNode&);
  bool upgrade(SimNode&);
  [[nodiscard]] bool remove(std::size_t);
  void readmit(std::size_t);
  [[nodiscard]] bool is_removed(std::size_t);
  void readmit_all();
  void set_picky(SimNode&, bool);
  void decide_who_goes_on();
  void retry_quarantines(const Devices&);
  bool cloned_ = false;
  void start(SimNode&);

  void mend(const Devices&);
  void wait_a_second();
  void isolate(const Devices& core);
  void expect_core_to_agree();
  void expect_all_to_agree();
  void expect_all_to_write();
  void expect_a_silent_restart();
  void expect_no_complaints();
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
  bool versions_differ_ = false;  // somebody was upgraded, and may have told of it before his disk was lost
  std::map<std::size_t, Devices> removed_;  // and who knew it
  std::set<std::pair<std::size_t, std::size_t>> slow_;  // directions with little bandwidth
  const std::optional<Doom> doom_;
  std::vector<std::uint64_t> operations_;
  std::chrono::milliseconds most_ahead_{0};  // that any clock was
  std::vector<std::string> complaints_;
  Tally faults_, rare_;
};

}  // namespace starling::sim
