#include "apps/common/verify_request.h"

#include <nlohmann/json.hpp>

#include "apps/common/byte_text.h"
#include "apps/common/conflict_list.h"
#include "apps/common/data_folder.h"
#include "core/store/verify.h"

namespace starling::apps {
namespace {

using nlohmann::json;

json values_to_json(BytesView typed) {
  json values = json::array();
  for (ByteReader r(typed); !r.rest().empty();) values.push_back(value_to_json(read_value(r)));
  return values;
}

json side_to_json(const std::optional<Bytes>& values) { return values ? values_to_json(*values) : json(); }

json compared(const Comparison& comparison, const std::filesystem::path& against) {
  json list = json::array();
  for (const Comparison::Row& row : comparison.list) {
    list.push_back({{"model", row.model}, {"key", values_to_json(row.key)}, {"here", side_to_json(row.here)},
                    {"there", side_to_json(row.there)}});
  }
  return {{"against", bytes_to_json(against.string())},
          {"rows", comparison.rows},
          {"different", comparison.different},
          {"differences", std::move(list)}};
}

}  // namespace

Expected<json> verify(const Node& node, const std::filesystem::path& folder,
                      const std::optional<std::filesystem::path>& against) {
  const Schema schema = node.schema();
  if (against) {
    std::error_code ignored;
    const std::filesystem::path file = std::filesystem::is_directory(*against, ignored) ? database_path(*against) : *against;
    const Expected<Comparison> comparison = compare_databases(database_path(folder), file, schema);
    if (!comparison) return comparison.error();
    return compared(*comparison, file);
  }
  const VerifyReport report = verify_database(database_path(folder), schema);
  json list = json::array();
  for (const VerifyReport::Row& row : report.list)
    list.push_back({{"model", row.model}, {"key", values_to_json(row.key)}, {"what", row.what}});
  return json{{"rows", report.rows},     {"models", schema.models.size()},
              {"damaged", report.damaged}, {"list", std::move(list)},
              {"digests", report.digests_are_good}, {"file", report.file},
              {"well", report.all_well()}};
}

}  // namespace starling::apps
