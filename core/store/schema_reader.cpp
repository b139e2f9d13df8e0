#include "core/store/schema_reader.h"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Statement.h>
#include <sqlite3.h>

#include <algorithm>
#include <set>

#include "core/base/assert.h"
#include "core/store/constraint_reader.h"
#include "core/store/default_value.h"
#include "core/store/sql_error.h"
#include "core/store/table_info.h"
#include "core/store/triggers_off.h"

namespace starling {
namespace {

constexpr char kUuidKey[] = "use a TEXT or BLOB key, for instance a UUID version 7";

Error refuse(std::string where, std::string what, std::string remedy) {
  return {Errc::schema, std::move(what), std::move(where), std::move(remedy)};
}

bool starts_with(std::string_view name, std::string_view prefix) {
  return equal_ignoring_case(name.substr(0, prefix.size()), prefix);
}

// ---- The rules, one function for each kind of fault ----

Expected<void> check_name(const std::string& name, const std::string& where) {
  if (name.size() > limits::kNameMax)
    return refuse(where, "the name is longer than " + std::to_string(limits::kNameMax) + " bytes", "shorten it");
  return {};
}

Expected<void> check_table(const TableInfo& t) {
  if (t.temporary) return refuse(t.name, "a temporary table cannot be synchronised", "make it a table of the database");
  if (t.type != "table")
    return refuse(t.name, "this is a " + t.type + (t.type == "view" ? "" : " table"), "name an ordinary table");
  return check_name(t.name, t.name);
}

Expected<void> check_free_name(const TableInfo& t) {
  if (starts_with(t.name, "sync_") || starts_with(t.name, "sqlite_"))
    return refuse(t.name, "names starting with sync_ and sqlite_ are taken", "rename the table");
  return {};
}

Expected<void> check_key_column(const TableInfo& t, const ColumnInfo& c, bool unique_integers) {
  const std::string where = t.name + "." + c.name;
  if (!c.not_null && !t.rowid_key)
    return refuse(where, "a key column may be NULL here, and rows with a NULL key cannot be told apart",
                  "declare it NOT NULL");
  if (!equal_ignoring_case(c.collation, "BINARY") || !t.key_is_binary)
    return refuse(where, "the key is compared by collation " + c.collation + ", so that different bytes are one key",
                  "keep the key BINARY, and put the collation into queries or an index");
  const Affinity affinity = affinity_of(c.type, t.strict);
  if (affinity == Affinity::real) return refuse(where, "a key column of floating-point numbers is not exact", kUuidKey);
  if ((affinity == Affinity::integer || affinity == Affinity::numeric) && !unique_integers)
    return refuse(where, "two devices number their rows alike, so rows with one number would be taken for one row",
                  std::string(kUuidKey) + "; or declare Model::unique_integers if the numbers differ across devices");
  return {};
}

Expected<void> check_key(const TableInfo& t, bool unique_integers) {
  bool has_key = false;
  for (const ColumnInfo& c : t.columns) {
    if (c.key_position == 0) continue;
    has_key = true;
    const Expected<void> good = check_key_column(t, c, unique_integers);
    if (!good) return good;
  }
  if (!has_key) return refuse(t.name, "the table has no primary key", "declare one: id BLOB NOT NULL PRIMARY KEY");
  if (t.autoincrement) return refuse(t.name, "AUTOINCREMENT counts on each device by itself", kUuidKey);
  return {};
}

Expected<void> check_columns(const TableInfo& t) {
  std::size_t fields = 0;
  for (const ColumnInfo& c : t.columns) {
    if (c.generated == Generated::no) ++fields;
    const Expected<void> good = check_name(c.name, t.name + "." + c.name.substr(0, limits::kNameMax));
    if (!good) return good;
  }
  if (fields > limits::kFieldsMax)
    return refuse(t.name,
                  std::to_string(fields) + " columns; a model has at most " + std::to_string(limits::kFieldsMax),
                  "split the table");
  return {};
}

// SQLite 3.40's pre-update hook counts the columns of a rowid table as they are stored, without the VIRTUAL ones, yet
// looks up by the same number, now in the declaration, which column is the rowid and which to present as REAL. Of a
// table WITHOUT ROWID it counts by the declaration, but after an UPDATE by storage. Where the two numbers differ and it
// matters, we cannot capture what was written.
bool misread_by_hook(const TableInfo& t, const FieldSchema& f) {
  if (f.storage == f.column) return false;
  if (t.without_rowid || (t.rowid_key && f.key_position != 0)) return true;
  const ColumnInfo& taken_for = t.columns[static_cast<std::size_t>(f.storage)];
  return (t.rowid_key && taken_for.key_position != 0) ||
         (affinity_of(taken_for.type, t.strict) == Affinity::real && f.affinity != Affinity::real);
}

// ---- From a table to a model ----

Expected<ModelSchema> read_model(const TableInfo& t, const Model& model) {
  for (const Expected<void>& good : {check_table(t), check_columns(t), check_key(t, model.unique_integers)})
    if (!good) return good.error();

  ModelSchema m;
  m.name = t.name;
  m.kind = model.kind;
  m.without_rowid = t.without_rowid;
  m.strict = t.strict;
  m.integer_key = t.rowid_key;
  m.seeds = model.seeds;
  if (!m.seeds.empty() && m.kind != Kind::shared)
    return refuse(t.name, "only shared models have seeds: a device-owned row is one device's", "declare the model shared, or insert the rows");
  if (m.seeds.size() > limits::kSeedsMax)
    return refuse(t.name, "more than " + std::to_string(limits::kSeedsMax) + " seeds", "insert the rows on one device");
  int column = 0;
  int storage = 0;
  for (const ColumnInfo& c : t.columns) {
    if (c.generated == Generated::no)
      m.fields.push_back(
          {c.name, affinity_of(c.type, t.strict), c.not_null, c.default_sql, default_value(c.type, c.default_sql),
           c.key_position, column, storage});
    ++column;
    if (c.generated != Generated::virtually) ++storage;
  }
  for (const FieldSchema& f : m.fields)
    if (misread_by_hook(t, f))
      return refuse(t.name + "." + f.name,
                    "SQLite misreports writes to a column that stands after a VIRTUAL generated one",
                    "declare generated columns STORED, or put them after all others");
  m.key.resize(static_cast<std::size_t>(
      std::count_if(m.fields.begin(), m.fields.end(), [](const FieldSchema& f) { return f.key_position != 0; })));
  for (FieldIndex i = 0; i < m.fields.size(); ++i)
    if (m.fields[i].key_position != 0) m.key.at(static_cast<std::size_t>(m.fields[i].key_position) - 1) = i;
  m.constrains_values = m.strict || std::any_of(m.fields.begin(), m.fields.end(), [](const FieldSchema& f) {
    return f.not_null && f.key_position == 0;
  });
  Expected<std::vector<UniqueFields>> uniques = read_uniques(t, m);
  if (!uniques) return uniques.error();
  m.uniques = std::move(*uniques);
  m.digest = schema_digest(m);
  return m;
}

std::string described(const ColumnInfo& c) {
  static constexpr const char* kGenerated[] = {"", " VIRTUAL", " STORED"};
  return (c.type.empty() ? "no type" : c.type) + (c.not_null ? " NOT NULL" : "") +
         (c.default_sql.empty() ? "" : " DEFAULT " + c.default_sql) + kGenerated[static_cast<int>(c.generated)] +
         (equal_ignoring_case(c.collation, "BINARY") ? "" : " COLLATE " + c.collation) +
         (c.key_position == 0 ? "" : ", key column " + std::to_string(c.key_position));
}

// The table stands already: it must be the one that is declared.
Expected<void> check_same(const TableInfo& there, const TableInfo& declared) {
  const std::size_t columns = std::min(there.columns.size(), declared.columns.size());
  for (std::size_t i = 0; i < columns; ++i) {
    const ColumnInfo& a = there.columns[i];
    const ColumnInfo& b = declared.columns[i];
    if (!equal_ignoring_case(a.name, b.name))
      return refuse(
          there.name + "." + b.name,
          "column " + std::to_string(i + 1) + " is declared as " + b.name + ", the table has " + a.name + " there",
          "declare what the table has, or change it with migrate()");
    if (!equal_ignoring_case(described(a), described(b)))
      return refuse(there.name + "." + a.name, "declared as " + described(b) + ", the table has " + described(a),
                    "declare what the table has, or change it with migrate()");
  }
  if (declared.columns.size() > columns)
    return refuse(there.name + "." + declared.columns[columns].name, "declared, but the table does not have it",
                  "add it with migrate() and ALTER TABLE … ADD COLUMN");
  if (there.columns.size() > columns)
    return refuse(there.name + "." + there.columns[columns].name, "the table has it, but it is not declared",
                  "add it to the declaration");
  if (there.without_rowid != declared.without_rowid || there.strict != declared.strict)
    return refuse(there.name, "table and declaration differ in WITHOUT ROWID or STRICT", "declare what the table has");
  return {};
}

// Finds the table, or creates it as declared.
Expected<TableInfo> open_table(SQLite::Database& db, const Model& model) {
  if (model.ddl.empty()) {
    std::optional<TableInfo> table = read_table(db, model.table);
    if (!table)
      return refuse(model.table, "there is no such table", "create it, or give the model's CREATE TABLE statement");
    return std::move(*table);
  }
  const Expected<TableInfo> declared = parse_create_table(model.ddl);
  if (!declared) return declared.error();
  if (!model.table.empty() && !equal_ignoring_case(model.table, declared->name))
    return refuse(model.table, "the declaration creates " + declared->name, "leave the name away");
  std::optional<TableInfo> table = read_table(db, declared->name);
  if (!table) {
    Expected<void> good = check_table(*declared);
    if (good) good = check_free_name(*declared);  // sync_ is ours: do not even create it
    if (!good) return good.error();
    try {
      db.exec(declared->sql);
    } catch (const SQLite::Exception& e) {  // an index of that name, a function that is not there
      if (!is_user_error(e)) throw;
      return refuse(declared->name, e.what(), "change the declaration");
    }
    table = read_table(db, declared->name);
    ASSERT(table.has_value());
    return std::move(*table);
  }
  if (table->type == "table") {
    const Expected<void> same = check_same(*table, *declared);
    if (!same) return same.error();
  }
  return std::move(*table);
}

// Both ends of a reference: a row that another table refers to cannot be deleted either while keys are enforced.
std::set<std::string> tables_in_foreign_keys(SQLite::Database& db) {
  std::set<std::string> names;
  SQLite::Statement rows(db,
                         "SELECT lower(t.name), lower(f.\"table\") FROM main.sqlite_schema t,"
                         " pragma_foreign_key_list(t.name, 'main') f WHERE t.type = 'table'");
  while (rows.executeStep()) {
    names.insert(rows.getColumn(0).getString());
    names.insert(rows.getColumn(1).getString());
  }
  return names;
}

// The word anywhere in the declaration: to take a comment for a constraint costs a little time and nothing else.
bool mentions_check(const std::string& sql) {
  const auto in_word = [&sql](std::size_t i) {
    return i < sql.size() &&
           (sql[i] == '_' || (sql[i] >= '0' && sql[i] <= '9') || ((sql[i] | 0x20) >= 'a' && (sql[i] | 0x20) <= 'z'));
  };
  constexpr std::string_view kWord = "CHECK";
  for (std::size_t at = 0; at + kWord.size() <= sql.size(); ++at)
    if (starts_with(std::string_view(sql).substr(at), kWord) && (at == 0 || !in_word(at - 1)) &&
        !in_word(at + kWord.size()))
      return true;
  return false;
}

Expected<Schema> read_models(SQLite::Database& db, std::span<const Model> models) {
  if (db.execAndGet("PRAGMA encoding").getString() != "UTF-8")
    return refuse("the database", "its text is not UTF-8",
                  "create it anew, without PRAGMA encoding, and copy the rows");
  if (models.size() > limits::kModelsMax)
    return refuse("the models", std::to_string(models.size()) + " are more than " + std::to_string(limits::kModelsMax),
                  "synchronise fewer tables");
  Schema schema;
  std::vector<ModelReferences> references;
  for (const Model& model : models) {
    Expected<TableInfo> table = open_table(db, model);
    if (!table) return table.error();
    if (const Expected<void> good = check_free_name(*table); !good) return good.error();
    Expected<ModelSchema> m = read_model(*table, model);
    if (!m) return m.error();
    m->has_checks = mentions_check(table->sql);
    Expected<std::vector<DeclaredReference>> policies = read_policies(*table, model);
    if (!policies) return policies.error();
    references.push_back({m->name, std::move(*policies)});
    schema.models.push_back(std::move(*m));
  }
  std::sort(schema.models.begin(), schema.models.end(),
            [](const ModelSchema& a, const ModelSchema& b) { return a.name < b.name; });
  for (std::size_t i = 1; i < schema.models.size(); ++i)
    if (schema.models[i].name == schema.models[i - 1].name)
      return refuse(schema.models[i].name, "two models name this table", "keep one");

  if (const Expected<void> good = resolve_references(schema, references); !good) return good.error();
  const std::set<std::string> bound = tables_in_foreign_keys(db);
  for (ModelSchema& m : schema.models)
    m.has_foreign_keys = std::any_of(bound.begin(), bound.end(),
                                     [&m](const std::string& name) { return equal_ignoring_case(name, m.name); });
  return schema;
}

}  // namespace

Expected<Schema> open_models(SQLite::Database& db, std::span<const Model> models) {
  ASSERT(sqlite3_get_autocommit(db.getHandle()) == 0);
  db.exec("SAVEPOINT sync_models");
  Expected<Schema> schema = read_models(db, models);
  if (!schema) db.exec("ROLLBACK TO sync_models");
  db.exec("RELEASE sync_models");
  return schema;
}

void add_built_in_models(SQLite::Database& db, Schema& schema) {
  const std::optional<TableInfo> table = read_table(db, "sync_member");
  ASSERT(table.has_value());
  Expected<ModelSchema> m = read_model(*table, Model::existing("sync_member", Kind::shared));
  ASSERT(m.has_value());
  m->built_in = true;
  schema.models.push_back(std::move(*m));
}

void fill_in_defaults(SQLite::Database& db, const ModelSchema& m) {
  if (std::all_of(m.fields.begin(), m.fields.end(), [](const FieldSchema& f) { return f.default_sql.empty(); })) return;
  const std::string column = quote_identifier(m.fields[m.key.front()].name);
  const TriggersOff off(db.getHandle());
  db.exec("UPDATE main." + quote_identifier(m.name) + " SET " + column + " = " + column);
}

}  // namespace starling
