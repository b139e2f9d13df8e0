// The applier: the one function through which changes from elsewhere become rows, whether live, in catch-up or joining.
//
// It checks that an entry or a page continues our position, that it may be applied now (predecessor by hash, clock,
// dependencies), merges each change, writes rows and versions, records what lost, appends to the log and moves our
// position; all in the caller's transaction. Anything that lies behind our position writes no row. What does not
// continue it is a gap, and writes none either.
// A row that SQLite refuses (a constraint of the application's) throws SQLite::Exception: the caller rolls back and
// holds that origin's stream, unacknowledged.
#pragma once

#include <map>
#include <span>

#include "core/replica/event.h"

namespace starling {

class ConflictRecorder;
class Store;
struct DecodedEntry;
struct NewRow;
struct RowVersion;
struct StateRow;

enum class Applied : std::uint8_t {
  done,
  duplicate,   // behind our position: nothing written
  gap,         // ahead of it: pull from our position
  wait_clock,  // stamped too far ahead of our wall clock; `until` says when it may be applied
  wait_deps,   // its author had seen what we have not: `dependencies`
};

struct ApplyResult {
  Applied outcome = Applied::done;
  std::size_t rows = 0;  // changes or rows that were taken in
  ChangeSet event;
  WallTime until;
  VersionVector dependencies;
};

[[nodiscard]] Error own_stream(const Origin&);  // not_owner: changes of ours, from a peer, that we never made

class Applier {
 public:
  explicit Applier(Store& store) : store_(store) {}

  // Errors, all the peer's fault, nothing written: corrupt, schema, not_owner (our own stream from someone else),
  // identity_conflict (the entry does not follow the one that we hold).
  [[nodiscard]] Expected<ApplyResult> entry(const Origin&, Seq, BytesView bytes, WallTime);
  [[nodiscard]] Expected<ApplyResult> page(const StatePage&);

  // One change by the merge rule, wherever it comes from; `place`: the entry that it stood in. The event names what
  // changed.
  struct Place {
    Stamp stamp;
    Seq seq;
  };
  void change(const Change&, const Place&, ConflictRecorder&, ApplyResult&);

  // Of a snapshot: rows of which nothing is known here; and a row of ours that has died where it comes from.
  void new_rows_of_snapshot(ModelIndex, std::span<const NewRow>, ApplyResult&);
  void sweep(ModelIndex, BytesView key, const RowVersion&, ConflictRecorder&, ApplyResult&);
  // Of models with rules: what is shown of all that was merged (core/store/visibility.h). At the end of what comes together.
  void settle(WallTime, ApplyResult&);

 private:
  [[nodiscard]] std::optional<Seq> draft_of(const DecodedEntry&, BytesView bytes);
  void take_back(const DecodedEntry&, Ordinal, Seq draft);
  std::size_t new_rows(std::span<const Change>, const Stamp&, ApplyResult&);
  [[nodiscard]] std::optional<Applied> out_of_turn(const StatePage&, bool begins_anew);
  void sweep_owned(Ordinal origin, const StatePage&, std::span<const StateRow> listed, ApplyResult&);
  void owned_rows(std::span<const StateRow>, Rev held, Ordinal origin, ApplyResult&);
  std::size_t new_owned_rows(std::span<const StateRow>, Ordinal origin);
  bool owned_row(const StateRow&, Ordinal origin);
  void note_state_row(const StateRow&, Op, ApplyResult&);

  Store& store_;
  // Our drafts by their HLC, while there are any: entries of an earlier life may be among them.
  std::optional<std::map<Hlc, Seq>> drafts_;
};

}  // namespace starling
