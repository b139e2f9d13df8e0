#include "core/replica/digest_source.h"

#include "core/store/digest_table.h"
#include "core/store/row_store.h"
#include "core/store/store.h"

namespace starling {
namespace {

bool is_in(const RangeMask& mask, std::uint8_t range) { return (mask[range / 64] >> (range % 64) & 1) != 0; }

void read_rows(Store& store, const DigestRequest& request, std::optional<Ordinal> owner, DigestResponse& response) {
  const Kind kind = store.schema().models[request.model].kind;
  RepairPageWriter page(kind);
  std::size_t looked_at = 0;
  Bytes last;
  bool more = false;
  const auto look = [&](BytesView key, Ordinal origin) {
    if (page.full() || looked_at == limits::kRepairScan) {
      more = true;
      return RowStore::Look::end;
    }
    ++looked_at;
    last.assign(key);
    const bool wanted = (!owner || *owner == origin) && is_in(request.ranges, range_of(key));
    return wanted ? RowStore::Look::read : RowStore::Look::skip;
  };
  store.rows().scan(request.model, request.after, look, [&](const ScannedRow& row) {
    if (!row.deleted && row.good) page.add({row.key, row.rev, row.version, *row.values});
    return true;
  });
  response.body = page.finish();
  if (more) response.next = std::move(last);
}

}  // namespace

std::vector<DigestGroup> digest_groups(Store& store) {
  std::vector<DigestGroup> groups;
  for (const DigestTable::Listed& one : store.digests().list()) {
    const ModelSchema* model = store.schema().find(one.model);
    if (model != nullptr && groups.size() < limits::kDigestsMax)
      groups.push_back({store.schema().index_of(*model), one.owner, one.hash});
  }
  return groups;
}

Expected<DigestResponse> answer_digest(Store& store, const DigestRequest& request, const Hash128& vector_hash) {
  DigestResponse response;
  response.request = request;
  response.vector_hash = vector_hash;
  if (request.level == DigestLevel::groups) {
    response.body = encode_groups(digest_groups(store));
    return response;
  }
  if (request.model >= store.schema().models.size()) return Error{Errc::corrupt, "a question about no model", "", ""};
  const bool shared = store.schema().models[request.model].kind == Kind::shared;
  if (shared != (request.owner == Origin{})) return Error{Errc::corrupt, "a question about rows of no owner", "", ""};
  const std::optional<Ordinal> owner = shared ? std::nullopt : store.origins().find(request.owner);
  const bool known = shared || owner;
  if (request.level == DigestLevel::ranges) {
    const GroupDigest group = known ? store.digests().group(store.rows().group_of(request.model, request.owner)) : GroupDigest{};
    response.body = encode_ranges(group.ranges);
  } else if (known) {
    read_rows(store, request, owner, response);
  } else {
    response.body = RepairPageWriter(Kind::device_owned).finish();
  }
  return response;
}

}  // namespace starling
