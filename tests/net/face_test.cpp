// The library's face, used as an application uses it: migrations, backups, leaving, pausing, progress.
#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include <atomic>
#include <atomic>
#include <condition_variable>

#include "tests/net/test_node.h"

using namespace starling;

namespace {

namespace fs = std::filesystem;

WriteFn sql(const std::string& text) {
  return [text](Transaction& t) -> Expected<void> {
    const Expected<std::int64_t> done = t.exec(text);
    return done ? Expected<void>() : Expected<void>(done.error());
  };
}

std::vector<Model> grown_models() {
  auto models = test_models();
  models[0] = Model::from_sql("CREATE TABLE note (id TEXT PRIMARY KEY NOT NULL, title TEXT, body TEXT, stars INTEGER DEFAULT 3)", Kind::shared);
  models.push_back(Model::from_sql("CREATE TABLE shelf (name TEXT PRIMARY KEY NOT NULL, width REAL)", Kind::shared));
  return models;
}

Expected<void> grow(Node& node) {
  return node.migrate(sql("ALTER TABLE note ADD COLUMN stars INTEGER DEFAULT 3"), grown_models());
}

// Does this, and from its `commits`th commit on every statement fails, as on a disk that has gone.
WriteFn then_fail(const std::string& text, int& commits) {
  return [text, left = &commits](Transaction& t) -> Expected<void> {
    const auto fail = [](void* counted, sqlite3* db, const char*, int) {
      if (--*static_cast<int*>(counted) == 0) sqlite3_progress_handler(db, 1, [](void*) { return 1; }, nullptr);
      return SQLITE_OK;
    };
    sqlite3_wal_hook(t.handle(), fail, left);
    return text.empty() ? Expected<void>() : sql(text)(t);
  };
}

struct Task {
  Blob id;
  std::string title;
  std::optional<std::int64_t> due;
  bool done = false;

  static constexpr const char* kTable = "task";
  static constexpr Kind kKind = Kind::shared;
  template <class F>
  static void fields(F&& f) {
    f.key("id", &Task::id);
    f("title", &Task::title), f("due", &Task::due), f("done", &Task::done);
  }
};

}  // namespace

TEST_CASE("migrate: columns at the end and new tables, while both run; what was written before shows the default everywhere") {
  NodePair pair;
  REQUIRE(pair.a.put_note("old", "written before"));
  REQUIRE(pair.a.put_file("old", 1));
  REQUIRE(eventually([&] { return pair.converged(); }));
  REQUIRE(grow(*pair.a.operator->()));
  CHECK(pair.a->schema().find("shelf") != nullptr);
  REQUIRE(pair.a->write(sql("INSERT INTO shelf VALUES ('top', 1.5)")));
  REQUIRE(pair.a->write(sql("UPDATE note SET stars=5 WHERE id='old'")));
  REQUIRE(pair.a->write(sql("INSERT INTO note(id, title) VALUES ('new', 'n')")));
  CHECK(eventually([&] { return pair.b->status().quarantined == 1; }));  // the shelf; the note's stars are kept beside it
  CHECK(pair.b.count("note") == 2);
  REQUIRE(pair.b.put_note("meanwhile", "by one that had not migrated"));  // an entry without the column
  REQUIRE(grow(*pair.b.operator->()));
  CHECK(eventually([&] { return pair.converged(); }));
  const Expected<Rows> rows = pair.a->reader()->query("SELECT id, stars FROM note ORDER BY id");
  REQUIRE(rows);
  REQUIRE(rows->size() == 3);
  CHECK(rows->integer(0, 1) == 3);  // meanwhile
  CHECK(rows->integer(1, 1) == 3);  // new
  CHECK(rows->integer(2, 1) == 5);  // old
  CHECK(pair.b.count("shelf") == 1);
}

