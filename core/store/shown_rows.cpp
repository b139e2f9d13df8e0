#include "core/store/shown_rows.h"

#include <bit>

#include "core/base/assert.h"
#include "core/store/row_store.h"

namespace starling {
namespace {

std::string joined(const std::vector<std::string>& parts, const char* separator) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : separator) + part;
  return text;
}

bool has_triggers(sqlite3* db) {
  int on = 0;
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, -1, &on);
  return on != 0;
}

std::string table_of(const ModelSchema& m) { return "main." + quote_identifier(m.name); }

std::string terms(const ModelSchema& m, const std::vector<FieldIndex>& fields) {
  std::vector<std::string> terms;
  for (const FieldIndex i : fields) terms.push_back(quote_identifier(m.fields[i].name) + "=?");
  return " WHERE " + joined(terms, " AND ");
}

std::string where_key(const ModelSchema& m) { return terms(m, m.key); }

// Key columns first, then the others: the order of our arguments.
std::string insert_sql(const char* insert, const ModelSchema& m, std::size_t count) {
  std::vector<std::string> names;
  for (const FieldIndex i : m.key) names.push_back(quote_identifier(m.fields[i].name));
  for (const FieldSchema& f : m.fields)
    if (f.key_position == 0) names.push_back(quote_identifier(f.name));
  const std::string marks = "(" + joined(std::vector<std::string>(names.size(), "?"), ",") + ")";
  return insert + table_of(m) + "(" + joined(names, ",") + ") VALUES " +
         joined(std::vector<std::string>(count, marks), ",");
}

std::string upsert_sql(const ModelSchema& m, std::size_t count) {
  std::vector<std::string> keys, sets;
  for (const FieldIndex i : m.key) keys.push_back(quote_identifier(m.fields[i].name));
  for (const FieldSchema& f : m.fields)
    if (f.key_position == 0) sets.push_back(quote_identifier(f.name) + "=excluded." + quote_identifier(f.name));
  return insert_sql("INSERT INTO ", m, count) + " ON CONFLICT(" + joined(keys, ",") + ") DO " +
         (sets.empty() ? "NOTHING" : "UPDATE SET " + joined(sets, ","));
}

std::string select_sql(const ModelSchema& m) {
  std::vector<std::string> names;
  for (const FieldSchema& f : m.fields)
    if (f.key_position == 0) names.push_back(quote_identifier(f.name));
  if (names.empty()) names.emplace_back("NULL");
  return "SELECT " + joined(names, ",") + " FROM " + table_of(m) + where_key(m);
}

std::string holders_sql(const ModelSchema& m, const std::vector<FieldIndex>& fields) {
  std::vector<std::string> keys;
  for (const FieldIndex i : m.key) keys.push_back(quote_identifier(m.fields[i].name));
  return "SELECT " + joined(keys, ",") + " FROM " + table_of(m) + terms(m, fields);
}

}  // namespace

ShownRows::ShownRows(sqlite3* db, const RowRules& rules) : db_(db), schema_(rules.schema()) {
  // Triggers of the application: a conflict clause of ours would override those inside them, so that an INSERT OR IGNORE
  // of theirs fails; and they may have made a row before its insert comes from the peer. Without them OR FAIL spares the
  // journal by which SQLite undoes one statement: a failure here always rolls the transaction back.
  const bool triggers = has_triggers(db);
  const auto insert = [&](const ModelSchema& m, std::size_t count) {
    return triggers ? upsert_sql(m, count) : insert_sql("INSERT OR FAIL INTO ", m, count);
  };
  for (ModelIndex m = 0; m < schema_.models.size(); ++m) {
    const ModelSchema& model = schema_.models[m];
    Sql sql;
    sql.insert = Statement(db, insert(model, 1));
    sql.insert_many = Statement(db, insert(model, kMany));
    sql.upsert = Statement(db, upsert_sql(model, 1));
    sql.erase = Statement(db, "DELETE FROM " + table_of(model) + where_key(model));
    sql.select = Statement(db, select_sql(model));
    for (std::size_t i = 0; i < rules.rules(m); ++i)
      sql.holders.emplace_back(db, holders_sql(model, rules.fields({m, i})));
    models_.push_back(std::move(sql));
  }
}

ShownRows::Sql& ShownRows::sql(ModelIndex m) {
  ASSERT(m < models_.size());
  return models_[m];
}

void ShownRows::insert(ModelIndex m, BytesView key, BytesView values) {
  sql(m).insert.values(key).values(values).run();
}

void ShownRows::insert_all(ModelIndex m, std::span<const NewRow> rows) {
  while (!rows.empty()) {
    const std::size_t count = rows.size() >= kMany ? kMany : 1;
    Statement& insert = count == kMany ? sql(m).insert_many : sql(m).insert;
    for (const NewRow& row : rows.first(count)) insert.values(row.key).values(row.values);
    insert.run();
    rows = rows.subspan(count);
  }
}

void ShownRows::upsert(ModelIndex m, BytesView key, BytesView values) {
  sql(m).upsert.values(key).values(values).run();
}

Statement& ShownRows::update_statement(ModelIndex m, FieldMask mask) {
  auto& cache = sql(m).updates;
  const auto known = cache.find(mask);
  if (known != cache.end()) return known->second;
  if (cache.size() >= 64) cache.clear();  // field sets are few in practice; a hostile peer must not grow this
  std::vector<std::string> sets;
  for (FieldMask left = mask; left != 0; left &= left - 1)
    sets.push_back(quote_identifier(schema_.models[m].fields[static_cast<FieldIndex>(std::countr_zero(left))].name) +
                   "=?");
  const ModelSchema& model = schema_.models[m];
  return cache[mask] = Statement(db_, "UPDATE " + table_of(model) + " SET " + joined(sets, ",") + where_key(model));
}

void ShownRows::update(ModelIndex m, BytesView key, FieldMask mask, BytesView values) {
  if (mask != 0) update_statement(m, mask).values(values).values(key).run();
}

void ShownRows::erase(ModelIndex m, BytesView key) { sql(m).erase.values(key).run(); }

std::optional<BytesView> ShownRows::read(ModelIndex m, BytesView key) {
  Statement& select = sql(m).select;
  const ResetGuard guard(select);
  if (!select.values(key).step()) return std::nullopt;
  row_.clear();
  int column = 0;
  for (const FieldSchema& f : schema_.models[m].fields)
    if (f.key_position == 0) write_value(row_, select.column_value(column++));
  return row_.bytes();
}

std::vector<Bytes> ShownRows::holders(const RuleName& rule, BytesView value) {
  Statement& select = sql(rule.model).holders[rule.rule];
  const ResetGuard guard(select);
  select.values(value);
  std::vector<Bytes> keys;
  while (select.step()) {
    ByteWriter key;
    for (int i = 0; i < select.columns(); ++i) write_value(key, select.column_value(i));
    keys.push_back(key.take());
  }
  return keys;
}

}  // namespace starling
