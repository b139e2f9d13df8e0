#include "core/store/sql_error.h"

#include <SQLiteCpp/Exception.h>
#include <sqlite3.h>

namespace starling {

bool is_user_error(const SQLite::Exception& e) {
  switch (e.getErrorCode() & 0xff) {
    case SQLITE_ERROR:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
    case SQLITE_RANGE:
    case SQLITE_AUTH: return true;
    default: return false;
  }
}

Error sql_error(const SQLite::Exception& e, std::string_view sql, const std::string& refusal) {
  constexpr std::size_t kShown = 120;
  const std::string shown = std::string(sql.substr(0, kShown)) + (sql.size() > kShown ? "…" : "");
  const int code = e.getErrorCode() & 0xff;
  if (code == SQLITE_AUTH || (code == SQLITE_ERROR && !refusal.empty()))  // a function is refused with a plain error
    return {Errc::forbidden, refusal.empty() ? e.what() : refusal, shown, "schema changes go through the models"};
  return {Errc::constraint, e.what(), shown, ""};
}

}  // namespace starling
