// The members of the workspace: the built-in shared model sync_member, as this device knows it.
//
// Membership rides in the log (docs/protocol.md, Members): admission is an insert by the sponsor, removal an update, and
// the merge rule decides as for any row. A removed device's row stays: it says which lives of that device never come
// back. A workspace of one device has no rows until it admits its second.
// A copy of the table in memory, read again when a row of it was written or a transaction was rolled back.
#pragma once

#include <map>
#include <set>

#include "core/causal/hlc.h"
#include "core/causal/version_vector.h"
#include "core/store/statement.h"

namespace starling {

class RowStore;
struct Schema;
struct ModelSchema;
class AckStore;

// What stands in the column `member`.
inline constexpr std::int64_t kRemoved = 0;
inline constexpr std::int64_t kMember = 1;
inline constexpr std::int64_t kDoubled = 2;

struct Member {
  bool removed = false;
  bool doubled = false;  // two machines live under its identity
  Hlc barred;     // birth of the last life known when it was removed: neither that nor an earlier one comes back
  Stamp admitted;
  Stamp changed;  // of `removed` and `doubled`: the entry
};

class MemberTable {
 public:
  MemberTable(RowStore&, const Schema&, AckStore&, const DeviceId& self);

  // By device, removed ones included; empty: nobody was admitted yet.
  [[nodiscard]] const std::map<DeviceId, Member>& all();
  [[nodiscard]] const Member* find(const DeviceId&);
  [[nodiscard]] bool is_member(const DeviceId&);
  [[nodiscard]] bool is_removed(const DeviceId&);
  void reload();  // at once

  [[nodiscard]] static const ModelSchema& model(const Schema&);

 private:
  RowStore& rows_;
  const Schema& schema_;
  AckStore& acks_;
  const DeviceId self_;
  std::map<DeviceId, Member> members_;
};

}  // namespace starling
