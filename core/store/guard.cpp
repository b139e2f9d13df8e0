#include "core/store/guard.h"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Statement.h>
#include <sqlite3.h>

#include <map>

#include "core/store/schema_reader.h"

namespace starling {
namespace {

void starling_guard(sqlite3_context* context, int, sqlite3_value**) { sqlite3_result_null(context); }

void starling_applying(sqlite3_context* context, int, sqlite3_value**) {
  const auto* applying = static_cast<const bool*>(sqlite3_user_data(context));
  sqlite3_result_int(context, *applying ? 1 : 0);
}

void register_function(sqlite3* db, const char* name, int flags, const bool* applying,
                       void (*function)(sqlite3_context*, int, sqlite3_value**)) {
  // Innocuous: triggers may call it even where the schema is not trusted (PRAGMA trusted_schema=OFF).
  const int code = sqlite3_create_function_v2(db, name, 0, SQLITE_UTF8 | SQLITE_INNOCUOUS | flags,
                                              const_cast<bool*>(applying), function, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) throw SQLite::Exception(db, code);
}

// WHEN 0 keeps the body from ever running, yet the body is compiled. Not "WHEN 0 AND starling_guard()": there SQLite
// drops the call unseen, and the guard with it. AFTER costs less than BEFORE.
std::map<std::string, std::string> guards_of(const Schema& schema) {  // name → what follows CREATE TRIGGER
  std::map<std::string, std::string> guards;
  for (const ModelSchema& m : schema.models)
    for (const char* op : {"insert", "update", "delete"}) {
      const std::string name = "sync_guard_" + std::string(op) + "_" + m.name;
      guards[name] = quote_identifier(name) + " AFTER " + op + " ON " + quote_identifier(m.name) +
                     " WHEN 0 BEGIN SELECT starling_guard(); END";
    }
  return guards;
}

}  // namespace

void register_guard_functions(sqlite3* db, const bool* applying) {
  register_function(db, "starling_guard", SQLITE_DETERMINISTIC, nullptr, starling_guard);
  register_function(db, "starling_applying", 0, applying, starling_applying);
}

void install_guards(SQLite::Database& db, const Schema& schema) {
  std::map<std::string, std::string> missing = guards_of(schema);
  std::vector<std::string> others;
  {
    SQLite::Statement there(
        db, "SELECT name, sql FROM main.sqlite_schema WHERE type='trigger' AND name GLOB 'sync_guard_*'");
    while (there.executeStep()) {
      const std::string name = there.getColumn(0).getString();
      const auto wanted = missing.find(name);
      if (wanted != missing.end() && there.getColumn(1).getString() == "CREATE TRIGGER " + wanted->second)
        missing.erase(wanted);
      else
        others.push_back(name);
    }
  }
  for (const std::string& name : others) db.exec("DROP TRIGGER main." + quote_identifier(name));
  for (const auto& [name, rest] : missing) db.exec("CREATE TRIGGER main." + rest);
}

void remove_guards(SQLite::Database& db) { install_guards(db, Schema{}); }

void switch_triggers(SQLite::Database& db) {
  const bool own = db.execAndGet(
                         "SELECT EXISTS (SELECT 1 FROM main.sqlite_schema WHERE type = 'trigger'"
                         " AND name NOT GLOB 'sync_guard_*')")
                       .getInt() != 0;
  const int code = sqlite3_db_config(db.getHandle(), SQLITE_DBCONFIG_ENABLE_TRIGGER, own ? 1 : 0, nullptr);
  if (code != SQLITE_OK) throw SQLite::Exception(db.getHandle(), code);
}

}  // namespace starling
