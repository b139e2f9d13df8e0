// The simulated disk does to SQLite what real ones do, no less and no more.
#include <SQLiteCpp/Database.h>
#include <doctest/doctest.h>
#include <sqlite3.h>

#include "tests/sim/phrases.h"

namespace starling::sim {
namespace {

constexpr const char* kWalFull = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL";

// A program that counts: each commit is one row more.
class Counter {
 public:
  explicit Counter(std::string pragmas = kWalFull) : pragmas_(std::move(pragmas)) { open(); }
  ~Counter() { disk.die(); }

  void open() {
    db_ = std::make_unique<SQLite::Database>(std::string("t.db"), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, 0, disk.vfs());
    db_->exec(pragmas_);
    db_->exec("CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY, filler)");
  }
  void add() { db_->exec("INSERT INTO t(filler) VALUES (randomblob(1500))"); }
  [[nodiscard]] int ask(const char* sql) { return db_->execAndGet(sql).getInt(); }
  [[nodiscard]] int count() { return ask("SELECT count(*) FROM t"); }
  [[nodiscard]] bool sound() { return db_->execAndGet("PRAGMA integrity_check").getString() == "ok"; }
  // Gives SQLite's extended code; zero: it went well.
  int try_to(const char* sql) {
    try {
      db_->exec(sql);
      return SQLITE_OK;
    } catch (const SQLite::Exception& e) {
      return e.getExtendedErrorCode();
    }
  }
  int try_add() { return try_to("INSERT INTO t(filler) VALUES (randomblob(1500))"); }
  void die() {
    disk.die();
    db_.reset();
  }
  void restart() {
    die();
    disk.revive();
    open();
  }
  void cut_power(Prng& prng) {
    die();
    disk.revive_after_power_cut(prng);
    open();
  }

  Disk disk;

 private:
  std::string pragmas_;
  std::unique_ptr<SQLite::Database> db_;
};

// In how many of `runs` power cuts, each after a few commits, a commit was lost. What is left must be sound.
int losses(const char* pragmas, std::uint64_t runs) {
  int lost = 0;
  for (std::uint64_t seed = 1; seed <= runs; ++seed) {
    CAPTURE(seed);
    Prng prng(seed);
    Counter counter(pragmas);
    int committed = 0;
    for (int cut = 0; cut < 3; ++cut) {
      for (std::uint64_t more = 1 + prng.below(6); more > 0; --more, ++committed) counter.add();
      counter.cut_power(prng);
      if (counter.count() < committed) ++lost;
      committed = counter.count();
      CHECK(counter.sound());
    }
  }
  return lost;
}

}  // namespace

TEST_CASE("A power cut: a commit that was synced is there, one that was not may be lost") {
  CHECK(losses(kWalFull, 500) == 0);
  CHECK(losses("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL", 50) > 0);
}

TEST_CASE("A power cut: a journal whose deletion was not synced with its directory comes back, and undoes its commit") {
  CHECK(losses("PRAGMA journal_mode=DELETE; PRAGMA synchronous=FULL", 50) > 0);
  CHECK(losses("PRAGMA journal_mode=DELETE; PRAGMA synchronous=EXTRA", 200) == 0);
}

TEST_CASE("A power cut: whatever operation it falls on, nothing that was synced is lost") {
  std::uint64_t k = 1;
  for (bool died = true; died; ++k) {
    CAPTURE(k);
    Prng prng(k);
    Counter counter("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4");
    counter.disk.die_at(k);
    int committed = 0;
    while (committed < 12 && counter.try_add() == SQLITE_OK) ++committed;
    died = counter.disk.dead();
    counter.cut_power(prng);
    CHECK(counter.count() >= committed);
    CHECK(counter.sound());
  }
  CHECK(k > 60);
}

TEST_CASE("A power cut: the same writes and the same chance leave the same bytes") {
  const auto image = [](std::uint64_t seed) {
    make_sqlite_deterministic();
    Prng prng(seed);
    Counter counter("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL");
    for (int i = 0; i < 20; ++i) counter.add();
    counter.die();
    counter.disk.revive_after_power_cut(prng);
    CHECK(counter.disk.count().sectors_lost > 0);
    return counter.disk.image();
  };
  CHECK(image(1) == image(1));
  CHECK(image(1) != image(2));
}

TEST_CASE("A failing disk: SQLite reports what failed, by name, and once it is over all goes on") {
  struct Case {
    DiskFault fault;
    const char* sql;
    int code;
  };
  for (const Case& c : {Case{DiskFault::write_error, "INSERT INTO t(filler) VALUES (1)", SQLITE_IOERR_WRITE},
                        Case{DiskFault::sync_error, "INSERT INTO t(filler) VALUES (1)", SQLITE_IOERR_FSYNC},
                        Case{DiskFault::read_error, "SELECT sum(length(filler)) FROM t", SQLITE_IOERR_READ},
                        Case{DiskFault::truncate_error, "PRAGMA wal_checkpoint(TRUNCATE)", SQLITE_IOERR_TRUNCATE},
                        Case{DiskFault::open_error, "ATTACH 'other.db' AS other", SQLITE_CANTOPEN}}) {
    CAPTURE(c.sql);
    Counter counter("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=2");
    for (int i = 0; i < 50; ++i) counter.add();
    counter.disk.fail(c.fault, 0);
    CHECK(counter.try_to(c.sql) == c.code);
    CHECK(counter.disk.struck(c.fault) == 1);
    CHECK(counter.disk.has_failed());
    CHECK(counter.try_to(c.sql) == SQLITE_OK);
    CHECK(counter.sound());
    counter.restart();
    CHECK(counter.count() >= 50);
  }
}

TEST_CASE("A failing disk: fails the call that was asked for, as often as was asked for") {
  Counter counter;
  counter.disk.fail(DiskFault::sync_error, 2, 3);
  std::string outcome;
  for (int i = 0; i < 7; ++i) outcome += counter.try_add() == SQLITE_OK ? '.' : 'x';
  CHECK(outcome == "..xxx..");
  CHECK(counter.count() == 4);
}

// SQLite alone does not survive this; core/store/wal_rewrite.h says what helps.
TEST_CASE("A sync that fails, then the process that dies: SQLite takes for committed what no sync will write") {
  int lost = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Prng prng(seed);
    Counter counter;
    counter.add();
    counter.disk.fail(DiskFault::sync_error, 0);
    CHECK(counter.try_add() == SQLITE_IOERR_FSYNC);
    counter.restart();
    CHECK(counter.count() == 2);
    counter.add();
    counter.cut_power(prng);
    CHECK(counter.sound());
    lost += counter.count() < 3 ? 1 : 0;
  }
  CHECK(lost > 0);
}

