// Bugs that are planted on purpose, to see whether the simulator finds them (docs/testing.md, Planted bugs).
//
// In one build alone, preset `sim`, a switch turns one of them on; in every other there is no switch and no code for it.
// Each is a slip that somebody could make, where it would be made; most are one line long, none more than a few.
#pragma once

#include <array>
#include <cstdint>

namespace starling {

enum class PlantedBug : std::uint8_t {
  none,
  acknowledge_before_commit,    // effects leave while their transaction is still open
  cursor_outside_transaction,   // positions are written by a transaction of their own, after the rows
  no_tie_break,                 // of two stamps with equal clocks the first to come wins
  generation_ignored,           // an update changes whatever row has its key
  dependency_ignored,           // an entry is applied before what its author had seen
  clock_in_memory_only,         // a life begins with the wall clock, not with the last stamp
  page_off_by_one,              // a page says that it goes one revision further than it does
  fold_forgets_rollback,        // what a savepoint undid is written to the log all the same
  outbox_drops_silently,        // a message that found no room is not made good
  page_accepted_past_gap,       // a page that begins beyond our position is taken
  tombstone_dropped_early,      // a tombstone goes although a member has not acknowledged its delete
  snapshot_without_sweep,       // rows that a snapshot does not list stay
  unique_by_arrival,            // of two rows with one UNIQUE value the first to come stands
  hidden_for_ever,              // a row that lost its UNIQUE value is not shown again when that is free
  unknown_field_dropped,        // a field that the model does not have here is not kept
  quarantine_not_released,      // what waited for a model stays where it is when the model comes
  queue_overtaken,              // a later change of a row is applied before an earlier one that waits
  copy_not_noticed,             // a database goes on under its name, whatever stands beside it
  later_life_ignored,           // that a peer knows a later life of this device is not heeded
  untold_keeps_its_name,        // a new life leaves to the former one what nobody has heard of
  drafts_dropped,               // what was written before the device had caught up is not told
  seeds_as_inserts,             // a seed is told as an insert of whoever creates it
  far_clock_accepted,           // a stamp is applied however far ahead of our clock it is
};

inline constexpr std::array<const char*, 24> kPlantedBugNames = {
    "none",           "acknowledge-before-commit", "cursor-outside-transaction", "no-tie-break",          "generation-ignored",    "dependency-ignored",
    "clock-in-memory-only", "page-off-by-one",     "fold-forgets-rollback",      "outbox-drops-silently", "page-accepted-past-gap",
    "tombstone-dropped-early", "snapshot-without-sweep", "unique-by-arrival", "hidden-for-ever",
    "unknown-field-dropped", "quarantine-not-released", "queue-overtaken",
    "copy-not-noticed", "later-life-ignored", "untold-keeps-its-name", "drafts-dropped", "seeds-as-inserts",
    "far-clock-accepted"};

#ifdef STARLING_PLANTED_BUGS
inline PlantedBug planted_bug = PlantedBug::none;
[[nodiscard]] inline bool planted(PlantedBug bug) { return planted_bug == bug; }
#else
[[nodiscard]] constexpr bool planted(PlantedBug) { return false; }
#endif

}  // namespace starling
