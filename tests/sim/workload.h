// A random workload: what people and machines do to a few devices, from one seed.
//
// A run draws its own mixture: how many devices, how slow the wire, how wrong the clocks, how often what fails. Few hot
// keys make conflicts; values are those that formats stumble over. In the end everything is mended, and the oracle is
// asked. The same seed gives the same run.
#pragma once

#include <set>

#include "tests/sim/cluster.h"

namespace starling::sim {

class Workload {
 public:
  explicit Workload(std::uint64_t seed);

  // Faults, then peace. Gives what is wrong; none is good.
  [[nodiscard]] std::vector<std::string> run();
  // What happened, as text; two runs of one seed must agree.
  [[nodiscard]] std::string trace() const;

  struct Tally {
    std::uint64_t commits = 0, refused = 0, crashes = 0, power_cuts = 0, breaks = 0, replays = 0, wipes = 0;
    std::uint64_t conflicts = 0, clock_waits = 0, held_rows = 0;
    void add(const Tally&);
  };
  [[nodiscard]] const Tally& tally() const { return tally_; }
  [[nodiscard]] Cluster& cluster() { return cluster_; }

 private:
  struct Mixture {  // percent of the steps
    unsigned links = 15, crashes = 5, clocks = 3, replays = 10, wipes = 0;
    bool picky = false;  // the second device refuses some rows
    unsigned rows_most = 8;
    bool large_values = false;
    std::chrono::seconds skew_most{240};
  };

  void step();
  void write(SimNode&);
  Expected<void> change_something(SimNode&, Transaction&);
  void change_note(Transaction&);
  void change_label(Transaction&);
  void change_file(SimNode&, Transaction&);
  void change_link();
  void crash(SimNode&);
  void restart(SimNode&);
  void restart_the_dead(unsigned percent);
  void turn_clock(SimNode&);
  void wipe(SimNode&);
  void set_picky(bool);
  void count_rare_events();
  void make_peace();

  [[nodiscard]] SimNode& any_node() { return cluster_.node(prng_.below(cluster_.size())); }
  [[nodiscard]] std::string hot(const char* prefix, std::uint64_t of) { return prefix + std::to_string(prng_.below(of)); }
  [[nodiscard]] SqlValue nasty_value();
  [[nodiscard]] std::string files_of(const SimNode&) const;

  std::uint64_t seed_;
  Prng prng_;
  Cluster cluster_;
  Mixture mixture_;
  std::map<std::string, std::string> files_;  // by node: what it had written, as it last committed
  std::set<std::string> in_doubt_;            // nodes that died in the middle of a write
  std::vector<std::string> complaints_;
  Tally tally_;
};

}  // namespace starling::sim
