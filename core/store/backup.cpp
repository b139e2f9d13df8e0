#include "core/store/backup.h"

#include <SQLiteCpp/Backup.h>
#include <SQLiteCpp/Database.h>

#include "core/store/tables.h"

namespace starling {
namespace {

constexpr int kAllPages = -1;

void copy_into(const std::filesystem::path& database, const std::filesystem::path& part) {
  SQLite::Database source(database.string(), SQLite::OPEN_READONLY | SQLite::OPEN_NOMUTEX);
  SQLite::Database target(part.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_NOMUTEX);
  SQLite::Backup(target, source).executeStep(kAllPages);
  // One file, without a -wal beside it; and the mark with it, or no copy at all.
  target.exec("PRAGMA journal_mode=DELETE; PRAGMA synchronous=FULL");
  target.exec(std::string("INSERT OR REPLACE INTO sync_meta(name, value) VALUES('") + kBackupMark + "', 1)");
}

}  // namespace

Expected<void> back_up(const std::filesystem::path& database, const std::filesystem::path& target) {
  if (std::filesystem::exists(target))
    return Error{Errc::invalid_argument, "there is a file of that name", target.string(), "give another name, or move it away"};
  std::filesystem::path part = target;
  part += ".part";
  try {
    std::filesystem::remove(part);
    copy_into(database, part);
    std::filesystem::rename(part, target);
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove(part, ignored);
    throw;
  }
  return {};
}

}  // namespace starling
