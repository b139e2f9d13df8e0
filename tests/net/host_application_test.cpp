// An application with a database and connections of its own, beside the node on the same file.
#include <SQLiteCpp/SQLiteCpp.h>
#include <dlfcn.h>

#include <algorithm>
#include <atomic>

#include "core/store/sqlite_runtime.h"
#include "tests/net/test_node.h"

using namespace starling;

namespace {

// A library's catalogue: foreign keys with cascades, text and composite keys, an index of words kept by triggers, a view,
// generated columns, and tables that are nobody's business but the application's.
constexpr const char* kSchema = R"sql(
CREATE TABLE author (id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL);
CREATE TABLE publisher (code TEXT NOT NULL, country TEXT NOT NULL, name TEXT, PRIMARY KEY (code, country));
CREATE TABLE book (id TEXT PRIMARY KEY NOT NULL, title TEXT NOT NULL, author TEXT REFERENCES author(id) ON DELETE SET NULL,
                   publisher TEXT, country TEXT, year INTEGER CHECK (year IS NULL OR year > 0),
                   label TEXT GENERATED ALWAYS AS (title || ' (' || coalesce(year, '?') || ')') VIRTUAL,
                   FOREIGN KEY (publisher, country) REFERENCES publisher(code, country));
CREATE TABLE copy (book TEXT NOT NULL REFERENCES book(id) ON DELETE CASCADE, number TEXT NOT NULL, shelf TEXT,
                   PRIMARY KEY (book, number)) WITHOUT ROWID;
CREATE TABLE reader (id BLOB PRIMARY KEY NOT NULL, name TEXT COLLATE NOCASE);
CREATE TABLE loan (book TEXT NOT NULL, number TEXT NOT NULL, reader BLOB NOT NULL REFERENCES reader(id) ON DELETE CASCADE,
                   since INTEGER NOT NULL, PRIMARY KEY (book, number, reader),
                   FOREIGN KEY (book, number) REFERENCES copy(book, number) ON DELETE CASCADE);
CREATE TABLE genre (name TEXT PRIMARY KEY NOT NULL) STRICT;
CREATE TABLE book_genre (book TEXT NOT NULL REFERENCES book(id) ON DELETE CASCADE,
                         genre TEXT NOT NULL REFERENCES genre(name), PRIMARY KEY (book, genre)) WITHOUT ROWID;
CREATE TABLE setting (name TEXT PRIMARY KEY NOT NULL, value);
CREATE TABLE note (id TEXT PRIMARY KEY NOT NULL, body TEXT);
CREATE TABLE window_state (id INTEGER PRIMARY KEY AUTOINCREMENT, geometry BLOB);
CREATE TABLE search_history (asked TEXT, at INTEGER);
CREATE INDEX book_by_title ON book (title COLLATE NOCASE);
CREATE VIEW lent AS SELECT b.title, l.since FROM loan l JOIN book b ON b.id = l.book;
CREATE VIRTUAL TABLE book_words USING fts5(title, content='book', content_rowid='rowid');
CREATE TRIGGER book_ai AFTER INSERT ON book BEGIN INSERT INTO book_words(rowid, title) VALUES (new.rowid, new.title); END;
CREATE TRIGGER book_ad AFTER DELETE ON book BEGIN
  INSERT INTO book_words(book_words, rowid, title) VALUES ('delete', old.rowid, old.title); END;
CREATE TRIGGER book_au AFTER UPDATE ON book BEGIN
  INSERT INTO book_words(book_words, rowid, title) VALUES ('delete', old.rowid, old.title);
  INSERT INTO book_words(rowid, title) VALUES (new.rowid, new.title); END;
)sql";

std::vector<Model> library_models() {
  std::vector<Model> models;
  for (const char* table : {"author", "publisher", "book", "copy", "reader", "loan", "genre", "book_genre", "note"})
    models.push_back(Model::existing(table, Kind::shared));
  models.push_back(Model::existing("setting", Kind::device_owned));
  return models;
}

