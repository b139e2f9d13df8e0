// A second copy of SQLite, hidden in a library, as a program may bring one along without knowing.
#include <sqlite3.h>

__attribute__((visibility("default"))) sqlite3* other_open(const char* path) {
  sqlite3* db = 0;
  sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, 0);
  sqlite3_exec(db, "SELECT count(*) FROM sqlite_schema", 0, 0, 0);
  return db;
}

__attribute__((visibility("default"))) void other_close(sqlite3* db) { sqlite3_close(db); }
