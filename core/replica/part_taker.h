// The part taker: entries that are larger than a part, from the first piece to the moment that they are applied.
//
// Parts are taken only of what we have asked for, of the next entry of its log, and in order; they go to the stage on disk
// with the step that took them. What is whole is applied at once, through the applier like any other entry, and nothing of
// it is acknowledged before. One that must wait, for its clock or for what its author had seen, waits on disk and is not
// fetched again; nothing but a change of what it waits for has it read again.
//
// At most limits::kStagedMax bytes and limits::kStagedEntriesMax entries are staged. A part that finds no room takes that of
// an entry which nobody is sending just now: of one that was left unfinished, else of one that waits. So what others wait
// for always finds room. Where all are being sent, its log rests for a second.
//
// Applying holds the entry's bytes, its rows and its changes in memory (proto/entry.h), at most some 210 MiB, beside
// SQLite's cache; ADR 13 has figures.
#pragma once

#include "core/base/limits.h"
#include "core/replica/applier.h"
#include "core/replica/puller.h"
#include "core/store/entry_stage.h"

namespace starling {

class PartTaker {
 public:
  PartTaker(Store& store, Applier& applier, Puller& puller, std::size_t staged_max = limits::kStagedMax)
      : store_(store), applier_(applier), puller_(puller), staged_max_(staged_max) {}

  // In a transaction. True: the pull goes on. False: it is nothing that we wait for. Errors: as Applier::entry.
  [[nodiscard]] Expected<bool> take(const EntryPart&, SessionId, MonoTime);

  // The request goes on behind what is staged.
  void complete(Message& request);

  // What apply() should look at: entries that are whole and may be applied, and what is of no use any more.
  [[nodiscard]] std::vector<StagedEntry> due(WallTime);
  // In a transaction. Whatever comes of it, but waiting, ends the entry's time on the stage.
  [[nodiscard]] Expected<ApplyResult> apply(const StagedEntry&, WallTime);
  // Entries that wait are not asked for while somebody shows them.
  void hold(std::map<SessionId, PeerSession>&, WallTime);

  [[nodiscard]] SessionId sender(const Origin&) const;  // of its last part; 0: that came in an earlier life of the process

 private:
  struct Wait {
    Seq seq;
    WallTime until;
    VersionVector dependencies;
  };
  [[nodiscard]] const Wait* wait_of(const StagedEntry&, WallTime) const;  // nullptr: nothing that we know of
  [[nodiscard]] bool make_room(const EntryPart&, std::size_t bytes);
  void drop(const Origin&);

  Store& store_;
  Applier& applier_;
  Puller& puller_;
  std::size_t staged_max_;  // bytes
  std::map<Origin, Wait> waits_;  // of staged entries that were looked at
  std::map<Origin, SessionId> senders_;
};

}  // namespace starling
