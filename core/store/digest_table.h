// Digests of the visible rows: for each shared model, and for each owner of each device-owned one, 256 sums.
//
// Two nodes with equal vectors must have equal digests; where they have not, ranges tell which rows to compare. A range
// is a part of the keys, by their hash; its digest is the sum, modulo 2^64, of the sums of its rows (row_sum.h), so that
// a row is taken out again without being read. Beside it stands how many rows there are. Deleted rows do not count:
// devices forget those at different times. The rows of sync_digest, in memory while the store is open: changed in
// memory, written by flush() in the transaction that makes them true, taken back by reload() after a rollback.
#pragma once

#include <array>
#include <map>
#include <vector>

#include "core/store/origin_table.h"
#include "core/store/row_sum.h"

namespace starling {

struct GroupDigest {
  static constexpr std::size_t kRanges = 256;
  std::array<RowSum, kRanges> ranges{};
  std::uint64_t rows = 0;

  [[nodiscard]] Hash128 hash() const;  // zero where there are no rows and no sums
  friend bool operator==(const GroupDigest&, const GroupDigest&) = default;
};

class DigestTable {
 public:
  DigestTable(sqlite3*, const OriginTable&);

  static constexpr Ordinal kShared = 0;  // in place of an owner
  using Key = std::pair<std::int64_t, Ordinal>;  // number of the model in sync_model, owner

  void add(const Key&, std::uint8_t range, RowSum);
  void remove(const Key&, std::uint8_t range, RowSum);

  bool replace(const Key&, const GroupDigest&);  // false: it was so

  [[nodiscard]] GroupDigest group(const Key&) const;  // all zero where there is none
  [[nodiscard]] std::uint64_t rows() const;
  // Over every group, by the names of models and by owners, so that it is the same on every device.
  struct Listed {
    std::string model;
    Origin owner;  // zero: shared
    Hash128 hash;
    friend bool operator==(const Listed&, const Listed&) = default;
  };
  [[nodiscard]] std::vector<Listed> list();  // of those that are not empty, ascending
  [[nodiscard]] Hash128 hash();

  void flush();
  void reload();

 private:
  struct Row {
    GroupDigest digest;
    bool dirty = false;  // not written yet
    bool stale = true;   // `hash` is not of these sums
    Hash128 hash;
  };
  Row& change(const Key&);

  const OriginTable& origins_;
  Statement put_, select_, names_;
  std::map<Key, Row> groups_;
  std::uint64_t rows_ = 0;
  bool dirty_ = false;
  std::optional<Hash128> hash_;
};

}  // namespace starling
