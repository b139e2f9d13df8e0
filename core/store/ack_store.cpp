#include "core/store/ack_store.h"

#include <vector>

namespace starling {

AckStore::AckStore(sqlite3* db)
    : put_(db,
           "INSERT INTO sync_ack(member, birth, random, version, vector) VALUES(?1,?2,?3,?4,?5)"
           " ON CONFLICT(member) DO UPDATE SET birth=?2, random=?3, version=?4, vector=?5"),
      drop_(db, "DELETE FROM sync_ack WHERE member=?"),
      select_(db, "SELECT member, birth, random, version, vector FROM sync_ack") {
  reload();
}

bool AckStore::take(const Acknowledgement& ack, bool delta) {
  if (!table_.take(ack, delta)) return false;
  dirty_.insert(ack.member);
  return true;
}

void AckStore::set_members(const std::set<DeviceId>& members) {
  std::vector<DeviceId> gone;
  for (const auto& [member, ack] : table_.all())
    if (!members.contains(member)) gone.push_back(member);
  for (const DeviceId& member : gone) {
    table_.remove_member(member);
    dirty_.insert(member);
  }
  for (const DeviceId& member : members) table_.add_member(member);
}

void AckStore::flush() {
  for (const DeviceId& member : dirty_) {
    const Acknowledgement* ack = table_.find(member);
    if (ack == nullptr) {
      drop_.blob(member.view()).run();
      continue;
    }
    ByteWriter vector;
    write_vector(vector, ack->vector);
    put_.blob(member.view()).integer(static_cast<std::int64_t>(ack->incarnation.birth.packed));
    put_.integer(ack->incarnation.random).integer(static_cast<std::int64_t>(ack->version)).blob(vector.bytes()).run();
  }
  dirty_.clear();
}

void AckStore::reload() {
  table_ = {};
  dirty_.clear();
  const ResetGuard guard(select_);
  while (select_.step()) {
    Acknowledgement ack;
    ack.member = DeviceId::from(select_.column_bytes(0));
    ack.incarnation = {Hlc{static_cast<std::uint64_t>(select_.column_integer(1))},
                       static_cast<std::uint32_t>(select_.column_integer(2))};
    ack.version = static_cast<std::uint64_t>(select_.column_integer(3));
    ByteReader vector(select_.column_bytes(4));
    ack.vector = read_vector(vector);
    table_.add_member(ack.member);
    table_.take(ack, false);
  }
}

}  // namespace starling
