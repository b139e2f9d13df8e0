#include "apps/common/sql_query.h"

#include <nlohmann/json.hpp>

#include "apps/common/byte_text.h"
#include "apps/common/conflict_list.h"

namespace starling::apps {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

json row_to_json(const std::vector<SqlValue>& row) {
  json cells = json::array();
  for (const SqlValue& cell : row) cells.push_back(value_to_json(sql_arg(cell)));
  return cells;
}

Error explained(Error error) {
  if (error.code == Errc::forbidden) error.remedy = "data changes through starling's commands or your application";
  if (error.code == Errc::busy) error.remedy = "narrow the query";
  if (error.remedy.empty()) error.remedy = "\"SELECT name, sql FROM sqlite_schema\" shows the tables";
  error.where = printable(error.where);
  return error;
}

}  // namespace

Expected<json> run_sql(const Reader& reader, const std::string& query, const ProgressFn& progress,
                       const SqlBounds& bounds) {
  const Clock::time_point start = Clock::now();
  Clock::time_point told = start;
  json rows = json::array();
  std::size_t bytes = 0;
  bool more = false;
  const auto take = [&](std::vector<SqlValue>&& row) {
    json cells = row_to_json(row);
    bytes += cells.dump().size() + 1;
    more = bytes > bounds.answer_bytes && !rows.empty();
    if (!more) rows.push_back(std::move(cells));
    return !more;
  };
  const auto go_on = [&] {
    const Clock::time_point now = Clock::now();
    if (now - start > bounds.time) return false;
    if (!progress || now - told < kProgressEvery) return true;
    told = now;
    return progress({{"rows", rows.size()}});
  };
  const Expected<std::vector<std::string>> names = reader.visit(query, {take, go_on});
  if (!names) return explained(names.error());
  json columns = json::array();
  for (const std::string& name : *names) columns.push_back(bytes_to_json(name));
  return json{{"columns", std::move(columns)}, {"rows", std::move(rows)}, {"more", more}};
}

}  // namespace starling::apps
