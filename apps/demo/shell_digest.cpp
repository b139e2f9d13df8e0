#include "apps/demo/shell_digest.h"

#include <sstream>

#include "apps/common/child_process.h"
#include "apps/demo/options.h"

namespace starling::demo {
namespace {

constexpr auto kWithin = std::chrono::seconds(30);

struct TableOrder {
  const char* table;
  const char* key;
};
constexpr TableOrder kTables[] = {{"album", "id"},
                                  {"album_entry", "album, entry"},
                                  {"device", "id"},
                                  {"entry", "id"},
                                  {"entry_tag", "entry, tag"},
                                  {"location", "id"},
                                  {"tag", "name"},
                                  {"user_metadata", "entry"},
                                  {"volume", "id"}};

}  // namespace

std::map<std::string, ShellDigest> shell_digests(const std::filesystem::path& database) {
  std::string sql;
  for (const TableOrder& one : kTables) {
    const std::string table = one.table;
    sql += "SELECT '" + table + "', (SELECT count(*) FROM " + table + "), lower(hex(sha3_query('SELECT * FROM " + table +
           " ORDER BY " + one.key + "', 256)));";
  }
  const apps::Finished done = must(apps::run_program(
      {"sqlite3", "-readonly", "-batch", "-noheader", "-separator", " ", "-init", "/dev/null", database.string(), sql},
      kWithin));
  if (done.ended.code != 0) throw Failed("the sqlite3 shell could not read " + database.string());
  std::map<std::string, ShellDigest> digests;
  std::istringstream lines(done.output);
  for (std::string table; lines >> table;) {
    ShellDigest& digest = digests[table];
    lines >> digest.rows >> digest.sha3;
  }
  if (digests.size() != std::size(kTables)) throw Failed("the sqlite3 shell answered: " + done.output);
  return digests;
}

}  // namespace starling::demo
