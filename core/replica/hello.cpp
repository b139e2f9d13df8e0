#include "core/replica/hello.h"

#include <algorithm>

#include "core/base/sha256.h"
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

Expected<void> check_identity(Store& store, const Hello& hello) {
  const Position ours = store.origins().vector().at(store.self());
  const Position known = hello.vector.at(store.self());
  const Error conflict{Errc::identity_conflict, "the peer knows more of this device's history than this device does",
                       "device " + to_string(store.self().device),
                       "this database may be an old backup or a copy: start with an empty folder and join"};
  if (known.rev > ours.rev || known.seq > ours.seq) return conflict;
  if (ours != Position{} && later_life(store, hello.vector)) {
    return Error{Errc::identity_conflict, "this device's clock was behind when its database was made anew, and it has written since",
                 "device " + to_string(store.self().device), "save what was written, start with an empty folder and join"};
  }
  for (const HeldLog& held : hello.held) {
    if (held.origin != store.self() || held.seq == Seq{}) continue;
    if (held.seq > ours.seq || held.hash != own_hash(store, held).value_or(held.hash)) return conflict;
  }
  return {};
}

}  // namespace

std::optional<Incarnation> later_life(const Store& store, const VersionVector& vector) {
  Incarnation latest = store.self().incarnation;
  for (const auto& [origin, position] : vector)
    if (origin.device == store.self().device) latest = std::max(latest, origin.incarnation);
  return latest == store.self().incarnation ? std::nullopt : std::optional(latest);
}

std::uint64_t ack_version(const VersionVector& vector) {
  std::uint64_t version = 0;
  for (const auto& [origin, position] : vector) version += position.rev.value + position.seq.value;
  return version;
}

VersionVector without_own_log(VersionVector vector, const Origin& self) {
  vector.restart_log(self);
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
  for (const Origin& origin : store.origins().of_device(peer)) {
    const Position position = store.origins().vector().at(origin);
    if (position.seq == Seq{}) continue;
    hello.held.push_back({origin, position.seq, store.origins().last_hash(*store.origins().find(origin))});
  }
  for (const ModelSchema& m : store.schema().models) hello.models.push_back({m.name, m.digest, shape_of(m)});
  hello.clock = now;
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
  checked = check_schema(store.schema(), hello);
  if (!checked) return checked;
  return check_identity(store, hello);
}

}  // namespace starling
