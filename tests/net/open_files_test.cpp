#include "net/open_files.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <fstream>
#include <sstream>

#include "tests/net/test_node.h"

using namespace starling;

namespace {

namespace fs = std::filesystem;

fs::path database_of(const TestNode& node) { return node.folder() / "starling.db"; }

std::string bytes_of(const fs::path& file) {
  std::ostringstream bytes;
  bytes << std::ifstream(file, std::ios::binary).rdbuf();
  return bytes.str();
}

// A copy as a program makes it that knows nothing of databases: of the one file, in the same opening.
fs::path copy_of(const TestNode& node) {
  SQLite::Database(database_of(node).string(), SQLite::OPEN_READWRITE).exec("PRAGMA wal_checkpoint(TRUNCATE)");
  const fs::path copy = node.folder() / "copy";
  fs::copy_file(database_of(node), copy);
  return copy;
}

// Whoever sees it first, the write or the replica, says so.
bool says(const std::string& text, const fs::path& file, const std::string& what) {
  return text.find(file.string() + ": " + what) != std::string::npos;
}

void check_sound(const TestNode& node) {
  SQLite::Database own(database_of(node).string(), SQLite::OPEN_READONLY);
  CHECK(own.execAndGet("PRAGMA integrity_check").getString() == "ok");
}

}  // namespace

TEST_CASE("[F57] another file is moved over the open database: no write goes on unnoticed, and the other file is opened as a copy") {
  TestNode a(Start::create);
  REQUIRE(a.put_note("1", "in the copy"));
  const fs::path copy = copy_of(a);
  const std::string bytes = bytes_of(copy);
  REQUIRE(a.put_note("2", "after it"));
  const Incarnation before = a->status().self.incarnation;
  fs::rename(copy, database_of(a));
  CHECK_FALSE(a->reader());
  CHECK_FALSE(a->backup(a.folder() / "backup.db"));
  const Expected<CommitInfo> refused = a.put_note("3", "nowhere");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::stopped);
  CHECK(says(refused.error().text(), database_of(a), "another file has taken the place of this one while the database was open"));
  CHECK(refused.error().text().find("open the node again") != std::string::npos);
  CHECK(says(a->status().failed, database_of(a), "another file has taken the place of this one"));
  CHECK(a.put_note("4", "nor later").error().code == Errc::stopped);
  a.close();
  CHECK(bytes_of(database_of(a)) == bytes);
  CHECK(fs::exists(a.folder() / "starling.db-wal-parted"));
  CHECK_FALSE(fs::exists(a.folder() / "starling.db-wal"));
  a.open();
  a.start();
  CHECK(a->status().self.incarnation > before);
  CHECK(a.logged("a backup or a copy"));
  CHECK(a.notes() == 1);
  REQUIRE(a.put_note("5", "goes on"));
  check_sound(a);
}

TEST_CASE("[F57] a file that is moved over the database in the middle of a write: the write is an error") {
  TestNode a(Start::create);
  REQUIRE(a.put_note("1", "in the copy"));
  const fs::path copy = copy_of(a);
  const std::string bytes = bytes_of(copy);
  const Expected<CommitInfo> written = a->write([&](Transaction& t) -> Expected<void> {
    const auto done = t.exec("INSERT INTO note VALUES ('2', 'lost', '')");
    fs::rename(copy, database_of(a));
    return done ? Expected<void>() : Expected<void>(done.error());
  });
  REQUIRE_FALSE(written);
  CHECK(written.error().code == Errc::stopped);
  a.close();
  CHECK(bytes_of(database_of(a)) == bytes);
  a.open();
  CHECK(a.notes() == 1);
  check_sound(a);
}

TEST_CASE("[F57] a peer's changes come when another file has taken the place: they are not acknowledged, and come again") {
  NodePair pair;
  REQUIRE(pair.a.put_note("1", "in the copy"));
  REQUIRE(eventually([&] { return pair.converged() && pair.a->status().peers[0].it_lacks == 0; }));
  const fs::path copy = copy_of(pair.b);
  REQUIRE(pair.b.put_note("2", "told, and not in the copy"));
  REQUIRE(eventually([&] { return pair.converged() && pair.a->status().peers[0].it_lacks == 0; }));
  const Origin a = pair.a->status().self;
  const Position acknowledged = pair.a->status().peers[0].vector.at(a);
  fs::rename(copy, database_of(pair.b));
  REQUIRE(pair.a.put_note("3", "for nobody"));
  REQUIRE(eventually([&] { return !pair.b->status().failed.empty(); }));
  CHECK(says(pair.b->status().failed, database_of(pair.b), "another file has taken the place of this one"));
  CHECK(eventually([&] { return pair.a->status().peers[0].state != PeerState::live; }));
  CHECK(acknowledged.covers(pair.a->status().peers[0].vector.at(a)));
  pair.b.reopen();
  REQUIRE(eventually([&] { return pair.converged(); }));
  CHECK(pair.b.notes() == 3);
  check_sound(pair.b);
}

TEST_CASE("[F57] the WAL of an open database is removed: the node stops, and closing it saves what was in there") {
  TestNode a(Start::create);
  REQUIRE(a.put_note("1", "in the WAL"));
  const Origin before = a->status().self;
  fs::remove(a.folder() / "starling.db-wal");
  const Expected<CommitInfo> refused = a.put_note("2", "nowhere");
  REQUIRE_FALSE(refused);
  CHECK(says(refused.error().text(), a.folder() / "starling.db-wal", "this file was moved away or removed"));
  a.reopen();
  CHECK(a.notes() == 1);
  CHECK(a->status().self == before);
  check_sound(a);
}

TEST_CASE("[F57] the database is moved away and back: it is the one that it was") {
  TestNode a(Start::create);
  REQUIRE(a.put_note("1", "in the WAL"));
  const Origin before = a->status().self;
  fs::rename(database_of(a), a.folder() / "elsewhere");
  CHECK(a.put_note("2", "nowhere").error().code == Errc::stopped);
  a.close();
  fs::rename(a.folder() / "elsewhere", database_of(a));
  a.open();
  CHECK(a.notes() == 1);
  CHECK(a->status().self == before);
  check_sound(a);
}
