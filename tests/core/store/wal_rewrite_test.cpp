#include "core/store/wal_rewrite.h"

#include <SQLiteCpp/Database.h>
#include <doctest/doctest.h>
#include <sqlite3.h>
#include <stdlib.h>

#include <filesystem>

namespace starling {
namespace {

constexpr sqlite3_int64 kFrame = 24 + 4096;

// A database with a WAL, whose calls are listened to; from `broken` on the WAL cannot be read.
class Watched {
 public:
  Watched() {
    std::string name = (std::filesystem::temp_directory_path() / "starling-wal-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    folder_ = name;
    db_ = std::make_unique<SQLite::Database>(name + "/w.db", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    run("PRAGMA page_size=4096; PRAGMA journal_mode=WAL; CREATE TABLE t (filler)");
  }
  ~Watched() {
    db_.reset();
    std::filesystem::remove_all(folder_);
  }

  void run(const char* sql) { db_->exec(sql); }
  void rewrite() {
    run("BEGIN IMMEDIATE");
    sqlite3_file* wal = nullptr;
    REQUIRE(sqlite3_file_control(db_->getHandle(), "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal) == SQLITE_OK);
    real = wal->pMethods;
    sqlite3_io_methods watched = *real;
    watched.xRead = [](sqlite3_file* f, void* to, int count, sqlite3_int64 at) {
      return at + count > broken ? SQLITE_IOERR_READ : real->xRead(f, to, count, at);
    };
    watched.xWrite = [](sqlite3_file* f, const void* from, int count, sqlite3_int64 at) {
      CHECK(at == written);
      written += count;
      synced = false;
      return real->xWrite(f, from, count, at);
    };
    watched.xSync = [](sqlite3_file* f, int flags) {
      synced = true;
      return real->xSync(f, flags);
    };
    written = 0;
    wal->pMethods = &watched;
    CHECK_NOTHROW(rewrite_wal(db_->getHandle()));
    wal->pMethods = real;
    run("ROLLBACK");
  }
  [[nodiscard]] sqlite3_int64 wal_size() const {
    return static_cast<sqlite3_int64>(std::filesystem::file_size(folder_ / "w.db-wal"));
  }
  [[nodiscard]] int count() { return db_->execAndGet("SELECT count(*) FROM t").getInt(); }

  static inline const sqlite3_io_methods* real = nullptr;
  static inline sqlite3_int64 broken = 0, written = 0;
  static inline bool synced = false;

 private:
  std::filesystem::path folder_;
  std::unique_ptr<SQLite::Database> db_;
};

constexpr const char* kMany =
    "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n WHERE i<1000) INSERT INTO t SELECT zeroblob(3000) FROM n";

}  // namespace

TEST_CASE("rewrite_wal: every frame of this round is written once more and synced, in pieces") {
  Watched w;
  w.run(kMany);
  REQUIRE(w.wal_size() > 2 << 20);
  Watched::broken = w.wal_size();
  w.rewrite();
  CHECK(Watched::written == w.wal_size());
  CHECK(Watched::synced);
  CHECK(w.count() == 1000);
}

TEST_CASE("rewrite_wal: what an earlier round left behind is neither read nor written") {
  Watched w;
  w.run(kMany);
  w.run("PRAGMA wal_checkpoint(FULL)");
  const sqlite3_int64 size = w.wal_size();
  w.run("UPDATE t SET filler=1 WHERE rowid=500");  // one page, at the beginning again
  REQUIRE(w.wal_size() == size);
  Watched::broken = 32 + kFrame + 24;  // behind the head of the first stale frame
  w.rewrite();
  CHECK(Watched::written == 32 + kFrame);
  CHECK(Watched::synced);
}

TEST_CASE("rewrite_wal: a WAL that is empty is left alone") {
  Watched w;
  w.run("PRAGMA wal_checkpoint(TRUNCATE)");
  Watched::synced = false;
  w.rewrite();
  CHECK(Watched::written == 0);
  CHECK_FALSE(Watched::synced);
}

}  // namespace starling