TEST_CASE("migrate: a third device that joins afterwards takes entries and pages of before in") {
  TestNode a(Start::create, "127.0.0.1:0");
  REQUIRE(a.put_note("old", "written before"));
  REQUIRE(a.put_file("old", 1));
  REQUIRE(a->migrate(sql("ALTER TABLE file ADD COLUMN kind TEXT DEFAULT 'plain'"), [] {
    auto models = test_models();
    models[1] = Model::from_sql("CREATE TABLE file (path TEXT PRIMARY KEY NOT NULL, size INTEGER, kind TEXT DEFAULT 'plain')", Kind::device_owned);
    return models;
  }()));
  REQUIRE(grow(*a.operator->()).error().code == Errc::schema);  // its models leave file.kind out
  const Expected<Rows> kind = a->reader()->query("SELECT kind FROM file");
  REQUIRE(kind);
  CHECK(kind->text(0) == "plain");
}

TEST_CASE("migrate: a machine that fails behind the commit stops the node; opened again it has the new models") {
  TestNode a(Start::create, "127.0.0.1:0");
  REQUIRE(a.put_note("old", "written before"));
  CHECK_THROWS_AS((void)a->migrate([](Transaction&) -> Expected<void> { throw std::range_error("theirs"); }, test_models()), std::range_error);
  CHECK(a->status().failed.empty());
  int commits = 1;
  CHECK_THROWS_AS((void)a->migrate(then_fail("ALTER TABLE note ADD COLUMN stars INTEGER DEFAULT 3", commits), grown_models()), SQLite::Exception);
  CHECK_FALSE(a->status().failed.empty());
  CHECK(a->write(sql("INSERT INTO note(id) VALUES ('new')")).error().code == Errc::stopped);
  a.close();
  Expected<std::unique_ptr<Node>> again = Node::open(a.config(), grown_models());
  REQUIRE(again);
  REQUIRE((*again)->write(sql("UPDATE note SET stars=stars+1")));
  CHECK((*again)->reader()->query("SELECT stars FROM note")->integer(0) == 4);
}

