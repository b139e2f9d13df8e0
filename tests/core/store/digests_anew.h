// What the digests must be: every version and every row read again, and summed up from nothing.
#pragma once

#include <map>

#include "core/store/digest_table.h"
#include "core/store/row_store.h"
#include "core/store/store.h"

namespace starling {

[[nodiscard]] inline std::vector<DigestTable::Listed> digests_anew(Store& store) {
  std::map<std::pair<std::string, Origin>, GroupDigest> groups;
  for (const ModelSchema& m : store.schema().models) {
    store.rows().scan(store.schema().index_of(m), {}, [&](const ScannedRow& row) {
      if (row.deleted) return true;
      GroupDigest& group = groups[{m.name, row.owner}];
      const BytesView values = row.values.value_or(BytesView());
      group.ranges[range_of(row.key)] += m.kind == Kind::shared ? sum_of(m, row.key, row.version, values)
                                                                : sum_of(m, row.key, row.owner, row.rev, values);
      ++group.rows;
      return true;
    });
  }
  std::vector<DigestTable::Listed> listed;
  for (const auto& [of, group] : groups) listed.push_back({of.first, of.second, group.hash()});
  return listed;
}

}  // namespace starling
