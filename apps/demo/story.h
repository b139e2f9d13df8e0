// The bad day of two devices, step by step.
//
// Both index and tag at the same time; B is killed in the middle of the transfer; A goes on writing; B comes back cut off
// from the network, edits and deletes; then they meet again. What the steps found out is kept for the verdict.
#pragma once

#include "apps/demo/device.h"
#include "apps/demo/live.h"
#include "apps/demo/say.h"

namespace starling::demo {

class Tagger;

struct Facts {
  std::uint64_t entries_at_kill = 0;    // of A's, that B held
  double seconds_to_stop = 0;           // B, on SIGTERM
  double seconds_to_converge = 0;       // from B's start with the network to equal vectors
  std::uint64_t bytes_to_converge = 0;
  std::uint64_t bytes_total = 0;        // both ways, frames as they went into TLS
  std::uint64_t rows_to_converge = 0;   // row changes and transactions that were missing on either side
  Latencies latencies;
};

class Story {
 public:
  Story(const Options&, Scratch&, Voice&);

  void meet();
  void index_and_tag();       // and SIGKILL
  void write_while_b_is_dead();
  void edit_cut_off();
  void come_together();
  void measure();

  [[nodiscard]] const Facts& facts() const { return facts_; }
  [[nodiscard]] Device& a() { return a_; }
  [[nodiscard]] Device& b() { return b_; }

 private:
  void await_kill_point(std::uint64_t expected, const Tagger& user_a, const Tagger& user_b);
  void run_index(const Device&);
  [[nodiscard]] std::uint64_t wire_bytes();
  [[nodiscard]] std::vector<Bytes> some_entries(const Device&) const;
  void await_equal(std::chrono::seconds most);

  const Options& options_;
  Voice& voice_;
  Device a_;
  Device b_;
  Facts facts_;
};

}  // namespace starling::demo