TEST_CASE("[F47] migrate: a table with rows becomes a model, and the machine fails behind any of its commits: each row comes once") {
  constexpr const char* kShelf = "CREATE TABLE shelf (name TEXT PRIMARY KEY NOT NULL, width REAL)";
  auto models = test_models();
  models.push_back(Model::existing("shelf", Kind::shared));
  auto models_of_b = test_models();
  models_of_b.push_back(Model::from_sql(kShelf, Kind::shared));
  int commit = 1;
  for (bool failed = true; failed; ++commit) {
    CAPTURE(commit);
    TestNode a(Start::create, "127.0.0.1:0");
    REQUIRE(a->migrate(sql(kShelf), test_models()));  // the application's own, so far
    REQUIRE(a->write(sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<3000) INSERT INTO shelf SELECT 'shelf ' || i, i FROM n")));
    int left = commit;
    try {
      const Expected<void> done = a->migrate(then_fail("", left), models);
      CHECK(done);
      failed = false;
    } catch (const SQLite::Exception&) {
      CHECK_FALSE(a->status().failed.empty());
    }
    a.close();
    Expected<std::unique_ptr<Node>> again = Node::open(a.config(), models);
    REQUIRE(again);
    REQUIRE((*again)->start());
    const TempFolder temp;
    Config config;
    config.folder = temp / "b";
    config.workspace = "test";
    config.start = Start::join;
    config.peers = {{(*again)->device(), {"127.0.0.1:" + std::to_string((*again)->port())}}};
    Expected<std::unique_ptr<Node>> b = Node::open(config, models_of_b);
    REQUIRE(b);
    REQUIRE((*again)->add_peer({(*b)->device(), {}}));
    REQUIRE((*b)->start());
    REQUIRE((*b)->wait_ready(20s));
    REQUIRE(eventually([&] { return (*again)->status().vector == (*b)->status().vector; }));
    const Seq told = (*b)->status().vector.at((*again)->status().self).seq;
    CHECK(told == Seq{3});  // two transactions of shelves, and the newcomer
    for (const Node* node : {again->get(), b->get()}) {
      CHECK(node->reader()->query("SELECT count(*) FROM shelf")->integer(0) == 3000);
      CHECK(node->status().conflicts == 0);
      CHECK(node->status().quarantined == 0);
    }
    CHECK((*again)->digests().back().digest == (*b)->digests().back().digest);
  }
  CHECK(commit > 4);
}

TEST_CASE("migrate: what is wrong with it is said, and nothing of it remains") {
  TestNode a(Start::create);
  REQUIRE(a.put_note("1", "x"));
  const auto code = [&](const std::string& ddl, std::vector<Model> models) {
    const Expected<void> done = a->migrate(sql(ddl), std::move(models));
    REQUIRE_FALSE(done);
    CHECK_FALSE(done.error().what.empty());
    return done.error().code;
  };
  CHECK(code("ALTER TABLE note RENAME COLUMN title TO headline", {Model::existing("note", Kind::shared), test_models()[1]}) == Errc::schema);
  CHECK(code("ALTER TABLE note DROP COLUMN body", {Model::existing("note", Kind::shared), test_models()[1]}) == Errc::schema);
  CHECK(code("DROP TABLE file", {test_models()[0]}) == Errc::forbidden);
  CHECK(code("ALTER TABLE note ADD COLUMN stars INTEGER", test_models()) == Errc::schema);  // and not declared
  CHECK(code("UPDATE note SET title='y'", test_models()) == Errc::forbidden);
  CHECK(code("DROP TABLE sync_log", test_models()) == Errc::forbidden);
  CHECK(code("ATTACH ':memory:' AS other", test_models()) == Errc::forbidden);
  CHECK(code("CREATE TABLE nonsense", test_models()) == Errc::constraint);
  CHECK(a->write([&](Transaction&) -> Expected<void> { return a->migrate({}, test_models()); }).error().code == Errc::forbidden);
  REQUIRE(a.put_note("1", "y"));
  CHECK(a->reader()->query("SELECT title, body FROM note")->text(0) == "y");
  REQUIRE(a->migrate(sql("CREATE TABLE own (id INTEGER PRIMARY KEY, what)"), test_models()));  // a table of the application's
  REQUIRE(a->write(sql("INSERT INTO own(what) VALUES ('not synchronised')")));
}

TEST_CASE("backup: put back, it is recognised; the device goes on under a new incarnation and gets its own back from peers") {
  NodePair pair;
  const TempFolder temp;
  REQUIRE(pair.a.put_note("1", "in the backup"));
  REQUIRE(pair.a.put_file("1", 1));
  REQUIRE(pair.a->backup(temp / "backup.db"));
  CHECK(pair.a->backup(temp / "backup.db").error().code == Errc::invalid_argument);
  CHECK_FALSE(fs::exists(temp / "backup.db-wal"));
  REQUIRE(pair.a.put_note("2", "after it"));
  REQUIRE(pair.a.put_file("2", 2));
  REQUIRE(pair.a.put_note("1", "changed after it"));
  REQUIRE(eventually([&] { return pair.converged(); }));
  const Origin before = pair.a->status().self;
  pair.a.close();
  for (const char* name : {"starling.db", "starling.db-wal", "starling.db-shm"}) fs::remove(pair.a.folder() / name);
  fs::copy_file(temp / "backup.db", pair.a.folder() / "starling.db");
  pair.a.open();
  CHECK(pair.a.logged("a backup or a copy"));
  std::atomic<bool> told = false;
  const Subscription events = pair.a->on_event([&](const NodeEvent& e) { told = told || e.kind == NodeEvent::Kind::restored; });
  CHECK(eventually([&] { return told.load(); }));  // although nobody could listen before it was open
  CHECK(pair.a->status().self.device == before.device);
  CHECK(pair.a->status().self.incarnation > before.incarnation);
  REQUIRE(pair.a.put_note("3", "by the new incarnation"));
  REQUIRE(pair.a.put_file("3", 3));
  REQUIRE(pair.a->write(sql("UPDATE file SET size=11 WHERE path='1'")));
  pair.a.start();
  REQUIRE(eventually([&] { return pair.converged(); }));
  CHECK(pair.a.notes() == 3);
  CHECK(pair.a.count("file") == 3);
  CHECK(pair.a->reader()->query("SELECT title FROM note WHERE id='1'")->text(0) == "changed after it");
  CHECK(pair.b->reader()->query("SELECT size FROM file WHERE path='1'")->integer(0) == 11);
  const Incarnation now = pair.a->status().self.incarnation;
  pair.a.reopen();
  CHECK(pair.a->status().self.incarnation == now);  // once
}

TEST_CASE("detach: what is Starling's goes, the data stays, and the file is anybody's again") {
  TestNode a(Start::create);
  REQUIRE(a.put_note("1", "x"));
  CHECK(a->write([&](Transaction&) { return a->detach(); }).error().code == Errc::forbidden);
  REQUIRE(a->detach());
  REQUIRE(a->detach());
  CHECK(a.put_note("2", "y").error().code == Errc::stopped);
  CHECK_FALSE(a->reader());
  const fs::path file = a.folder() / "starling.db";
  a.close();
  SQLite::Database db(file.string(), SQLite::OPEN_READWRITE);
  CHECK(db.execAndGet("SELECT count(*) FROM sqlite_schema WHERE name GLOB 'sync_*'").getInt() == 0);
  CHECK(db.exec("INSERT INTO note VALUES ('2', 'by a shell', NULL)") == 1);
  CHECK(db.execAndGet("PRAGMA integrity_check").getString() == "ok");
}

TEST_CASE("conflict: told on both devices, also where the row stays as it is") {
  NodePair pair;
  REQUIRE(pair.a.put_note("1", "as both know it"));
  REQUIRE(eventually([&] { return pair.converged(); }));
  std::atomic<int> told_a = 0, told_b = 0, updates_b = 0;
  const Subscription of_a = pair.a->on_change([&](const ChangeEvent& e) { told_a += e.conflicts ? 1 : 0; });
  const Subscription of_b = pair.b->on_change([&](const ChangeEvent& e) {
    told_b += e.conflicts ? 1 : 0;
    for (const RowChange& row : e.rows) updates_b += !row.local && row.op == Op::update ? 1 : 0;
  });
  pair.a->pause();
  REQUIRE(eventually([&] { return !pair.connected(); }));
  REQUIRE(pair.a.put_note("1", "earlier"));
  std::this_thread::sleep_for(20ms);
  REQUIRE(pair.b.put_note("1", "later"));
  CHECK(told_a + told_b == 0);
  pair.a->resume();
  CHECK(eventually([&] { return told_a == 1 && told_b == 1; }));
  CHECK(updates_b.load() == 0);  // what lost was A's
  CHECK(pair.a.count("sync_conflict") == 1);
  CHECK(pair.b.count("sync_conflict") == 1);
}

TEST_CASE("pause: no peer is spoken to, writes go on; resume: all of it travels") {
  NodePair pair;
  for (TestNode* one : {&pair.a, &pair.b}) {  // the one that listens, the one that dials
    (*one)->pause();
    CHECK((*one)->status().readiness == Readiness::paused);
    CHECK(eventually([&] { return !pair.connected(); }));
    REQUIRE(pair.a.put_note("a" + std::to_string(one == &pair.a), "x"));
    REQUIRE(pair.b.put_note("b" + std::to_string(one == &pair.a), "x"));
    std::this_thread::sleep_for(300ms);
    CHECK_FALSE(pair.connected());
    CHECK((*one)->wait_ready(10ms).error().code == Errc::not_ready);
    (*one)->resume();
    CHECK(eventually([&] { return pair.converged(); }, 40s));
  }
  CHECK(pair.a.notes() == 4);
}

TEST_CASE("remove_peer: hung up and no longer admitted, until it is added again") {
  NodePair pair;
  REQUIRE(pair.a->remove_peer(pair.b->device()));
  CHECK(pair.a->remove_peer(pair.b->device()).error().code == Errc::invalid_argument);
  CHECK(eventually([&] { return pair.b->status().peers[0].state != PeerState::live; }));
  REQUIRE(pair.a.put_note("1", "x"));
  std::this_thread::sleep_for(300ms);
  CHECK(pair.b.notes() == 0);
  REQUIRE(pair.a->add_peer({pair.b->device(), {}}));
  CHECK(eventually([&] { return pair.converged(); }, 40s));
}

TEST_CASE("a joiner hears how far the sync has come, then that it is complete, and by then sees every row") {
  TestNode a(Start::create, "127.0.0.1:0");
  REQUIRE(a->write([](Transaction& t) -> Expected<void> {
    for (int i = 0; i < 30'000; ++i)
      if (const auto done = t.exec("INSERT INTO file VALUES(?, 1)", std::to_string(i)); !done) return done.error();
    return {};
  }));
  TestNode b(Start::join);
  std::mutex mutex;
  std::vector<Progress> heard;
  std::int64_t rows_when_complete = -1;
  const Subscription bar = b->on_progress([&](const Progress& p) {
    const std::scoped_lock lock(mutex);
    heard.push_back(p);
  });
  const Subscription events = b->on_event([&](const NodeEvent& e) {
    if (e.kind != NodeEvent::Kind::initial_sync_complete) return;
    const std::int64_t rows = b.count("file");
    const std::scoped_lock lock(mutex);
    rows_when_complete = rows;
  });
  REQUIRE(a->add_peer({b->device(), {}}));
  REQUIRE(b->add_peer({a->device(), {a.address()}}));
  REQUIRE(b->wait_ready(20s));
  CHECK(eventually([&] {
    const std::scoped_lock lock(mutex);
    return rows_when_complete >= 0 && !heard.empty() && heard.back().done == heard.back().total;
  }));
  const std::scoped_lock lock(mutex);
  CHECK(rows_when_complete == 30'000);
  for (std::size_t i = 1; i < heard.size(); ++i) CHECK(heard[i - 1].done <= heard[i].done);
  CHECK(heard.back().total == 30'001);  // and its own admission
}

TEST_CASE("a typed model: ten lines, then put, find, all and erase") {
  const TempFolder temp;
  Config config;
  config.folder = temp / "node";
  Expected<std::unique_ptr<Node>> node = Node::open(config, {model_of<Task>()});
  REQUIRE_MESSAGE(node.has_value(), (node ? std::string() : node.error().text()));
  const Task milk{Blob{"0123456789abcdef"}, "buy milk", 1'700'000'000, false};
  REQUIRE((*node)->write([&](Transaction& t) { return t.put(milk); }));
  REQUIRE((*node)->write([&](Transaction& t) -> Expected<void> {
    Expected<std::optional<Task>> found = t.find<Task>(milk.id);
    REQUIRE(found);
    REQUIRE(*found);
    (*found)->done = true;
    (*found)->due.reset();
    return t.put(**found);
  }));
  const Expected<std::vector<Task>> open = (*node)->reader()->all<Task>("WHERE done=?", true);
  REQUIRE(open);
  REQUIRE(open->size() == 1);
  CHECK(open->front().title == "buy milk");
  CHECK_FALSE(open->front().due);
  REQUIRE((*node)->write([&](Transaction& t) -> Expected<void> {
    const Expected<bool> gone = t.erase(milk);
    CHECK(gone.value());
    CHECK_FALSE(t.erase(milk).value());
    return {};
  }));
  CHECK((*node)->reader()->all<Task>()->empty());
  REQUIRE((*node)->write(sql("INSERT INTO task VALUES (x'01', 5, 'tomorrow', 0)")));  // SQLite converts 5, not 'tomorrow'
  CHECK((*node)->reader()->all<Task>().error().where == "task.due");
}

TEST_CASE("a snapshot is stable while the world goes on; without one each query sees the newest") {
  TestNode a(Start::create);
  Expected<Reader> reader = a->reader();
  REQUIRE(reader);
  {
    const Expected<Snapshot> view = reader->snapshot();
    REQUIRE(view);
    CHECK(reader->snapshot().error().code == Errc::busy);
    REQUIRE(a.put_note("1", "x"));
    CHECK(reader->query("SELECT count(*) FROM note")->integer(0) == 0);
  }
  CHECK(reader->query("SELECT count(*) FROM note")->integer(0) == 1);
}

TEST_CASE("the database and what SQLite puts beside it are the owner's alone") {
  TestNode a(Start::create);
  REQUIRE(a.put_note("1", "x"));
  for (const char* name : {"starling.db", "starling.db-wal", "starling.db-shm", "device.key"})
    CHECK((fs::status(a.folder() / name).permissions() & (fs::perms::group_all | fs::perms::others_all)) == fs::perms::none);
}
