#include "apps/common/quarantine_requests.h"

#include <nlohmann/json.hpp>

#include "apps/common/byte_text.h"
#include "apps/common/conflict_list.h"

namespace starling::apps {
namespace {

using nlohmann::json;

// One shape for both tables: changes of shared rows in the order in which they came, then rows of other devices.
constexpr char kAll[] =
    "SELECT * FROM (SELECT cast(h.id AS TEXT) AS name, h.model, h.key, CASE h.op WHEN 0 THEN 'insert' WHEN 1 THEN 'update' ELSE 'delete' END,"
    " o.device, h.hlc >> 16, NULL, h.why, h.fields, h.row, 0 AS part, h.id AS place FROM sync_held h JOIN sync_origin o ON o.ordinal=h.origin"
    " UNION ALL SELECT q.origin || '.' || q.rev, q.model, q.key, iif(q.deleted, 'delete', 'row'), o.device, NULL, q.rev, q.why, NULL, q.row,"
    " 1, q.rev FROM sync_quarantine q JOIN sync_origin o ON o.ordinal=q.origin)";

json values_of(const Bytes& typed) {
  json values = json::array();
  ByteReader reader(typed);
  while (!reader.failed() && !reader.done()) values.push_back(value_to_json(read_value(reader)));
  return values;
}

json head_of(const Rows& rows, std::size_t i) {
  const Bytes device = rows.text(i, 4);
  return {{"id", rows.text(i, 0)},
          {"model", rows.text(i, 1)},
          {"key", values_of(rows.text(i, 2))},
          {"change", rows.text(i, 3)},
          {"device", device.size() == 16 ? json(to_string(DeviceId::from(device))) : json()},
          {"at_ms", rows.integer(i, 5) == 0 ? json() : json(rows.integer(i, 5))},
          {"rev", rows.integer(i, 6) == 0 ? json() : json(rows.integer(i, 6))},
          {"why", printable(rows.text(i, 7))}};
}

// The names of the fields that a change carries; null where this device does not have them.
json fields_of(const Schema& schema, const std::string& model, std::uint64_t mask, bool whole_row, std::size_t count) {
  const ModelSchema* m = schema.find(model);
  json names = json::array();
  if (whole_row && m != nullptr) mask = m->all_fields() & ~m->key_fields();
  for (std::size_t i = 0; names.size() < count; ++i) {
    const bool here = m != nullptr && i < m->fields.size();
    if (i >= limits::kFieldsMax) names.push_back(nullptr);
    else if ((mask >> i & 1) != 0) names.push_back(here ? json(m->fields[i].name) : json());
    else if (whole_row && !here) names.push_back(nullptr);
  }
  return names;
}

}  // namespace

Expected<json> quarantine_list(const Node& node, Arguments& arguments) {
  const std::size_t limit = arguments.limit();
  if (Expected<void> ok = arguments.done(); !ok) return ok.error();
  const Expected<Reader> reader = node.reader();
  if (!reader) return reader.error();
  const Expected<Rows> rows = reader->query(std::string(kAll) + " ORDER BY part, place LIMIT ?", static_cast<std::int64_t>(limit) + 1);
  if (!rows) return rows.error();
  const Expected<Rows> kept = reader->query("SELECT count(*) FROM sync_kept");
  if (!kept) return kept.error();
  json list = json::array();
  for (std::size_t i = 0; i < std::min(rows->size(), limit); ++i) list.push_back(head_of(*rows, i));
  return json{{"quarantine", std::move(list)}, {"more", rows->size() > limit}, {"kept", kept->integer(0)}};
}

Expected<json> quarantine_show(const Node& node, Arguments& arguments) {
  const std::string id = arguments.text("item");
  if (Expected<void> ok = arguments.done(); !ok) return ok.error();
  const Expected<Reader> reader = node.reader();
  if (!reader) return reader.error();
  const Expected<Rows> rows = reader->query(std::string(kAll) + " WHERE name=?", id);
  if (!rows) return rows.error();
  if (rows->empty())
    return Error{Errc::invalid_argument, "nothing of that id is in quarantine", printable(id), "see 'starling quarantine list'"};
  json one = head_of(*rows, 0);
  one["values"] = values_of(rows->text(0, 9));
  const bool whole_row = rows->integer(0, 10) == 1;
  one["fields"] = fields_of(node.schema(), rows->text(0, 1), static_cast<std::uint64_t>(rows->integer(0, 8)), whole_row, one["values"].size());
  return one;
}

Expected<json> quarantine_retry(Node& node, Arguments& arguments) {
  if (Expected<void> ok = arguments.done(); !ok) return ok.error();
  const Expected<QuarantineRetry> done = node.retry_quarantine();
  if (!done) return done.error();
  return json{{"released", done->released}, {"left", done->left}};
}

}  // namespace starling::apps
