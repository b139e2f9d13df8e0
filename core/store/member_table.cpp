#include "core/store/member_table.h"

#include "core/base/assert.h"
#include "core/store/ack_store.h"
#include "core/store/row_store.h"

namespace starling {

MemberTable::MemberTable(RowStore& rows, const Schema& schema, AckStore& acks, const DeviceId& self)
    : rows_(rows), schema_(schema), acks_(acks), self_(self) {
  reload();
}

const ModelSchema& MemberTable::model(const Schema& schema) {
  const ModelSchema* m = schema.find("sync_member");
  ASSERT(m != nullptr && m->built_in);
  return *m;
}

void MemberTable::reload() {
  const ModelSchema& m = model(schema_);
  const ModelIndex index = schema_.index_of(m);
  std::map<DeviceId, Member> members;
  std::set<DeviceId> counted;
  rows_.read_shared(index, {}, [&](BytesView key, const RowVersion& version) {
    const std::optional<BytesView> row = version.death ? std::nullopt : rows_.read_row(index, key);
    ByteReader key_reader(key);
    const BytesView device = read_value(key_reader).bytes;
    if (!row || device.size() != 16) return true;
    ByteReader values(*row);
    Member member;
    const std::int64_t state = read_value(values).integer;
    member.removed = state == kRemoved;
    member.doubled = state == kDoubled;
    member.barred = Hlc{static_cast<std::uint64_t>(read_value(values).integer)};
    member.admitted = version.generation;
    member.changed = version.stamp_of(1);
    const DeviceId id = DeviceId::from(device);
    if (!member.removed && id != self_) counted.insert(id);
    members[id] = member;
    return true;
  });
  members_ = std::move(members);
  acks_.set_members(counted);
}

const std::map<DeviceId, Member>& MemberTable::all() {
  if (rows_.take_built_in_changed()) reload();
  return members_;
}

const Member* MemberTable::find(const DeviceId& device) {
  const auto at = all().find(device);
  return at == members_.end() ? nullptr : &at->second;
}

bool MemberTable::is_member(const DeviceId& device) {
  const Member* member = find(device);
  return member != nullptr && !member->removed;
}

bool MemberTable::is_removed(const DeviceId& device) {
  const Member* member = find(device);
  return member != nullptr && member->removed;
}

}  // namespace starling
