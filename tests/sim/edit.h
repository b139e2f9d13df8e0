// Edits: what an application does inside one transaction, as plain numbers.
//
// Few hot keys make conflicts, parents and children make dangling references, transfers make sums that must not change,
// and values are those that formats stumble over. Statements may fail (a key that is there already, a reference to
// nothing): that undoes the statement alone, as in any application.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/sql_value.h"
#include "core/replica/transaction.h"

namespace starling::sim {

enum class EditKind : std::uint8_t {
  insert_note,    // key, two values
  replace_note,   // key, two values
  upsert_note,    // key, value
  title_note,     // key, value
  body_note,      // key, value
  star_notes,     // every note there is
  delete_note,    // key
  move_note,      // key, another key
  reinsert_note,  // key, value: deleted and inserted by one transaction
  half_insert,    // key: a statement that fails half-way
  insert_label,   // key
  title_label,    // key, value
  delete_label,   // key; its links go with it
  link,           // note, label
  relink,         // note, label: every link of the note
  unlink,         // label
  transfer,       // which, amount: two postings that add up to nothing
  change_transfer,  // which, amount
  delete_transfer,  // which
  insert_file,    // key, two values: device-owned, as all of these
  replace_file,   // key, value
  hash_file,      // key, value
  grow_files,     // every file of this device
  delete_file,    // key
  steal_file,     // another device's row: refused, and the whole transaction with it
  bulk_notes,     // first, count
  bulk_files,     // first, count
  undone,         // key, value: inside a savepoint that is rolled back
  insert_account,  // key, address: UNIQUE
  replace_account,  // key, address
  readdress_account,  // key, address
  swap_addresses,  // of all accounts
  delete_account,  // key; its tasks go on without it
  insert_task,    // key, parent, account
  move_task,      // key, parent: maybe in a circle
  assign_task,    // key, account
  delete_task,    // key; those below it go with it
};
inline constexpr std::size_t kEditKinds = 37;

struct Edit {
  EditKind kind = EditKind::insert_note;
  std::uint32_t a = 0;
  std::uint32_t b = 0;
  std::uint32_t c = 0;

  friend bool operator==(const Edit&, const Edit&) = default;
};

inline constexpr std::uint32_t kNotes = 6;
inline constexpr std::uint32_t kLabels = 3;
inline constexpr std::uint32_t kFiles = 5;
inline constexpr std::uint32_t kTransfers = 4;
inline constexpr std::uint32_t kAccounts = 4;
inline constexpr std::uint32_t kTasks = 5;
inline constexpr std::uint32_t kValues = 17;  // nasty ones; the last is large. Greater numbers are plain texts

[[nodiscard]] const char* name_of(EditKind);
[[nodiscard]] SqlValue nasty_value(std::uint32_t number);

// Does it as device `who`. An error is the transaction's: somebody else's row was touched.
[[nodiscard]] Expected<void> apply_edit(Transaction&, const Edit&, const std::string& who);
// What an upgraded application does besides: it has more fields, and a model of its own (world_acts.cpp).
void apply_newer_edit(Transaction&, const Edit&, const std::string& who);

// What all transfers that a device shows add up to: nothing, or a transaction shows in part.
inline constexpr char kTransfersSql[] = "SELECT coalesce(sum(amount), 0) FROM posting";

}  // namespace starling::sim
