#include "core/causal/version_vector.h"

#include <algorithm>
#include <optional>
#include <tuple>

#include "core/base/assert.h"
#include "core/base/limits.h"
#include "core/base/sha256.h"

namespace starling {

Position VersionVector::at(const Origin& origin) const {
  const auto found = positions_.find(origin);
  return found == positions_.end() ? Position{} : found->second;
}

void VersionVector::advance_rev(const Origin& origin, Rev to) {
  ASSERT(to >= at(origin).rev);
  if (to != Rev{}) positions_[origin].rev = to;
}

void VersionVector::advance_seq(const Origin& origin, Seq to, Hlc hlc) {
  const Position here = at(origin);
  ASSERT(to > here.seq ? hlc > here.hlc : to == here.seq && hlc == here.hlc);
  if (to == Seq{}) return;
  Position& position = positions_[origin];
  position.seq = to;
  position.hlc = hlc;
}

void VersionVector::join(const Origin& origin, const Position& theirs) {
  if (theirs == Position{}) return;
  Position& ours = positions_[origin];
  ours.rev = std::max(ours.rev, theirs.rev);
  // The HLC belongs to its seq; taking the greater of each alone would claim stamps that neither side holds.
  if (std::tie(theirs.seq, theirs.hlc) > std::tie(ours.seq, ours.hlc)) {
    ours.seq = theirs.seq;
    ours.hlc = theirs.hlc;
  }
}

void VersionVector::join(const VersionVector& theirs) {
  for (const auto& [origin, position] : theirs) join(origin, position);
}

void VersionVector::put_back(const Origin& origin, const Position& to) {
  ASSERT(at(origin).covers(to) && to.is_valid());
  if (to == Position{}) positions_.erase(origin);
  else positions_[origin] = to;
}

bool VersionVector::covers(const VersionVector& other) const {
  return std::all_of(other.begin(), other.end(),
                     [this](const auto& entry) { return at(entry.first).covers(entry.second); });
}

bool VersionVector::covers(const Stamp& stamp) const { return stamp.hlc <= at(stamp.origin).hlc; }

VersionVector VersionVector::changed_since(const VersionVector& older) const {
  VersionVector changed;
  for (const auto& [origin, position] : positions_) {
    if (!older.at(origin).covers(position)) changed.positions_.emplace_hint(changed.end(), origin, position);
  }
  return changed;
}

Hlc VersionVector::greatest_hlc() const {
  Hlc greatest;
  for (const auto& [origin, position] : positions_) greatest = std::max(greatest, position.hlc);
  return greatest;
}

Hash128 VersionVector::hash() const {
  ByteWriter w;
  write_vector(w, *this);
  return hash128(w.bytes());
}

std::uint64_t distance(const VersionVector& ahead, const VersionVector& behind) {
  std::uint64_t changes = 0;
  for (const auto& [origin, position] : ahead) {
    const Position held = behind.at(origin);
    if (position.rev > held.rev) changes += position.rev.value - held.rev.value;
    if (position.seq > held.seq) changes += position.seq.value - held.seq.value;
  }
  return changes;
}

void write_vector(ByteWriter& w, const VersionVector& vector) {
  w.varint(vector.size());
  for (const auto& [origin, position] : vector) {
    ASSERT(position.is_valid());
    write_origin(w, origin);
    w.varint(position.rev.value);
    w.varint(position.seq.value);
    w.varint(position.hlc.packed);
  }
}

VersionVector read_vector(ByteReader& r) {
  const std::uint64_t count = r.varint();
  if (count > limits::kVectorMax) r.set_failed();
  VersionVector vector;
  std::optional<Origin> previous;
  for (std::uint64_t i = 0; i < count && !r.failed(); ++i) {
    const Origin origin = read_origin(r);
    const Rev rev{r.varint()};
    const Seq seq{r.varint()};
    const Position position{rev, seq, Hlc{r.varint()}};
    if ((previous && origin <= *previous) || position == Position{} || !position.is_valid()) r.set_failed();
    vector.join(origin, position);
    previous = origin;
  }
  if (r.failed()) return {};
  return vector;
}

}  // namespace starling
