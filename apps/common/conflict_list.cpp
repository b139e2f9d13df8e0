#include "apps/common/conflict_list.h"

#include <nlohmann/json.hpp>

#include "apps/common/byte_text.h"
#include "core/store/schema_reader.h"

namespace starling::apps {
namespace {

using nlohmann::json;

std::vector<ValueView> decode(BytesView typed) {
  std::vector<ValueView> values;
  ByteReader reader(typed);
  while (!reader.failed() && !reader.done()) values.push_back(read_value(reader));
  return values;
}

json device_to_json(const Bytes& device) {
  return device.size() == 16 ? json(to_string(DeviceId::from(device))) : json();
}

// What the field holds now; nullopt: the row is not there.
Expected<std::optional<json>> current_value(const Reader& reader, const std::string& table, const std::string& field,
                                            const std::vector<ValueView>& key) {
  const Expected<Rows> columns =
      reader.query("SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk", table);
  if (!columns) return columns.error();
  if (columns->size() != key.size() || key.empty()) return std::optional<json>();
  std::string condition;
  for (std::size_t i = 0; i < columns->size(); ++i) {
    condition += (i == 0 ? "" : " AND ") + quote_identifier(columns->text(i)) + " = ?";
  }
  const std::string what = field.empty() ? "1" : quote_identifier(field);
  const Expected<Rows> row =
      reader.query_values("SELECT " + what + " FROM " + quote_identifier(table) + " WHERE " + condition, key);
  if (!row) return row.error();
  if (row->empty()) return std::optional<json>();
  return std::optional<json>(value_to_json(sql_arg(row->rows[0][0])));
}

}  // namespace

json value_to_json(const ValueView& value) {
  switch (value.type) {
    case Type::null: return nullptr;
    case Type::integer: return value.integer;
    case Type::real: return value.real;
    case Type::text: return bytes_to_json(value.bytes);
    case Type::blob: return {{"hex", to_hex(value.bytes)}};
  }
  return nullptr;
}

Expected<json> list_conflicts(const Reader& reader, std::size_t limit) {
  const Expected<Rows> rows = reader.query(
      "SELECT id, at_ms, model, key, field, why, winner_device, winner_hlc, loser_device, loser_hlc, value"
      " FROM sync_conflict ORDER BY id DESC LIMIT ?",
      static_cast<std::int64_t>(limit) + 1);
  if (!rows) return rows.error();
  json list = json::array();
  for (std::size_t i = 0; i < std::min(rows->size(), limit); ++i) {
    const std::string table = rows->text(i, 2);
    const Bytes key_bytes = rows->text(i, 3);
    const std::string field = rows->text(i, 4);
    const Bytes lost_bytes = rows->text(i, 10);
    const std::vector<ValueView> key = decode(key_bytes);
    const std::vector<ValueView> lost = decode(lost_bytes);
    Expected<std::optional<json>> now = current_value(reader, table, field, key);
    if (!now) return now.error();
    json keys = json::array();
    for (const ValueView& part : key) keys.push_back(value_to_json(part));
    list.push_back({{"id", rows->integer(i, 0)},
                    {"at_ms", rows->integer(i, 1)},
                    {"model", table},
                    {"key", std::move(keys)},
                    {"field", field.empty() ? json() : json(field)},
                    {"why", rows->text(i, 5)},
                    {"winner", device_to_json(rows->text(i, 6))},
                    {"winner_ms", Hlc{static_cast<std::uint64_t>(rows->integer(i, 7))}.ms()},
                    {"loser", device_to_json(rows->text(i, 8))},
                    {"loser_ms", Hlc{static_cast<std::uint64_t>(rows->integer(i, 9))}.ms()},
                    {"lost_value", lost.empty() ? json() : value_to_json(lost.front())},
                    {"row_exists", now->has_value()},
                    {"value_now", now->has_value() ? std::move(**now) : json()}});
  }
  return json{{"conflicts", std::move(list)}, {"more", rows->size() > limit}};
}

}  // namespace starling::apps
