#include "core/store/format_migration.h"

#include <optional>

#include "core/store/statement.h"
#include "core/store/tables.h"

namespace starling {
namespace {

constexpr std::int64_t kOldest = 2;

std::optional<std::int64_t> format_of(sqlite3* db) {
  Statement table(db, "SELECT 1 FROM main.sqlite_schema WHERE type='table' AND name='sync_meta'");
  if (!table.step()) return std::nullopt;
  Statement format(db, "SELECT value FROM sync_meta WHERE name='format'");
  return format.step() ? std::optional(format.column_integer(0)) : std::nullopt;
}

bool has_column(sqlite3* db, std::string_view table, std::string_view column) {
  Statement select(db, "SELECT 1 FROM pragma_table_info(?) WHERE name=?");
  return select.text(table).text(column).step();
}

// Tables that are only added, the engine's own DDL makes (tables.h). Some builds of format 2 knew of openings already. None
// knew the stamp of the entry at its horizon: 0, which is what an origin without a horizon has.
void from_2_to_3(sqlite3* db) {
  Statement(db, "ALTER TABLE sync_model ADD COLUMN shape BLOB").run();
  Statement(db, "ALTER TABLE sync_row ADD COLUMN seed INTEGER").run();
  Statement(db, "ALTER TABLE sync_model ADD COLUMN seeds BLOB").run();
  Statement(db, "ALTER TABLE sync_model ADD COLUMN seeds_told INTEGER NOT NULL DEFAULT 0").run();
  Statement(db, "ALTER TABLE sync_origin ADD COLUMN horizon_hlc INTEGER NOT NULL DEFAULT 0").run();
  if (!has_column(db, "sync_origin", "opening"))
    Statement(db, "ALTER TABLE sync_origin ADD COLUMN opening INTEGER NOT NULL DEFAULT 0").run();
}

}  // namespace

Expected<void> migrate_format(sqlite3* db, const std::string& file) {
  const std::optional<std::int64_t> format = format_of(db);
  if (!format || *format == kFormatVersion) return {};
  if (*format < kOldest || *format > kFormatVersion) {
    return Error{Errc::invalid_argument, "this database has format " + std::to_string(*format) + ", this program knows " +
                 std::to_string(kOldest) + " to " + std::to_string(kFormatVersion), file,
                 "open it with the version that wrote it, or a newer one"};
  }
  if (*format == 2) from_2_to_3(db);
  Statement(db, "UPDATE sync_meta SET value=? WHERE name='format'").integer(kFormatVersion).run();
  return {};
}

}  // namespace starling
