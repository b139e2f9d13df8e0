#include "core/replica/hello.h"

#include <algorithm>

#include "core/base/planted_bug.h"
#include "core/base/sha256.h"
#include "core/store/ack_store.h"
#include "core/store/member_table.h"
#include "core/store/origin_table.h"
#include "core/store/peer_log.h"
#include "core/store/store.h"
#include "core/store/sync_state.h"

namespace starling {
namespace {

Expected<void> check_workspace(const SyncState& state, const Hello& hello) {
  if (hello.workspace_name != state.workspace_name()) {
    return Error{Errc::wrong_workspace, "the peer's workspace is '" + hello.workspace_name + "', ours '" +
                 state.workspace_name() + "'", "", "give both the same workspace name"};
  }
  if (hello.workspace.is_zero() && state.workspace().is_zero())
    return Error{Errc::not_ready, "neither side has joined a workspace yet", "", "start one of them with 'create'"};
  if (!hello.workspace.is_zero() && !state.workspace().is_zero() && hello.workspace != state.workspace()) {
    return Error{Errc::wrong_workspace, "both call their workspace '" + hello.workspace_name +
                 "', but it was created twice", "", "let one device create it and the others join"};
  }
  return {};
}

// A model that only one side has is no obstacle, nor is one that has grown on one side: what the other does not know it
// keeps (core/store/held_changes.h, kept_fields.h).
Expected<void> check_schema(const Schema& schema, const Hello& hello) {
  for (const ModelDigest& theirs : hello.models) {
    const ModelSchema* ours = schema.find(theirs.name);
    if (ours == nullptr || ours->digest == theirs.digest) continue;
    if (const Expected<void> fits = check_shape(*ours, theirs.shape); !fits) return fits;
  }
  return {};
}

// Of our entry there: the next one carries it, so that a large entry need not be read. Nothing: we hold it no more.
std::optional<Hash128> own_hash(Store& store, const HeldLog& held) {
  const Ordinal self = store.self_ordinal();
  if (held.seq == store.origins().position(self).seq) return store.origins().last_hash(self);
  if (const std::optional<EntryHeader> next = store.log().header(self, held.seq.next())) return next->previous;
  const std::optional<Bytes> entry = store.log().find(self, held.seq);
  return entry ? std::optional(hash128(*entry)) : std::nullopt;
}

// How far we had come in the opening in which we told the peer its last revision of ours. It has a later one: that was told by
// a database that went on from where this one is, and then was replaced by it. nullopt: an opening of which we know nothing.
std::optional<Rev> written_in(Store& store, const HeldLog& log, Rev ours) {
  const std::optional<Rev> written = store.state().written_in(log.opening, ours);
  if (written || (log.opening != 0 && store.state().knows_all_openings())) return written;
  return ours;  // long ago, or nobody told in which
}

// The peer knows what we do not, or otherwise: this is not the database that wrote it.
bool is_outlived(Store& store, const Hello& hello, const VersionVector& shown) {
  const Position ours = store.origins().vector().at(store.self());
  if (!ours.covers(hello.vector.at(store.self()))) return true;
  if (hello.heard == store.self().incarnation && hello.heard_version > ack_version(shown)) return true;
  return std::any_of(hello.held.begin(), hello.held.end(), [&](const HeldLog& log) {
    if (log.origin != store.self()) return false;
    if (log.rev > written_in(store, log, ours.rev).value_or(Rev{})) return true;
    return log.seq != Seq{} && (log.seq > ours.seq || log.hash != own_hash(store, log).value_or(log.hash));
  });
}

// What the peer had of our streams when it last acknowledged them to this database: of that both have the same. Entries
// beyond it that come back from peers as we hold them are taken back (Applier::entry).
Position proven(Store& store, const DeviceId& peer, const std::vector<HeldLog>& held) {
  const Rev ours = store.origins().vector().at(store.self()).rev;
  const Acknowledgement* ack = store.acks().table().find(peer);
  Position known = ack == nullptr ? Position{} : ack->vector.at(store.self());
  for (const HeldLog& log : held) {
    if (log.origin != store.self()) continue;
    known.rev = std::max(known.rev, std::min(log.rev, store.state().written_in(log.opening, ours).value_or(Rev{})));
  }
  return store.in_circulation(known);
}

constexpr std::uint64_t kBirthMax = 1ULL << 62;  // no clock says so; there is always a later one

Incarnation latest_life(const Store& store, const VersionVector& vector, const Incarnation& heard) {
  Incarnation latest = store.self().incarnation;
  if (heard.birth.packed < kBirthMax) latest = std::max(latest, heard);
  for (const auto& [origin, position] : vector)
    if (origin.device == store.self().device && origin.incarnation.birth.packed < kBirthMax) latest = std::max(latest, origin.incarnation);
  return latest;
}

// Two machines that live under one identity must not choose one name: the number of this opening is in it.
Incarnation life_born(Store& store, Hlc birth) {
  ByteWriter seed;
  seed.be64(store.state().last_opening());
  seed.be64(birth.packed);
  return {birth, ByteReader(hash128(seed.bytes()).view()).be32()};
}

Incarnation next_life(Store& store, const Incarnation& latest) {
  return life_born(store, Hlc{std::max(latest.birth.packed, store.clock().last().packed) + 1});
}

}  // namespace

std::optional<Renewal> renewal_of_life(Store& store, const VersionVector& vector, const Incarnation& heard) {
  if (store.state().is_doubled()) return std::nullopt;  // nothing is written under any name
  const Incarnation latest = latest_life(store, vector, heard);
  if (latest == store.self().incarnation || planted(PlantedBug::later_life_ignored)) return std::nullopt;
  Renewal renewal{next_life(store, latest), {}, "peers know a later life of this device", true};
  if (!store.state().provisional()) renewal.kept = store.told();  // else all of it: rows of ours count as later than those
  return renewal;
}

std::optional<Renewal> renewal(Store& store, const DeviceId& peer, const Hello& hello, const VersionVector& shown) {
  if (store.state().is_doubled()) return std::nullopt;
  if (!is_outlived(store, hello, shown)) return renewal_of_life(store, hello.vector, hello.heard);
  return Renewal{next_life(store, latest_life(store, hello.vector, hello.heard)), proven(store, peer, hello.held),
                 "peers know this device further than its own database does, or otherwise"};
}

std::optional<Renewal> renewal_of_clock(Store& store, WallTime theirs, WallTime ours) {
  const Ordinal self = store.self_ordinal();
  const Position head = store.origins().position(self);
  const auto accepted = [&](Hlc hlc) { return HlcClock::acceptable(hlc, std::max(theirs, ours)); };
  if (accepted(head.hlc) || store.state().provisional() || store.state().is_doubled()) return std::nullopt;
  Position kept = store.told();
  for (auto next = store.log().header(self, kept.seq.next()); next && accepted(next->hlc); next = store.log().header(self, kept.seq.next()))
    kept = {head.rev, next->seq, next->hlc};
  VersionVector left = store.origins().vector();
  left.put_back(store.self(), kept);
  if (kept.seq >= head.seq || !accepted(left.greatest_hlc())) return std::nullopt;  // else what is stamped anew would be ahead, too
  const Hlc birth = std::max(Hlc::of(ours.ms, 0), Hlc{store.self().incarnation.birth.packed + 1});
  return Renewal{life_born(store, birth), kept, "this device has written with its clock ahead, and it is right now"};
}

Renewal renewal_as_told(Store& store, const VersionVector& theirs, const Incarnation& heard) {
  return {next_life(store, latest_life(store, theirs, heard)), store.in_circulation(theirs.at(store.self())), "this device was removed and admitted again"};
}

std::uint64_t ack_version(const VersionVector& vector) {
  std::uint64_t version = 0;
  for (const auto& [origin, position] : vector) version += position.rev.value + position.seq.value;
  return version;
}

VersionVector without_own_log(VersionVector vector, const Origin& self) {
  vector.put_back(self, {vector.at(self).rev, Seq{}, Hlc{}});
  return vector;
}

bool same_models(const Schema& schema, const Hello& hello) {
  const auto known = [&](const ModelDigest& theirs) {
    const ModelSchema* ours = schema.find(theirs.name);
    return ours != nullptr && ours->digest == theirs.digest;
  };
  return hello.models.size() == schema.models.size() && std::all_of(hello.models.begin(), hello.models.end(), known);
}

Hello make_hello(Store& store, VersionVector shown, const DeviceId& peer, WallTime now) {
  Hello hello;
  hello.workspace_name = store.state().workspace_name();
  hello.workspace = store.state().workspace();
  hello.incarnation = store.self().incarnation;
  hello.vector = std::move(shown);
  hello.ack_version = ack_version(hello.vector);
  if (const Acknowledgement* heard = store.acks().table().find(peer)) {
    hello.heard = heard->incarnation;
    hello.heard_version = heard->version;
  }
  const Member* member = store.members().find(peer);  // removed once: it comes back in a later life than the one that was barred
  if (member != nullptr && member->barred > hello.heard.birth) {
    hello.heard = {member->barred, 0};
    hello.heard_version = 0;
  }
  for (const Origin& origin : store.origins().of_device(peer)) {
    const Position position = store.origins().vector().at(origin);
    if (position == Position{}) continue;
    const Ordinal ordinal = *store.origins().find(origin);
    hello.held.push_back({origin, position.seq, store.origins().last_hash(ordinal), position.rev, store.origins().opening(ordinal)});
  }
  for (const ModelSchema& m : store.schema().models) hello.models.push_back({m.name, m.digest, shape_of(m)});
  hello.clock = now;
  hello.stopped = store.state().is_doubled();
  return hello;
}

Expected<void> check_hello(Store& store, const Hello& hello, const DeviceId& peer, WallTime now) {
  if (hello.protocol != kProtocolVersion) {
    return Error{Errc::schema, "the peer speaks protocol " + std::to_string(hello.protocol) + ", we speak " +
                 std::to_string(kProtocolVersion), "", "run the same version on both"};
  }
  Expected<void> checked = check_workspace(store.state(), hello);
  if (!checked) return checked;
  // As unsigned numbers, for the peer's may be anything.
  const std::uint64_t apart = static_cast<std::uint64_t>(std::max(hello.clock.ms, now.ms)) -
                              static_cast<std::uint64_t>(std::min(hello.clock.ms, now.ms));
  if (apart > static_cast<std::uint64_t>(limits::kHelloClockMaxMs)) {
    return Error{Errc::clock, "the clocks differ by " + std::to_string(apart / 3'600'000) + " hours",
                 "device " + to_string(peer), "set the clock that is wrong"};
  }
  return check_schema(store.schema(), hello);
}

}  // namespace starling