std::string database(const TempFolder& temp, const char* name) { return (temp / name / "starling.db").string(); }

std::unique_ptr<Node> open_library(const TempFolder& temp, const char* name, Start start, const std::string& listen) {
  std::filesystem::create_directories(temp / name);
  std::filesystem::permissions(temp / name, std::filesystem::perms::owner_all);
  if (!std::filesystem::exists(database(temp, name)))
    SQLite::Database(database(temp, name), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE).exec(kSchema);
  Config config;
  config.folder = temp / name;
  config.start = start;
  config.listen = listen;
  Expected<std::unique_ptr<Node>> node = Node::open(config, library_models());
  REQUIRE_MESSAGE(node.has_value(), (node ? std::string() : node.error().text()));
  return std::move(*node);
}

Expected<CommitInfo> run(Node& node, const std::vector<std::string>& statements) {
  return node.write([&](Transaction& t) -> Expected<void> {
    for (const std::string& sql : statements)
      if (const auto done = t.exec(sql); !done) return done.error();
    return {};
  });
}

}  // namespace

TEST_CASE("an application with twelve tables, foreign keys, words, views and its own connections keeps working on both devices") {
  const TempFolder temp;
  const auto a = open_library(temp, "a", Start::create, "127.0.0.1:0");
  const auto b = open_library(temp, "b", Start::join, "");
  REQUIRE(a->start());
  REQUIRE(a->add_peer({b->device(), {}}));
  REQUIRE(b->add_peer({a->device(), {"127.0.0.1:" + std::to_string(a->port())}}));
  REQUIRE(b->start());
  REQUIRE(b->wait_ready(20s));
  const auto converged = [&] {
    const auto digests = [](const Node& node) {
      std::vector<std::string> all;
      for (const TableDigest& one : node.digests()) all.push_back(one.digest);
      return all;
    };
    return a->status().vector == b->status().vector && digests(*a) == digests(*b);
  };

  REQUIRE(run(*a, {"INSERT INTO author VALUES ('le', 'Ursula K. Le Guin'), ('lem', 'Stanislaw Lem')",
                   "INSERT INTO publisher VALUES ('ace', 'US', 'Ace')",
                   "INSERT INTO book(id, title, author, publisher, country, year) VALUES ('d', 'The Dispossessed', 'le', 'ace', 'US', 1974),"
                   " ('s', 'Solaris', 'lem', NULL, NULL, 1961)",
                   "INSERT INTO copy VALUES ('d', '1', 'A'), ('d', '2', 'B'), ('s', '1', 'A')",
                   "INSERT INTO reader VALUES (x'01', 'Ann')", "INSERT INTO loan VALUES ('d', '1', x'01', 100)",
                   "INSERT INTO genre VALUES ('novel')", "INSERT INTO book_genre VALUES ('d', 'novel'), ('s', 'novel')",
                   "INSERT INTO setting VALUES ('theme', 'dark')"}));
  REQUIRE(eventually(converged));
  SQLite::Database own(database(temp, "b"), SQLite::OPEN_READWRITE);  // the application's, through the same library
  own.setBusyTimeout(5000);
  CHECK(own.execAndGet("SELECT count(*) FROM book_words WHERE book_words MATCH 'dispossessed'").getInt() == 1);
  CHECK(own.execAndGet("SELECT title FROM lent").getString() == "The Dispossessed");
  CHECK(own.execAndGet("SELECT label FROM book WHERE id='s'").getString() == "Solaris (1961)");

  // Its own tables are its own; a model's rows are not for a connection that is not captured.
  CHECK(own.exec("INSERT INTO window_state(geometry) VALUES (x'00')") == 1);
  CHECK(own.exec("INSERT INTO search_history VALUES ('lem', 1)") == 1);
  CHECK_THROWS_AS(own.exec("UPDATE book SET title='x'"), SQLite::Exception);

  REQUIRE(run(*b, {"UPDATE book SET title='Solaris, again' WHERE id='s'", "DELETE FROM book WHERE id='d'"}));  // cascades
  REQUIRE(eventually(converged));
  const auto count = [](const Node& node, const std::string& what) { return node.reader()->query("SELECT count(*) FROM " + what)->integer(0); };
  for (const Node* node : {a.get(), b.get()}) {
    CHECK(count(*node, "copy") == 1);
    CHECK(count(*node, "loan") == 0);
    CHECK(count(*node, "book_genre") == 1);
    CHECK(count(*node, "book_words WHERE book_words MATCH 'again'") == 1);
    CHECK(count(*node, "book_words WHERE book_words MATCH 'dispossessed'") == 0);
    CHECK(count(*node, "pragma_foreign_key_check") == 0);
  }
  CHECK(count(*a, "window_state") == 0);
  REQUIRE(run(*a, {"INSERT INTO book_words(book_words) VALUES ('integrity-check')"}));
  CHECK(run(*a, {"INSERT INTO book(id, title, year) VALUES ('x', 'y', -1)"}).error().code == Errc::constraint);
  CHECK(run(*a, {"INSERT INTO copy VALUES ('nowhere', '1', 'A')"}).error().code == Errc::constraint);
}

