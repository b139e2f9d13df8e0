// Takes rows that a peer with our vector lists, where ours are damaged, missing or other than its.
//
//   ours is not as it was written   the peer's row, with its version
//   we have no version of that key  likewise: a row lost is worse than one too many
//   another version                 the join of both, by the merge rule; of device-owned rows the later revision
//   the same version, other values  the owner's row where the peer or we own it, else the greater typed bytes
// What we have and the peer does not list stays: it may ask us for it. No position moves. Everything happens in the
// caller's transaction; a row that SQLite refuses throws SQLite::Exception.
#pragma once

#include "core/replica/event.h"
#include "proto/digest_page.h"

namespace starling {

class Store;

class RowRepair {
 public:
  // `owner`: zero where the model is shared. `peer`: who lists them.
  RowRepair(Store& store, ModelIndex model, const Origin& owner, const DeviceId& peer);

  // True: the row was taken, in whole or in part. Errors: corrupt, nothing of the row is written.
  [[nodiscard]] Expected<bool> take(const RepairRow&);

 private:
  [[nodiscard]] Expected<void> check(const RepairRow&) const;
  bool take_shared(const RepairRow&);
  bool take_owned(const RepairRow&);
  void join(const RepairRow&, RowVersion& version, Bytes& values) const;
  [[nodiscard]] FieldMask plain() const { return schema_.all_fields() & ~schema_.key_fields(); }

  Store& store_;
  ModelIndex model_;
  const ModelSchema& schema_;
  Origin owner_;
  DeviceId peer_;
};

}  // namespace starling