TEST_CASE("A sync that fails: what SQLite commits after it survives a power cut") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    Prng prng(seed);
    Counter counter("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4");
    int committed = 0;
    for (int i = 0; i < 20; ++i) {
      if (prng.chance(30)) counter.disk.fail(DiskFault::sync_error, prng.below(3));
      if (counter.try_add() == SQLITE_OK) ++committed;
    }
    counter.cut_power(prng);
    CHECK(counter.count() >= committed);
    CHECK(counter.sound());
  }
}

// SQLite takes a short read of a page for the end of the file. No kernel gives one inside a file, and a scenario that
// expects nothing to be lost must not either: this shows why.
TEST_CASE("A short read: of a database page SQLite makes zeros and says nothing, of a WAL frame an error") {
  constexpr const char* kSum = "SELECT sum(length(replace(CAST(filler AS TEXT), char(0), ''))) FROM t";
  Counter counter("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=2");
  REQUIRE(counter.try_to("INSERT INTO t(filler) VALUES (replace(hex(zeroblob(20000)), '0', 'x'))") == SQLITE_OK);
  REQUIRE(counter.ask(kSum) == 40'000);
  counter.disk.fail(DiskFault::short_read, 3);
  CHECK(counter.try_to(kSum) == SQLITE_IOERR_SHORT_READ);
  REQUIRE(counter.try_to("PRAGMA wal_checkpoint(TRUNCATE)") == SQLITE_OK);
  REQUIRE(counter.ask(kSum) == 40'000);
  counter.disk.fail(DiskFault::short_read, 3);
  CHECK(counter.ask(kSum) < 40'000);
  CHECK(counter.disk.struck(DiskFault::short_read) == 2);
  CHECK(counter.ask(kSum) == 40'000);  // the file is whole
}

TEST_CASE("A full disk: a write is refused and leaves nothing, and with room all goes on") {
  Counter counter;
  counter.add();
  counter.disk.set_room(60'000);
  int committed = 1;
  while (counter.try_add() == SQLITE_OK) ++committed;
  CHECK(counter.try_add() == SQLITE_FULL);
  CHECK(counter.disk.count().full == 2);
  CHECK(counter.count() == committed);
  std::size_t size = 0;
  for (const auto& [name, data] : counter.disk.image()) size += data.size();
  CHECK(size <= 60'000);
  counter.restart();
  CHECK(counter.count() == committed);
  counter.disk.set_room(std::nullopt);
  CHECK(counter.try_add() == SQLITE_OK);
  CHECK(counter.sound());
}

TEST_CASE("A bit that rots: one, in the file that was named") {
  Counter counter;
  for (int i = 0; i < 5; ++i) counter.add();
  counter.die();
  const Disk::Image before = counter.disk.image();
  Prng prng(1);
  REQUIRE(counter.disk.flip_byte(prng, Disk::Part::wal));
  Disk::Image after = counter.disk.image();
  CHECK(after.at("t.db") == before.at("t.db"));
  std::size_t differ = 0;
  for (std::size_t i = 0; i < before.at("t.db-wal").size(); ++i) differ += before.at("t.db-wal")[i] != after.at("t.db-wal")[i] ? 1 : 0;
  CHECK(differ == 1);
  counter.disk.revive();
  counter.open();  // what the WAL's checksum covers is gone from there on, and SQLite says nothing
  CHECK(counter.count() < 5);
  CHECK_FALSE(Disk().flip_byte(prng, Disk::Part::database));
}

}  // namespace starling::sim
