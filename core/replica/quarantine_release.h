// Lets go of what waits in quarantine, where it can be applied by now.
//
// After an upgrade a model is there, or has the fields that were kept beside its rows; what SQLite refused may have been
// cured. Rows are tried one by one, each queue from its front until something is still in the way: then the rest of that
// row stays, with the reason as it is now. Nothing here is an entry or moves a position: all of it was acknowledged long ago.
//   open, migrate   all that this device's models take (release_quarantine)
//   a step          some of it, now and then (Replica), and what an earlier life ended over, by itself
//   on demand       also what one ended over by itself
// Conflicts that come to light so late are recorded by what is known of the author by now, so maybe not all.
#pragma once

#include "core/replica/applier.h"

namespace starling {

// What an earlier life ended over. Most of it is innocent: it came with what did, or the machine was at fault.
enum class Ended : std::uint8_t {
  wait,       // it stays
  by_itself,  // tried one by one, each marked on disk before: a life that ends over one leaves that alone for good
  all,        // that, too, on somebody's word
};

class QuarantineReleaser {
 public:
  QuarantineReleaser(Store& store, Applier& applier) : store_(store), applier_(applier) {}

  // Tries up to `most` rows and changes, in a transaction that may be committed and begun anew on the way. False: that was all of this
  // round, and the next call begins again.
  bool go_on(WallTime, std::size_t most, Ended, ApplyResult&);
  [[nodiscard]] std::uint64_t released() const { return released_; }  // changes, rows and values so far

 private:
  enum class Stage : std::uint8_t { kept, held };
  bool next_row(WallTime, ApplyResult&);
  void take_up(ModelIndex, BytesView key, WallTime, ApplyResult&);
  [[nodiscard]] bool take_up(ModelIndex, BytesView key, FieldMask, WallTime, ApplyResult&);
  [[nodiscard]] bool release_shared(ModelIndex, const Bytes& key, WallTime, ApplyResult&);
  void note_superseded(ModelIndex, const struct HeldChange&, const struct MergeResult&, WallTime);
  [[nodiscard]] std::string try_held(ModelIndex, const struct HeldChange&, WallTime, ApplyResult&);
  void release_owned(ModelIndex, const struct QuarantinedRow&, ApplyResult&);
  void mark(const struct Trial&, bool always);
  [[nodiscard]] bool may_try(std::string_view why) const;

  Store& store_;
  Applier& applier_;
  ModelIndex model_ = 0;
  Stage stage_ = Stage::kept;
  std::optional<Bytes> key_;          // behind which to go on
  std::int64_t origin_ = 0;           // likewise, of device-owned rows
  Ended ended_ = Ended::wait;
  std::size_t budget_ = 0;            // changes and rows that may be tried yet
  std::size_t marked_ = 0;
  std::uint64_t released_ = 0;
};

struct Released {
  std::uint64_t released = 0;
  std::uint64_t left = 0;  // in quarantine
  ChangeSet event;
};

// All of it, in transactions of its own.
[[nodiscard]] Released release_quarantine(Store&, WallTime, Ended);

}  // namespace starling
