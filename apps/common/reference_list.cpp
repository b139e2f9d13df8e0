#include "apps/common/reference_list.h"

#include <nlohmann/json.hpp>

#include "apps/common/conflict_list.h"

namespace starling::apps {
namespace {

using nlohmann::json;

json values_to_json(const std::vector<SqlValue>& values) {
  json list = json::array();
  for (const SqlValue& value : values) list.push_back(value_to_json(sql_arg(value)));
  return list;
}

json key_to_json(BytesView typed) {
  json list = json::array();
  for (ByteReader reader(typed); !reader.failed() && !reader.done();) list.push_back(value_to_json(read_value(reader)));
  return list;
}

const char* name_of_kind(int kind) { return kind == 1 ? "unique" : kind == 2 ? "parent" : "nulled"; }

}  // namespace

Expected<json> list_references(const Reader& reader, std::size_t limit) {
  const Expected<std::vector<DanglingReference>> dangling = reader.dangling(limit + 1);
  if (!dangling) return dangling.error();
  const Expected<std::vector<HiddenReference>> hidden = reader.hidden(limit + 1);
  if (!hidden) return hidden.error();
  json references = json::array();
  for (std::size_t i = 0; i < std::min(dangling->size(), limit); ++i) {
    const DanglingReference& one = (*dangling)[i];
    references.push_back({{"model", one.table},
                          {"key", values_to_json(one.key)},
                          {"columns", one.columns},
                          {"parent", one.parent},
                          {"missing", values_to_json(one.missing)}});
  }
  json rows = json::array();
  for (std::size_t i = 0; i < std::min(hidden->size(), limit); ++i) {
    const HiddenReference& one = (*hidden)[i];
    rows.push_back(
        {{"model", one.table}, {"key", key_to_json(one.key)}, {"kind", name_of_kind(one.kind)}, {"why", one.why}});
  }
  return json{{"dangling", std::move(references)},
              {"more", dangling->size() > limit},
              {"hidden", std::move(rows)},
              {"more_hidden", hidden->size() > limit}};
}

}  // namespace starling::apps