TEST_CASE("[F40] what is kept dangles in sight on both devices: it is listed, with the parent that is missing") {
  const TempFolder temp;
  const auto a = open_library(temp, "a", Start::create, "127.0.0.1:0");
  const auto b = open_library(temp, "b", Start::join, "");
  REQUIRE(a->start());
  REQUIRE(a->add_peer({b->device(), {}}));
  REQUIRE(b->add_peer({a->device(), {"127.0.0.1:" + std::to_string(a->port())}}));
  REQUIRE(b->start());
  REQUIRE(b->wait_ready(20s));
  REQUIRE(run(*a, {"INSERT INTO publisher VALUES ('ace', 'US', 'Ace'), ('tor', 'US', 'Tor')"}));
  REQUIRE(eventually([&] { return a->status().vector == b->status().vector; }));
  b->pause();
  REQUIRE(run(*a, {"DELETE FROM publisher WHERE code='ace'"}));
  REQUIRE(run(*b, {"INSERT INTO book(id, title, publisher, country) VALUES ('d', 'The Dispossessed', 'ace', 'US'),"
                   " ('w', 'Wild Seed', 'tor', 'US')"}));
  b->resume();
  REQUIRE(eventually([&] { return a->status().vector == b->status().vector; }, 40s));
  for (const Node* node : {a.get(), b.get()}) {
    const Expected<std::vector<DanglingReference>> dangling = node->reader()->dangling(10);
    REQUIRE(dangling);
    REQUIRE(dangling->size() == 1);
    const DanglingReference& one = dangling->front();
    CHECK(one.table == "book");
    CHECK(one.key == std::vector<SqlValue>{"d"});
    CHECK(one.columns == "publisher, country");
    CHECK(one.parent == "publisher");
    CHECK(one.missing == std::vector<SqlValue>{"ace", "US"});
    CHECK(node->reader()->hidden(10)->empty());
  }
  REQUIRE(run(*b, {"INSERT INTO publisher VALUES ('ace', 'US', 'Ace, again')"}));
  REQUIRE(eventually([&] { return a->status().vector == b->status().vector; }));
  for (const Node* node : {a.get(), b.get()}) CHECK(node->reader()->dangling(10)->empty());
}

