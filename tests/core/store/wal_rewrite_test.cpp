#include "core/store/wal_rewrite.h"

#include <SQLiteCpp/Database.h>
#include <doctest/doctest.h>
#include <sqlite3.h>
#include <stdlib.h>

#include <filesystem>

namespace starling {
namespace {

// A database with a WAL, whose calls are listened to.
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
    watched.xWrite = [](sqlite3_file* f, const void* from, int count, sqlite3_int64 at) {
      CHECK(at == written);
      written += count;
      return real->xWrite(f, from, count, at);
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
  static inline sqlite3_int64 written = 0;

 private:
  std::filesystem::path folder_;
  std::unique_ptr<SQLite::Database> db_;
};

constexpr const char* kMany =
    "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n WHERE i<1000) INSERT INTO t SELECT zeroblob(3000) FROM n";

}  // namespace

TEST_CASE("rewrite_wal: every frame of this round is written once more, in pieces") {
  Watched w;
  w.run(kMany);
  REQUIRE(w.wal_size() > 2 << 20);
  w.rewrite();
  CHECK(Watched::written == w.wal_size());
  CHECK(w.count() == 1000);
}

TEST_CASE("rewrite_wal: a WAL that is empty is left alone") {
  Watched w;
  w.run("PRAGMA wal_checkpoint(TRUNCATE)");
  w.rewrite();
  CHECK(Watched::written == 0);
}

}  // namespace starling
