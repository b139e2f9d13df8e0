#include "core/replica/membership.h"

#include <algorithm>

#include "core/base/assert.h"
#include "core/replica/stamper.h"
#include "core/replica/transaction_manager.h"
#include "core/replica/undo.h"
#include "core/store/ack_store.h"
#include "core/store/capture.h"
#include "core/store/member_table.h"
#include "core/store/origin_table.h"
#include "core/store/peer_log.h"
#include "core/store/row_store.h"
#include "core/store/store.h"
#include "core/store/sync_state.h"

namespace starling {
namespace {

constexpr FieldMask kFields = 0b110;  // member, barred; field 0 is the key

struct MemberRow {
  Bytes key, values;
};

MemberRow row_of(const DeviceId& device, std::int64_t member, Hlc barred) {
  ByteWriter key;
  ByteWriter values;
  write_value(key, ValueView::blob(device.view()));
  write_value(values, ValueView::of(member));
  write_value(values, ValueView::of(static_cast<std::int64_t>(barred.packed)));
  return {key.take(), values.take()};
}

ModelIndex member_model(const Store& store) { return store.schema().index_of(MemberTable::model(store.schema())); }

Error no_member(const DeviceId& device, const char* what, const char* remedy) {
  return {Errc::invalid_argument, what, "device " + to_string(device), remedy};
}

// In the caller's transaction.
Expected<LocalCommit> stamp_update(Store& store, const DeviceId& device, std::int64_t member, Hlc barred, WallTime wall) {
  const MemberRow row = row_of(device, member, barred);
  const ModelIndex model = member_model(store);
  const Bytes before(*store.rows().read_row(model, row.key));
  store.rows().update_row(model, row.key, kFields, row.values);
  const NetChange change{model, Op::update, row.key, kFields, row.values, row.values, before};
  return stamp_changes(store, {&change, 1}, WriteScope::any, wall);
}

Expected<LocalCommit> update(Store& store, const DeviceId& device, std::int64_t member, Hlc barred, WallTime wall) {
  if (const Expected<void> begun = store.try_begin(TransactionKind::apply); !begun) return begun.error();  // nothing to capture
  const Undo undo(store);
  Expected<LocalCommit> commit = stamp_update(store, device, member, barred, wall);
  if (commit) store.commit();
  return commit;
}

// The birth of the latest life of a device that we know of. No clock of ours: it may be wrong, and a later life is safe.
Hlc last_life_of(Store& store, const DeviceId& device) {
  Hlc birth;
  for (const Origin& origin : store.origins().of_device(device)) birth = std::max(birth, origin.incarnation.birth);
  const Acknowledgement* ack = store.acks().table().find(device);
  return ack == nullptr ? birth : std::max(birth, ack->incarnation.birth);
}

// The oldest shared change that a member has not acknowledged and that is still in our log.
WallTime oldest_missing(Store& store, const VersionVector& held) {
  WallTime oldest;
  for (const auto& [origin, position] : store.origins().vector()) {
    const Ordinal ordinal = *store.origins().find(origin);
    const Seq next = std::max(held.at(origin).seq, store.origins().horizon(ordinal).seq).next();
    if (next > position.seq) continue;
    const std::optional<EntryHeader> header = store.log().header(ordinal, next);
    if (header && (oldest.ms == 0 || header->hlc.ms() < oldest.ms)) oldest = WallTime{header->hlc.ms()};
  }
  return oldest;
}

}  // namespace

Expected<std::optional<LocalCommit>> admit(Store& store, const std::set<DeviceId>& devices, WallTime wall) {
  std::set<DeviceId> fresh;
  for (const DeviceId& device : devices)
    if (store.members().find(device) == nullptr) fresh.insert(device);
  if (fresh.empty()) return std::optional<LocalCommit>();
  if (store.members().all().empty()) fresh.insert(store.self().device);
  if (store.members().all().size() + fresh.size() > limits::kMembersMax)
    return Error{Errc::too_large, "more devices than a workspace may have", "", "remove members that will not return"};
  const ModelIndex model = member_model(store);
  std::vector<MemberRow> rows;
  for (const DeviceId& device : fresh) rows.push_back(row_of(device, kMember, Hlc{}));
  std::vector<NetChange> changes;
  for (const MemberRow& row : rows) {
    store.rows().upsert_row(model, row.key, row.values);
    changes.push_back({model, Op::insert, row.key, kFields, row.values, row.values, {}});
  }
  Expected<LocalCommit> commit = stamp_changes(store, changes, WriteScope::any, wall);
  if (!commit) return commit.error();
  return std::optional<LocalCommit>(std::move(*commit));
}

Expected<LocalCommit> remove_member(Store& store, const DeviceId& device, WallTime wall) {
  if (device == store.self().device)
    return no_member(device, "a device does not remove itself", "remove it on another device, or end synchronising here with detach");
  if (!store.state().initial_sync_completed())
    return Error{Errc::not_ready, "this device has not joined yet", "", "wait until it is ready"};
  if (!store.members().is_member(device)) return no_member(device, "this device is not a member", "see the list of members");
  return update(store, device, kRemoved, last_life_of(store, device), wall);
}

Expected<LocalCommit> readmit_member(Store& store, const DeviceId& device, WallTime wall) {
  const Member* member = store.members().find(device);
  if (member == nullptr || !member->removed)
    return no_member(device, "this device was not removed", "a device that is new is admitted by itself");
  return update(store, device, kMember, member->barred, wall);
}

std::optional<LocalCommit> tell_doubled(Store& store, WallTime wall) {
  const Member* member = store.members().find(store.self().device);
  if (store.state().doubled() != SyncState::Doubled::untold || member == nullptr || member->removed) return std::nullopt;
  store.state().set_doubled(SyncState::Doubled::told);
  Expected<LocalCommit> commit = stamp_update(store, store.self().device, kDoubled, member->barred, wall);
  ASSERT(commit.has_value());
  return std::move(*commit);
}

Error doubled_identity(const Store& store) {
  return {Errc::identity_conflict, "another machine lives under this device's identity", "device " + to_string(store.self().device),
          "run 'starling identity keep' on the one that goes on as it; on the other one save what you need, then join with an empty folder"};
}

Expected<LocalCommit> keep_identity(Store& store, WallTime wall) {
  if (!store.state().is_doubled())
    return Error{Errc::invalid_argument, "no other machine is known to live under this device's identity", "", "there is nothing to do"};
  if (const Expected<void> begun = store.try_begin(TransactionKind::apply); !begun) return begun.error();
  const Undo undo(store);
  store.state().set_doubled(SyncState::Doubled::no);
  const Member* member = store.members().find(store.self().device);
  if (member == nullptr || member->removed) return no_member(store.self().device, "this device is not a member", "admit it again");
  Expected<LocalCommit> commit = stamp_update(store, store.self().device, kMember, member->barred, wall);
  if (commit) store.commit();
  return commit;
}

std::vector<MemberStatus> list_members(Store& store) {
  std::vector<MemberStatus> list;
  for (const auto& [device, member] : store.members().all()) {
    MemberStatus one;
    one.device = device;
    one.self = device == store.self().device;
    one.removed = member.removed;
    one.doubled = member.doubled;
    one.since = WallTime{(member.removed || member.doubled ? member.changed : member.admitted).hlc.ms()};
    const Acknowledgement* ack = store.acks().table().find(device);
    if (ack != nullptr) {
      one.lacks = distance(store.origins().vector(), ack->vector);
      one.oldest = oldest_missing(store, ack->vector);
    }
    list.push_back(one);
  }
  return list;
}

}  // namespace starling
