#include "tests/sim/row_reader.h"

namespace starling::sim {
namespace {

std::string field_list(const ModelSchema& m) {
  std::string list;
  for (const FieldSchema& f : m.fields)
    if (f.key_position == 0) list += (list.empty() ? "" : ",") + quote_identifier(f.name);
  return list.empty() ? "NULL" : list;
}

std::string select_row(const ModelSchema& m) {
  std::string where;
  for (const FieldIndex i : m.key) where += (where.empty() ? " WHERE " : " AND ") + quote_identifier(m.fields[i].name) + "=?";
  return "SELECT " + field_list(m) + " FROM " + quote_identifier(m.name) + where;
}

}  // namespace

RowReader::RowReader(sqlite3* db, std::shared_ptr<const Schema> schema)
    : db_(db),
      schema_(std::move(schema)),
      log_(db, "SELECT seq, entry FROM sync_log WHERE origin=? AND seq>? ORDER BY seq, offset"),
      owned_(db, "SELECT m.name, r.key, r.rev, r.dead_seq FROM sync_row r JOIN sync_model m ON m.number=r.model"
                 " WHERE r.origin=? AND r.rev>? AND r.rev IS NOT NULL ORDER BY r.rev"),
      kept_(db, "SELECT field, value FROM sync_kept WHERE model=(SELECT number FROM sync_model WHERE name=?) AND key=?") {
  for (const ModelSchema& m : schema_->models) by_key_.emplace_back(db, select_row(m));
}

reference::VisibleRow RowReader::fields(const ModelSchema& m, const Statement& statement, int column) {
  reference::VisibleRow row;
  for (FieldIndex i = 0; i < m.fields.size(); ++i) {
    if (m.fields[i].key_position != 0) continue;
    ByteWriter value;
    write_value(value, statement.column_value(column++));
    row[i] = value.take();
  }
  return row;
}

std::optional<reference::VisibleRow> RowReader::row(const ModelSchema& m, BytesView key) {
  Statement& select = by_key_.at(schema_->index_of(m));
  const ResetGuard guard(select);
  select.values(key);
  if (!select.step()) return std::nullopt;
  return fields(m, select, 0);
}

Table RowReader::table(const ModelSchema& m) {
  std::string keys;
  for (const FieldIndex i : m.key) keys += quote_identifier(m.fields[i].name) + ",";
  Statement select(db_, "SELECT " + keys + field_list(m) + " FROM " + quote_identifier(m.name));
  Table table;
  while (select.step()) {
    ByteWriter key;
    for (int i = 0; i < static_cast<int>(m.key.size()); ++i) write_value(key, select.column_value(i));
    table[key.take()] = fields(m, select, static_cast<int>(m.key.size()));
  }
  return table;
}

reference::VisibleRow RowReader::kept(const ModelSchema& m, BytesView key) {
  const ResetGuard guard(kept_);
  kept_.text(m.name).blob(key);
  reference::VisibleRow row;
  while (kept_.step()) row[static_cast<FieldIndex>(kept_.column_integer(0))] = Bytes(kept_.column_bytes(1));
  return row;
}

std::set<reference::RowName> RowReader::waiting() {
  Statement select(db_, "SELECT model, key FROM sync_held UNION SELECT model, key FROM sync_quarantine");
  std::set<reference::RowName> names;
  while (select.step()) names.emplace(std::string(select.column_bytes(0)), Bytes(select.column_bytes(1)));
  Statement kept(db_, "SELECT m.name, k.key, k.field FROM sync_kept k JOIN sync_model m ON m.number=k.model");
  while (kept.step()) {  // of fields that the model has by now
    const ModelSchema* m = schema_->find(kept.column_bytes(0));
    if (m != nullptr && static_cast<std::size_t>(kept.column_integer(2)) < m->fields.size()) names.emplace(m->name, Bytes(kept.column_bytes(1)));
  }
  return names;
}

std::int64_t RowReader::number(std::string_view sql) {
  Statement select(db_, sql);
  return select.step() ? select.column_integer(0) : 0;
}

}  // namespace starling::sim
