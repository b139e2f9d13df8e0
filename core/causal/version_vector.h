// The version vector: for each origin, the end of the gap-free prefix that a node holds of its two streams.
//
// Positions are per origin: `rev` of the state stream, `seq` of the log stream, and the HLC of the entry at that seq,
// which tells whether a stamp of that origin lies within the prefix. Absent means nothing (all zero). A vector only
// grows, except that a member restored from a backup may announce a lower one (the acknowledgement table orders those
// by incarnation and version). Ordered by origin, so iteration is deterministic.
#pragma once

#include <map>

#include "core/base/ids.h"

namespace starling {

struct Position {
  Rev rev;
  Seq seq;
  Hlc hlc;  // of the entry at seq; zero while seq is zero

  [[nodiscard]] bool covers(const Position& other) const { return rev >= other.rev && seq >= other.seq; }
  [[nodiscard]] bool is_valid() const { return (seq == Seq{}) == (hlc == Hlc{}); }  // check it on every decode
  friend bool operator==(const Position&, const Position&) = default;
};

class VersionVector {
 public:
  using Map = std::map<Origin, Position>;

  [[nodiscard]] Position at(const Origin&) const;  // all zero where absent
  void advance_rev(const Origin&, Rev to);         // ASSERTs that it grows or stays
  void advance_seq(const Origin&, Seq to, Hlc);    // the same; the HLC grows with seq, or stays with it
  void join(const Origin&, const Position&);       // the greater of each; the HLC goes with its seq
  void join(const VersionVector&);
  void put_back(const Origin&, const Position&);   // behind where it stood: only of streams of our own

  [[nodiscard]] bool covers(const VersionVector& other) const;
  [[nodiscard]] bool covers(const Stamp&) const;  // its entry lies within the prefix; a seed's stamp always does
  [[nodiscard]] VersionVector changed_since(const VersionVector& older) const;  // positions that are greater here
  [[nodiscard]] Hlc greatest_hlc() const;
  [[nodiscard]] Hash128 hash() const;  // over the canonical encoding; equal vectors, equal hashes

  [[nodiscard]] bool empty() const { return positions_.empty(); }
  [[nodiscard]] std::size_t size() const { return positions_.size(); }
  [[nodiscard]] Map::const_iterator begin() const { return positions_.begin(); }
  [[nodiscard]] Map::const_iterator end() const { return positions_.end(); }

  friend bool operator==(const VersionVector&, const VersionVector&) = default;

 private:
  Map positions_;  // never holds an all-zero position
};

// How many changes the one shows that the other does not: revisions and entries together.
[[nodiscard]] std::uint64_t distance(const VersionVector& ahead, const VersionVector& behind);

// 28 bytes and 3 varints (rev, seq, hlc) for each origin, ascending, preceded by their count. Read: at most
// limits::kVectorMax origins; anything that write_vector would not have written fails the reader.
void write_vector(ByteWriter&, const VersionVector&);
[[nodiscard]] VersionVector read_vector(ByteReader&);

}  // namespace starling
