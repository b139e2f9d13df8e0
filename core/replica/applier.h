// The applier: the one function through which changes from elsewhere become rows, whether live, in catch-up or joining.
//
// It checks that an entry or a page continues our position, that it may be applied now (predecessor by hash, clock,
// dependencies), merges each change, writes rows and versions, records what lost, appends to the log and moves our
// position; all in the caller's transaction. Anything that lies behind our position writes no row. What does not
// continue it is a gap, and writes none either.
// What cannot be applied here goes into quarantine (obstacle.h): its entry or page counts as taken in, and all else in it is
// applied. Fields that a model does not have here are kept beside the row (kept_fields.h).
// A row that SQLite refuses (a trigger of the application's) throws SQLite::Exception: the caller rolls back and comes again
// with Care::one_by_one, which holds just the changes that are refused.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>

#include "core/replica/event.h"

namespace starling {

class ConflictRecorder;
class Obstacles;
class Store;
struct Change;
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
  wait_room,   // it belongs into quarantine, which is full
};

// How careful to be with what comes.
enum class Care : std::uint8_t {
  none,
  one_by_one,  // changes by themselves: what SQLite refuses is held
  hold_all,    // nothing is tried, all is held: an earlier life ended over it
};

struct ApplyResult {
  Applied outcome = Applied::done;
  std::size_t rows = 0;  // changes or rows that were taken in
  std::size_t held = 0;  // and those that went into quarantine
  ChangeSet event;
  WallTime until;
  VersionVector dependencies;
};

[[nodiscard]] Error own_stream(const Origin&);  // not_owner: changes of ours, from a peer, that we never made

class Applier {
 public:
  explicit Applier(Store& store) : store_(store) {}

  void take(Care care) { care_ = care; }
  [[nodiscard]] Care care() const { return care_; }

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
  // The same, or into quarantine where something is in the way. `why`: what is; empty: nothing that was known before.
  void change_or_hold(const Change&, const Place&, std::string why, const std::string& model, ConflictRecorder&, ApplyResult&);
  // Tries one change by itself. What SQLite said, if it refuses it; then nothing of it stands.
  [[nodiscard]] std::optional<std::string> try_change(const Change&, const Place&, ConflictRecorder&, ApplyResult&);
  [[nodiscard]] std::optional<std::string> try_owned(const StateRow&, std::int64_t origin, ApplyResult&);

  // Whatever writes a row, with what is shown of it.
  using Named = std::pair<std::string, Bytes>;  // model and key
  [[nodiscard]] std::optional<std::string> try_alone(const Named&, WallTime, ApplyResult&, const std::function<void()>&);
  // Rows over which SQLite has rolled back everything, since this was made.
  [[nodiscard]] std::size_t rolled_back() const { return rolls_back_.size(); }
  [[nodiscard]] bool has_room(std::size_t changes);  // in quarantine
  void note_taken(ModelIndex, Op, FieldMask, BytesView key, ApplyResult&);  // for the application

  // Of a snapshot: rows of which nothing is known here; and a row of ours that has died where it comes from.
  void new_rows_of_snapshot(ModelIndex, std::span<const NewRow>, ApplyResult&);
  // A row that a snapshot has seen die. False: SQLite refuses that, and its delete is held.
  bool sweep(ModelIndex, BytesView key, const RowVersion&, ConflictRecorder&, ApplyResult&);
  // Of models with rules: what is shown of all that was merged (core/store/visibility.h). At the end of what comes together.
  void settle(WallTime, ApplyResult&);

 private:
  [[nodiscard]] std::optional<Seq> draft_of(const DecodedEntry&, BytesView bytes);
  void take_back(const DecodedEntry&, Ordinal, Seq draft);
  template <class Rows, class Stuck>
  [[nodiscard]] bool has_room(const Rows&, const Stuck&);
  void changes_of(const DecodedEntry&, const Obstacles&, ConflictRecorder&, ApplyResult&);
  std::size_t new_rows(std::span<const Change>, const Stamp&, const Obstacles&, ApplyResult&);
  [[nodiscard]] std::optional<Applied> out_of_turn(const StatePage&, bool begins_anew);
  void sweep_owned(Ordinal origin, const StatePage&, std::span<const StateRow> listed, const Obstacles&, ApplyResult&);
  void owned_rows(std::span<const StateRow>, Rev held, Ordinal origin, const Obstacles&, ApplyResult&);
  std::size_t new_owned_rows(std::span<const StateRow>, Ordinal origin, const Obstacles&);
  bool owned_row(const StateRow&, Ordinal origin);
  void put_over(const StateRow&, Ordinal origin);
  void keep_beyond(const StateRow&);
  void keep_beyond(const Change&, FieldMask won, BytesView values);
  [[nodiscard]] BytesView known_part(const StateRow&) const;
  [[nodiscard]] std::string do_or_explain(const Named&, WallTime, ApplyResult&, const std::function<void()>&);
  void note_state_row(const StateRow&, Op, ApplyResult&);

  Store& store_;
  Care care_ = Care::none;
  std::set<Named> rolls_back_;
  // Our drafts by their HLC, while there are any: entries of an earlier life may be among them.
  std::optional<std::pair<Origin, std::map<Hlc, Seq>>> drafts_;  // of this life
};

}  // namespace starling
