#include "core/store/authorizer.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace starling {
namespace {

const char* schema_change(int action) {
  switch (action) {
    case SQLITE_CREATE_INDEX:
    case SQLITE_CREATE_TEMP_INDEX: return "CREATE INDEX";
    case SQLITE_CREATE_TABLE: return "CREATE TABLE";
    case SQLITE_CREATE_TEMP_TABLE: return "CREATE TEMP TABLE";
    case SQLITE_CREATE_TEMP_TRIGGER: return "CREATE TEMP TRIGGER";
    case SQLITE_CREATE_TEMP_VIEW: return "CREATE TEMP VIEW";
    case SQLITE_CREATE_TRIGGER: return "CREATE TRIGGER";
    case SQLITE_CREATE_VIEW: return "CREATE VIEW";
    case SQLITE_CREATE_VTABLE: return "CREATE VIRTUAL TABLE";
    case SQLITE_DROP_INDEX:
    case SQLITE_DROP_TEMP_INDEX: return "DROP INDEX";
    case SQLITE_DROP_TABLE:
    case SQLITE_DROP_TEMP_TABLE:
    case SQLITE_DROP_VTABLE: return "DROP TABLE";
    case SQLITE_DROP_TRIGGER:
    case SQLITE_DROP_TEMP_TRIGGER: return "DROP TRIGGER";
    case SQLITE_DROP_VIEW:
    case SQLITE_DROP_TEMP_VIEW: return "DROP VIEW";
    case SQLITE_ALTER_TABLE: return "ALTER TABLE";
    case SQLITE_REINDEX: return "REINDEX";
    case SQLITE_ANALYZE: return "ANALYZE";
    case SQLITE_ATTACH: return "ATTACH";
    case SQLITE_DETACH: return "DETACH";
    default: return nullptr;
  }
}

bool is_ours(const char* name) { return name != nullptr && sqlite3_strnicmp(name, "sync_", 5) == 0; }

template <std::size_t n>
bool contains(const std::array<const char*, n>& names, const char* name) {
  return std::any_of(names.begin(), names.end(),
                     [name](const char* known) { return sqlite3_stricmp(known, name) == 0; });
}

constexpr std::array kReadWithArgument = {"table_info",      "table_xinfo", "table_list",       "index_list",
                                          "index_info",      "index_xinfo", "foreign_key_list", "foreign_key_check",
                                          "integrity_check", "quick_check"};
constexpr std::array kReadWithout = {"user_version",   "schema_version", "data_version",   "application_id",
                                     "encoding",       "foreign_keys",   "page_count",     "page_size",
                                     "freelist_count", "database_list",  "collation_list", "function_list",
                                     "module_list",    "pragma_list",    "compile_options"};

}  // namespace

Authorizer::Authorizer(sqlite3* db) : db_(db) { sqlite3_set_authorizer(db, on_prepare, this); }

Authorizer::~Authorizer() { sqlite3_set_authorizer(db_, nullptr, nullptr); }

void Authorizer::begin_strict(bool migration) {
  phase_ = Phase::strict;
  migration_ = migration;
  refusal_.clear();
  undo_possible_ = undo_possible_ && undo_statement_exists();
}

void Authorizer::begin_reading() {
  phase_ = Phase::reading;
  refusal_.clear();
}

std::string Authorizer::take_refusal() { return std::exchange(refusal_, {}); }

// Was a ROLLBACK TO of an earlier transaction kept? Any statement with the word in it counts.
bool Authorizer::undo_statement_exists() const {
  for (sqlite3_stmt* s = sqlite3_next_stmt(db_, nullptr); s != nullptr; s = sqlite3_next_stmt(db_, s)) {
    const char* sql = sqlite3_sql(s);
    if (sql != nullptr && sqlite3_strlike("%rollback%", sql, 0) == 0) return true;
  }
  return false;
}

int Authorizer::on_prepare(void* self, int action, const char* first, const char* second, const char* /*database*/,
                           const char* /*trigger*/) noexcept {
  auto* authorizer = static_cast<Authorizer*>(self);
  if (authorizer->phase_ == Phase::idle) return SQLITE_OK;
  try {
    return authorizer->judge(action, first, second);
  } catch (...) {  // no memory for the text: refused without one
    return SQLITE_DENY;
  }
}

int Authorizer::refuse(std::string what) {
  refusal_ = std::move(what);
  return SQLITE_DENY;
}

std::string Authorizer::where() const { return phase_ == Phase::strict ? " inside a transaction" : ""; }

int Authorizer::judge(int action, const char* first, const char* second) {
  switch (action) {
    case SQLITE_INSERT:
    case SQLITE_UPDATE:
    case SQLITE_DELETE: return judge_write(first);
    case SQLITE_TRANSACTION: return refuse(first + where());
    case SQLITE_SAVEPOINT: return judge_savepoint(first, second);
    case SQLITE_PRAGMA: return judge_pragma(first, second);
    case SQLITE_FUNCTION:
      return sqlite3_stricmp(second, "load_extension") == 0 ? refuse("load_extension()") : SQLITE_OK;
    default: break;
  }
  const char* change = schema_change(action);
  const bool outside = action == SQLITE_ATTACH || action == SQLITE_DETACH;
  if (migration_ && phase_ == Phase::strict && change != nullptr && !outside)
    return is_ours(first) || is_ours(second) ? refuse(std::string(change) + " of what is Starling's") : SQLITE_OK;
  return change == nullptr ? SQLITE_OK : refuse(change + where());
}

// SQLite asks for a write to its schema table before it says which change that is, and also when it declares one of its
// own virtual tables (pragma_table_info); a direct one it refuses itself.
int Authorizer::judge_write(const char* table) {
  const bool schema = sqlite3_stricmp(table, "sqlite_master") == 0 || sqlite3_stricmp(table, "sqlite_temp_master") == 0;
  const bool refused = is_ours(table) || (phase_ == Phase::reading && !schema);
  return refused ? refuse("a write to " + std::string(table)) : SQLITE_OK;
}

int Authorizer::judge_pragma(const char* name, const char* argument) {
  if (contains(kReadWithArgument, name) || (argument == nullptr && contains(kReadWithout, name))) return SQLITE_OK;
  return refuse("PRAGMA " + std::string(name) + where());
}

int Authorizer::judge_savepoint(const char* operation, const char* name) {
  if (phase_ == Phase::reading) return refuse("a savepoint");
  if (is_ours(name)) return refuse("a savepoint named " + std::string(name));
  if (std::string_view(operation) == "ROLLBACK") undo_possible_ = true;
  return SQLITE_OK;
}

}  // namespace starling
