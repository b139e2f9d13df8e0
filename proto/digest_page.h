// What two nodes compare when their digests differ: digests of groups, of ranges, and rows with their versions.
//
// A group is a shared model, or one owner's rows of a device-owned model. Bodies of DigestResponse, one for each level:
//   groups  count, then for each: model (its place in the schema, which both have alike), owner, hash of its ranges
//   ranges  256 sums
//   rows    count, then for each: key, version, values. Few rows ever travel so, and frames are compressed: they stand
//           there plainly, one after the other
// Decoding takes hostile bytes, and checks keys and values as an entry's are checked.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "core/causal/merge.h"
#include "proto/message.h"

namespace starling {

inline constexpr std::size_t kRepairRowsMax = 4096;  // in one page

struct DigestGroup {
  ModelIndex model = 0;
  Origin owner;  // zero: shared
  Hash128 hash;
  friend bool operator==(const DigestGroup&, const DigestGroup&) = default;
};
using RangeSums = std::array<std::uint64_t, kDigestRanges>;

struct RepairRow {  // views into the body
  BytesView key;
  Rev rev;             // of a device-owned row
  RowVersion version;  // of a shared row; never dead
  BytesView values;    // of every non-key field
};

[[nodiscard]] Bytes encode_groups(std::span<const DigestGroup>);
[[nodiscard]] Bytes encode_ranges(const RangeSums&);

class RepairPageWriter {
 public:
  explicit RepairPageWriter(Kind kind) : kind_(kind) {}
  void add(const RepairRow&);
  [[nodiscard]] bool full() const { return rows_.size() >= limits::kPageTarget || count_ == kRepairRowsMax; }
  [[nodiscard]] Bytes finish() const;

 private:
  Kind kind_;
  std::size_t count_ = 0;
  ByteWriter rows_;
};

// Errc::corrupt: no such body.
[[nodiscard]] Expected<std::vector<DigestGroup>> decode_groups(BytesView, const Schema&);
[[nodiscard]] Expected<RangeSums> decode_ranges(BytesView);
[[nodiscard]] Expected<std::vector<RepairRow>> decode_repair_rows(BytesView, const ModelSchema&);

}  // namespace starling
