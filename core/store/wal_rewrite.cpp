#include "core/store/wal_rewrite.h"

#include <SQLiteCpp/Exception.h>
#include <sqlite3.h>

#include <algorithm>
#include <vector>

namespace starling {

void rewrite_wal(sqlite3* db) {
  constexpr sqlite3_int64 kPiece = 64 << 10;  // SQLite's VFS for Unix takes less than 128 KiB at a time
  const auto check = [](int code) {
    if (code != SQLITE_OK) throw SQLite::Exception(sqlite3_errstr(code), code);
  };
  sqlite3_file* wal = nullptr;
  check(sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal));
  if (wal == nullptr || wal->pMethods == nullptr) return;
  sqlite3_int64 size = 0;
  check(wal->pMethods->xFileSize(wal, &size));
  std::vector<char> piece(static_cast<std::size_t>(std::min(size, kPiece)));
  for (sqlite3_int64 at = 0; at < size; at += kPiece) {
    const int count = static_cast<int>(std::min(kPiece, size - at));
    check(wal->pMethods->xRead(wal, piece.data(), count, at));
    check(wal->pMethods->xWrite(wal, piece.data(), count, at));
  }
}

}  // namespace starling