TEST_CASE("another connection's transaction: a write waits, then says who holds the database; the replica waits for its end") {
  NodePair pair;
  std::mutex mutex;
  std::vector<std::string> reported;
  const Subscription events = pair.b->on_event([&](const NodeEvent& e) {
    const std::scoped_lock lock(mutex);
    if (e.kind == NodeEvent::Kind::long_transaction) reported.push_back(e.text);
  });
  const std::string file = (pair.b.folder() / "starling.db").string();
  SQLite::Database other(file, SQLite::OPEN_READWRITE);
  other.exec("BEGIN IMMEDIATE");
  const auto started = std::chrono::steady_clock::now();
  const Expected<CommitInfo> refused = pair.b.put_note("1", "x");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::busy);
  CHECK(refused.error().what == "another connection of this program holds the database");
  CHECK(std::chrono::steady_clock::now() - started < 8s);
  REQUIRE(pair.a.put_note("2", "from the peer"));
  std::this_thread::sleep_for(300ms);
  CHECK(pair.b->status().failed.empty());
  other.exec("COMMIT");
  CHECK(eventually([&] { return pair.converged(); }));
  CHECK(pair.b.put_note("3", "x"));
  CHECK(eventually([&] {
    const std::scoped_lock lock(mutex);
    return std::ranges::any_of(reported, [](const std::string& text) {  // who waited behind the write may have been told of the write first
      return text.starts_with("another connection of this program has held the database for ");
    });
  }));
}

TEST_CASE("another process's transaction is reported with its name") {
  TestNode a(Start::create);
  const std::string file = (a.folder() / "starling.db").string();
  const std::string command = "sqlite3 '" + file + "' 'BEGIN IMMEDIATE' '.shell sleep 7' 'COMMIT' &";
  REQUIRE(std::system(command.c_str()) == 0);
  std::this_thread::sleep_for(500ms);
  const Expected<CommitInfo> refused = a.put_note("1", "x");
  REQUIRE_FALSE(refused);
  CHECK_MESSAGE(refused.error().what.find("(sqlite3) holds the database") != std::string::npos, refused.error().what);
  CHECK(eventually([&] { return a.put_note("1", "x").has_value(); }));
}

TEST_CASE("a write that takes long is reported, with its thread, to whoever waits") {
  TestNode a(Start::create);
  std::atomic<bool> reported = false;
  const Subscription events = a->on_event([&](const NodeEvent& e) {
    if (e.kind == NodeEvent::Kind::long_transaction && e.text.find("in a write") != std::string::npos) reported = true;
  });
  std::thread slow([&] {
    (void)a->write([&](Transaction&) -> Expected<void> {
      for (int i = 0; i < 100 && !reported; ++i) std::this_thread::sleep_for(100ms);
      return {};
    });
  });
  std::this_thread::sleep_for(100ms);
  CHECK(a.put_note("1", "x"));
  slow.join();
  CHECK(reported);
}

TEST_CASE("a second SQLite that has the database open is refused, with where it is; the node's own is welcome") {
  const TempFolder temp;
  { const auto node = open_library(temp, "a", Start::create, ""); }
  const std::string file = database(temp, "a");
  {
    SQLite::Database own(file, SQLite::OPEN_READWRITE);
    CHECK(check_one_sqlite(file));  // one library, two connections
  }
  void* library = ::dlopen(STARLING_OTHER_SQLITE, RTLD_NOW | RTLD_LOCAL);
  REQUIRE(library != nullptr);
  const auto open = reinterpret_cast<void* (*)(const char*)>(::dlsym(library, "other_open"));
  const auto close = reinterpret_cast<void (*)(void*)>(::dlsym(library, "other_close"));
  REQUIRE((open != nullptr && close != nullptr));
  void* db = open(file.c_str());
  Config config;
  config.folder = temp / "a";
  const auto refused = Node::open(config, library_models());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::busy);
  CHECK_MESSAGE(refused.error().what.find("other_sqlite") != std::string::npos, refused.error().what);
  CHECK(refused.error().what.find("2022-12-28") != std::string::npos);  // its sqlite3_sourceid()
  close(db);
  CHECK(Node::open(config, library_models()));
  ::dlclose(library);
}
