#include "core/store/wal_rewrite.h"

#include <SQLiteCpp/Exception.h>
#include <sqlite3.h>

#include <algorithm>

#include "core/base/bytes.h"

namespace starling {

namespace {

constexpr sqlite3_int64 kPiece = 64 << 10;  // SQLite's VFS for Unix takes less than 128 KiB at a time

// https://www.sqlite.org/fileformat2.html#walformat
constexpr sqlite3_int64 kHeader = 32;
constexpr sqlite3_int64 kFrameHeader = 24;
constexpr std::size_t kSaltsInHeader = 16;
constexpr std::size_t kSaltsInFrame = 8;
constexpr std::size_t kSalts = 8;

void check(int code) {
  if (code != SQLITE_OK) throw SQLite::Exception(sqlite3_errstr(code), code);
}

Bytes read(sqlite3_file& wal, sqlite3_int64 at, sqlite3_int64 count) {
  Bytes bytes(static_cast<std::size_t>(count), '\0');
  check(wal.pMethods->xRead(&wal, bytes.data(), static_cast<int>(count), at));
  return bytes;
}

// Where the frames of this round end: the first that does not carry the header's salts is left from an earlier one.
sqlite3_int64 end_of_round(sqlite3_file& wal) {
  sqlite3_int64 size = 0;
  check(wal.pMethods->xFileSize(&wal, &size));
  if (size < kHeader) return 0;
  const Bytes header = read(wal, 0, kHeader);
  const sqlite3_int64 page_size = ByteReader(BytesView(header).substr(8)).be32();
  if (page_size < 512 || page_size > 65536) return 0;  // SQLite takes nothing from it either
  sqlite3_int64 at = kHeader;
  for (const sqlite3_int64 frame = kFrameHeader + page_size; at + frame <= size; at += frame) {
    if (header.compare(kSaltsInHeader, kSalts, read(wal, at, kFrameHeader), kSaltsInFrame, kSalts) != 0) break;
  }
  return at;
}

}  // namespace

void rewrite_wal(sqlite3* db) {
  sqlite3_file* wal = nullptr;
  check(sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal));
  if (wal == nullptr || wal->pMethods == nullptr) return;
  const sqlite3_int64 end = end_of_round(*wal);
  for (sqlite3_int64 at = 0; at < end; at += kPiece) {
    const Bytes piece = read(*wal, at, std::min(kPiece, end - at));
    check(wal->pMethods->xWrite(wal, piece.data(), static_cast<int>(piece.size()), at));
  }
  if (end > 0) check(wal->pMethods->xSync(wal, SQLITE_SYNC_FULL));
}

}  // namespace starling
