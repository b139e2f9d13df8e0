#include "core/replica/pruner.h"

#include <algorithm>

#include "core/base/limits.h"
#include "core/base/planted_bug.h"
#include "core/store/ack_store.h"
#include "core/store/member_table.h"
#include "core/store/origin_table.h"
#include "core/store/peer_log.h"
#include "core/store/quarantine.h"
#include "core/store/row_store.h"
#include "core/store/store.h"

namespace starling {
namespace {

constexpr std::int64_t kLogAgeMs = std::chrono::duration_cast<std::chrono::milliseconds>(limits::kLogAgeMax).count();
constexpr std::int64_t kLookEveryMs = 60LL * 60 * 1000;

}  // namespace

// Up to where the members let go.
Pruner::Done Pruner::goal(const Origin& origin, bool stones) {
  if (store_.members().all().empty()) return {};
  const AckTable& acks = store_.acks().table();
  const Position ours = store_.origins().vector().at(origin);
  Done goal;
  goal.entries = std::min(ours.seq, acks.acknowledged_by_all(origin));
  if (stones) {
    goal.tombstones = goal.entries;
    if (!lived_before(origin)) goal.gone = std::min(ours.rev, acks.state_acknowledged_by_all(origin));
  }
  if (planted(PlantedBug::tombstone_dropped_early)) goal.tombstones = ours.seq;
  return goal;
}

// A row of an earlier life may be shown somewhere still, by a device that was removed or put back meanwhile. It reads this
// life's stream from its beginning and learns of the delete there: what that stream forgets, it forgets of itself alone.
bool Pruner::lived_before(const Origin& origin) {
  for (const Origin& life : store_.origins().of_device(origin.device))
    if (life.incarnation < origin.incarnation && store_.origins().vector().at(life).rev != Rev{}) return true;
  return false;
}

// Causal stability, as far as it does not depend on the tombstone.
bool Pruner::stones_may_go() {
  const VersionVector& ours = store_.origins().vector();
  for (const auto& [device, ack] : store_.acks().table().all()) {
    if (!ours.covers(ack.vector)) return false;
    for (const auto& [gone, member] : store_.members().all())
      if (member.removed && !ack.vector.covers(member.changed)) return false;
  }
  return true;
}

bool Pruner::due(WallTime wall) {
  if (too_old_or_large(wall)) return true;
  const bool stones = stones_may_go();
  for (const auto& [origin, position] : store_.origins().vector()) {
    const Done& done = done_[*store_.origins().find(origin)];
    const Done to = goal(origin, stones);
    if (to.entries > done.entries || to.tombstones > done.tombstones || to.gone > done.gone) return true;
  }
  return false;
}

Pruner::Dropped Pruner::prune(WallTime wall) {
  Dropped dropped;
  const bool stones = stones_may_go();
  for (const auto& [origin, position] : VersionVector(store_.origins().vector())) {
    const Ordinal ordinal = *store_.origins().find(origin);
    const Done to = goal(origin, stones);
    Done& done = done_[ordinal];
    if (to.entries > done.entries) {
      const std::size_t gone = drop_entries(ordinal, to.entries, limits::kPruneRows);
      dropped.entries += gone;
      dropped.more |= gone == limits::kPruneRows;
      if (gone < limits::kPruneRows) done.entries = to.entries;
    }
    drop_stones(ordinal, to, done, dropped);
  }
  if (too_old_or_large(wall)) drop_old_entries(wall, dropped);
  return dropped;
}

std::size_t Pruner::drop_entries(Ordinal ordinal, Seq through, std::size_t most) {
  const Seq last = std::min(through, Seq{store_.origins().horizon(ordinal).seq.value + most});
  const std::optional<EntryHeader> header = store_.log().header(ordinal, last);
  const std::size_t gone = store_.log().drop(ordinal, last, most);
  if (header) store_.origins().raise_horizon(ordinal, {Rev{}, last, header->hlc});
  return gone;
}

void Pruner::drop_stones(Ordinal ordinal, const Done& to, Done& done, Dropped& dropped) {
  if (to.tombstones > done.tombstones) {
    const std::size_t gone = store_.rows().drop_tombstones(ordinal, to.tombstones, limits::kPruneRows);
    dropped.tombstones += gone;
    dropped.more |= gone == limits::kPruneRows;
    if (gone < limits::kPruneRows) done.tombstones = to.tombstones;
  }
  if (to.gone > done.gone) {
    const auto [dropped_to, gone] = store_.rows().drop_owned_tombstones(ordinal, to.gone, limits::kPruneRows);
    const Rev last = std::max(dropped_to, store_.quarantine().drop_dead(ordinal, gone < limits::kPruneRows ? to.gone : dropped_to));
    if (last > Rev{}) store_.origins().raise_horizon(ordinal, {last, Seq{}, Hlc{}});
    dropped.tombstones += gone;
    dropped.more |= gone == limits::kPruneRows;
    if (gone < limits::kPruneRows) done.gone = to.gone;
  }
}

bool Pruner::too_old_or_large(WallTime wall) {
  const std::int64_t since = wall.ms - looked_at_age_.ms;
  return since >= kLookEveryMs || since < 0;
}

// How much of a log some other member holds, too.
Seq Pruner::held_elsewhere(const Origin& origin) {
  if (store_.members().all().empty() || origin != store_.self()) return store_.origins().vector().at(origin).seq;
  Seq most;
  for (const auto& [device, ack] : store_.acks().table().all()) most = std::max(most, ack.vector.at(origin).seq);
  return most;
}

void Pruner::drop_old_entries(WallTime wall, Dropped& dropped) {
  std::size_t gone = 0;
  while (gone < limits::kPruneRows && drop_oldest_entry(wall, store_.log().bytes() > limits::kLogSizeMax)) ++gone;
  dropped.entries += gone;
  dropped.more |= gone == limits::kPruneRows;
  if (gone < limits::kPruneRows) looked_at_age_ = wall;
}

// Of all logs. False: it may not go, or there is none.
bool Pruner::drop_oldest_entry(WallTime wall, bool whatever_its_age) {
  std::optional<std::pair<Hlc, Ordinal>> oldest;
  for (const auto& [origin, position] : store_.origins().vector()) {
    const Ordinal ordinal = *store_.origins().find(origin);
    const Seq first = store_.origins().horizon(ordinal).seq.next();
    if (first > held_elsewhere(origin)) continue;
    const std::optional<EntryHeader> header = store_.log().header(ordinal, first);
    if (header && (!oldest || header->hlc < oldest->first)) oldest = {header->hlc, ordinal};
  }
  if (!oldest || (!whatever_its_age && wall.ms - oldest->first.ms() < kLogAgeMs)) return false;
  return drop_entries(oldest->second, store_.origins().horizon(oldest->second).seq.next(), 1) == 1;
}

}  // namespace starling
