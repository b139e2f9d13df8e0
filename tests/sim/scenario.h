// A scenario: all that happens to one simulated world, fixed before it runs.
//
// Who the devices are, how long the bad luck lasts, and one list of actions in the order of their times. A run of the
// same scenario is the same run, byte for byte. Leaving actions out leaves the others where they are, which is what makes
// a failure small (shrink.h); what follows from them may of course be another story. Every action belongs to one stream, and each stream is drawn by itself
// (draw.h), so that the disk's faults can be switched off and the writes stay where they were.
//
// As text it is a file for people, one action a line: seconds, verb, devices, numbers; `#` begins a comment.
//
//   starling scenario 1
//   seed 17
//   devices 3                 A creates the workspace, the others join
//   lasts 60                  seconds of faults; then peace
//   core A C                  who is mended first, and must agree without the others
//   checkpoint 20             pages in a WAL after which it is copied into the database; else as in the product
//   0.5  connect A B
//   1.25 write A insert-note 1 4 2 ; title-note 3 5 0
//   2    stall A B
//   4    cut-power B 8123
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "core/base/expected.h"
#include "core/base/time.h"
#include "tests/sim/edit.h"

namespace starling::sim {

enum class Stream : std::uint8_t { topology, workload, network, disk, clock, crash };
inline constexpr std::size_t kStreams = 6;

enum class Verb : std::uint8_t {
  // topology: who knows whom, and what their owners do to them
  connect,     // A B
  disconnect,  // A B
  wipe,        // A: its disk is lost; the same device joins anew
  back_up,     // A: the engine's own backup, kept for `restore`
  restore,     // A: the last backup takes the place of its disk
  copy_disk,   // A: a copy of its files by hand, kept for `put_back`
  put_back,    // A: that copy takes the place of its disk; the engine was not told
  clone,       // A: a second machine starts from a copy of its disk, with its key
  remove,      // A: nobody knows it any more, for the time being
  readmit,     // A: all who knew it do so again
  upgrade,     // A: its application adds a field to a model
  // workload
  write,          // A edits…: one transaction
  abandon,        // A edits…: the application thinks better of it: rolled back
  foreign_write,  // A: a connection that is not the engine's tries to write
  // network, each direction by itself
  break_link,  // A B
  cut,         // A B bytes: the connection ends once so many more bytes have arrived
  stall,       // A B: what A sends waits
  release,     // A B
  clog,        // A B ms: a stall that ends by itself
  quality,     // A B min_ms max_ms bytes_per_second
  overtake,    // A B: the next rows that A sends come late, after what it sends then
  repeat,      // A B: one of A's last messages comes again, late
  outbox,      // bytes: the room of every outbox from now on
  // disk
  fail,  // A fault after times: calls of that kind fail (disk.h)
  room,  // A bytes: what fits on the disk beyond what is there
  short_read,  // A after: it starts anew, and a read gives a part
  repair,      // A: its disk does well again, and it runs
  flip,  // A which random: one bit on the disk turns over, in the database (0) or the log of SQLite (1)
  refuse_rows,  // A: its application refuses some rows by a trigger
  take_rows,    // A: and no longer
  // clock
  step_clock,  // A ms: ahead of the true time by so much from now on
  drift,       // A ppm
  suspend,     // A: it does nothing until it wakes
  wake,        // A
  year,        // A: all but A live through a year; A is off
  come_back,   // A: it is switched on
  // crash
  kill,       // A: the process is gone
  cut_power,  // A random: and what was not synced survives in part
  die_in,     // A n random: in the middle of the n-th change to its disk from now; the power goes unless random is -1
  start,      // A: if it is not running
};
inline constexpr std::size_t kVerbCount = 40;

struct Action {
  Duration at{0};
  Verb verb = Verb::connect;
  std::size_t a = 0;
  std::size_t b = 0;
  std::vector<std::int64_t> numbers;
  std::vector<Edit> edits;

  friend bool operator==(const Action&, const Action&) = default;
};

struct Scenario {
  std::uint64_t seed = 1;  // of all that is drawn while it runs: delays, and the order of what falls on one instant
  std::size_t devices = 2;
  Duration lasts{0};
  std::vector<std::size_t> core;  // mended first; empty: everybody at once
  int checkpoint = 0;             // pages; zero: as in the product
  std::vector<Action> actions;    // ascending times

  [[nodiscard]] std::string text() const;
  [[nodiscard]] static Expected<Scenario> parse(std::string_view text);  // Errc::invalid_argument says which line

  friend bool operator==(const Scenario&, const Scenario&) = default;
};

[[nodiscard]] Stream stream_of(Verb);
[[nodiscard]] const char* name_of(Verb);
[[nodiscard]] const char* name_of(Stream);
[[nodiscard]] std::string device_name(std::size_t number);  // A, B, …

}  // namespace starling::sim
