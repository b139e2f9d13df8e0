// Two versions of an application side by side: what the older does not know is kept, and is there after its upgrade.
#include "core/replica/migration.h"
#include "core/replica/quarantine_release.h"
#include "core/store/held_changes.h"
#include "core/store/quarantine.h"
#include "tests/core/replica/author.h"

namespace starling {
namespace {

constexpr char kNote[] = "CREATE TABLE note (id TEXT PRIMARY KEY NOT NULL, title";
constexpr char kFile[] = "CREATE TABLE file (id BLOB PRIMARY KEY NOT NULL, path";
constexpr char kMemo[] = "CREATE TABLE memo (id TEXT PRIMARY KEY NOT NULL, text)";
constexpr char kPlace[] = "CREATE TABLE place (id BLOB PRIMARY KEY NOT NULL, path)";

std::vector<Model> old_models() {
  return {Model::from_sql(std::string(kNote) + ")", Kind::shared), Model::from_sql(std::string(kFile) + ")", Kind::device_owned)};
}
std::vector<Model> new_models() {
  return {Model::from_sql(std::string(kNote) + ", color TEXT DEFAULT 'red', size INTEGER)", Kind::shared),
          Model::from_sql(std::string(kFile) + ", hash)", Kind::device_owned), Model::from_sql(kMemo, Kind::shared),
          Model::from_sql(kPlace, Kind::device_owned)};
}

void upgrade(TestNode& node) {
  const WriteFn ddl = [](Transaction& t) -> Expected<void> {
    for (const char* sql : {"ALTER TABLE note ADD COLUMN color TEXT DEFAULT 'red'", "ALTER TABLE note ADD COLUMN size INTEGER",
                            "ALTER TABLE file ADD COLUMN hash"})
      if (const Expected<std::int64_t> done = t.exec(sql); !done) return done.error();
    return {};
  };
  const Expected<void> done = migrate(*node.store, ddl, new_models(), node.now.wall);
  REQUIRE_MESSAGE(done, (done ? std::string() : done.error().text()));
  (void)node.step({ModelsReplaced{}});
}

struct Skewed {
  TestNode older{1, true, old_models()};
  TestNode newer{2, false, new_models()};
  Exchange exchange{older, newer};

  void from_newer(const char* sql) { exchange.run({}, {newer.write(sql)}); }
  void from_older(const char* sql) { exchange.run({older.write(sql)}, {}); }
  void expect_equal() {
    for (const char* sql : {"SELECT group_concat(id||','||coalesce(title,'-')||','||coalesce(color,'-')||','||coalesce(size,'-'), ' ') FROM (SELECT * FROM note ORDER BY id)",
                            "SELECT group_concat(hex(id)||','||coalesce(path,'-')||','||coalesce(hash,'-'), ' ') FROM (SELECT * FROM file ORDER BY id)",
                            "SELECT group_concat(id||','||coalesce(text,'-'), ' ') FROM (SELECT * FROM memo ORDER BY id)",
                            "SELECT group_concat(hex(id)||','||coalesce(path,'-'), ' ') FROM (SELECT * FROM place ORDER BY id)"})
      CHECK(older.text(sql) == newer.text(sql));
    CHECK(older.store->digests().hash() == newer.store->digests().hash());
    CHECK(older.store->quarantined() == 0);
    CHECK_FALSE(older.store->rows().keeps_anything());
    CHECK(older.vector() == newer.vector());
  }
};

}  // namespace

TEST_CASE("[N20][N31] Skew: known fields of a newer version's rows show at once, the others after the upgrade") {
  Skewed s;
  s.from_newer("INSERT INTO note VALUES ('a', 'first', 'blue', 7), ('b', 'second', NULL, NULL)");
  s.from_newer("INSERT INTO file VALUES (x'01', '/one', 'h1')");
  CHECK(s.older.text("SELECT group_concat(id || title, ' ') FROM (SELECT * FROM note ORDER BY id)") == "afirst bsecond");
  CHECK(s.older.text("SELECT path FROM file") == "/one");
  CHECK(s.older.vector() == s.newer.vector());
  CHECK(s.older.store->quarantined() == 0);
  CHECK(s.older.store->rows().kept_values() == 5);
  upgrade(s.older);
  s.expect_equal();
  CHECK(s.older.text("SELECT color || size FROM note WHERE id='a'") == "blue7");
  CHECK(s.older.text("SELECT hash FROM file") == "h1");
}

TEST_CASE("Skew: an older version writes rows that a newer one has, and wipes nothing that it does not know") {
  Skewed s;
  s.from_newer("INSERT INTO note VALUES ('a', 'first', 'blue', 7)");
  s.from_older("INSERT OR REPLACE INTO note VALUES ('a', 'rewritten')");
  s.from_older("INSERT INTO note VALUES ('mine', 'older')");
  CHECK(s.newer.text("SELECT title || color || size FROM note WHERE id='a'") == "rewrittenblue7");
  CHECK(s.newer.text("SELECT color FROM note WHERE id='mine'") == "red");  // what it does not carry is its default
  s.from_newer("UPDATE note SET size=8, color='green'");
  s.from_older("UPDATE note SET title='again'");
  upgrade(s.older);
  s.expect_equal();
  CHECK(s.older.text("SELECT group_concat(color || size) FROM note") == "green8,green8");
}

TEST_CASE("Skew: a row's next generation takes nothing over that was kept of the one before (R10)") {
  Skewed s;
  s.from_newer("INSERT INTO note VALUES ('a', 'first', 'blue', 7), ('b', 'x', 'blue', 7)");
  s.from_older("DELETE FROM note WHERE id='a'");
  s.from_older("INSERT INTO note VALUES ('a', 'anew')");
  s.from_newer("DELETE FROM note WHERE id='b'");
  CHECK(s.older.store->rows().kept_values() == 0);
  upgrade(s.older);
  s.expect_equal();
  CHECK(s.older.text("SELECT color FROM note WHERE id='a'") == "red");
}

TEST_CASE("[N20] Skew: a model that is not here waits whole, in its order, and comes with the upgrade") {
  Skewed s;
  s.from_newer("INSERT INTO memo VALUES ('m', 'one'), ('n', 'two')");
  s.from_newer("UPDATE memo SET text='three' WHERE id='m'");
  s.from_newer("DELETE FROM memo WHERE id='n'");
  s.from_newer("INSERT INTO memo VALUES ('n', 'reborn')");
  s.from_newer("INSERT INTO place VALUES (x'01', '/a'), (x'02', '/b')");
  s.from_newer("UPDATE place SET path='/c' WHERE id=x'01'");
  s.from_newer("DELETE FROM place WHERE id=x'02'");
  s.from_newer("INSERT INTO note(id) VALUES ('flows on')");
  CHECK(s.older.vector() == s.newer.vector());
  CHECK(s.older.number("SELECT count(*) FROM note") == 1);
  CHECK(s.older.store->held().count() == 5);
  CHECK(s.older.store->quarantine().count() == 2);  // of each row the last
  CHECK(s.older.replica.status().quarantined == 7);
  upgrade(s.older);
  s.expect_equal();
  CHECK(s.older.text("SELECT group_concat(id || text, ' ') FROM (SELECT * FROM memo ORDER BY id)") == "mthree nreborn");
}

TEST_CASE("Skew: an older version hands on what it does not know (promise 12)") {
  Skewed s;
  s.from_newer("INSERT INTO memo VALUES ('m', 'one')");
  s.from_newer("INSERT INTO place VALUES (x'01', '/a')");
  s.from_newer("INSERT INTO file VALUES (x'01', '/one', 'h1'), (x'02', '/two', 'h2')");
  s.from_newer("DELETE FROM place");
  s.from_newer("INSERT INTO place VALUES (x'03', '/c')");
  TestNode third(3, false, new_models());
  Exchange through(s.older, third, 2);
  through.run();
  CHECK(third.vector().at(s.newer.store->self()) == s.newer.own());
  CHECK(third.text("SELECT group_concat(path || hash) FROM file") == "/oneh1,/twoh2");
  CHECK(third.text("SELECT text FROM memo") == "one");
  CHECK(third.text("SELECT group_concat(path) FROM place") == "/c");
}

TEST_CASE("Quarantine is bounded: what would join it when it is full waits unacknowledged, and all else goes on") {
  Skewed s;
  s.older.store->begin(TransactionKind::apply);
  Statement(s.older.store->handle(), ("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<" +
            std::to_string(limits::kQuarantinedMax) + ") INSERT INTO sync_held(model, key, origin, hlc, seq, op, generation_origin,"
            " generation_hlc, fields, row, why) SELECT 'ghost', i, 1, 1, 1, 0, 1, 1, 0, '', '' FROM n").c_str()).run();
  s.older.store->commit();
  s.older.store->held().reload();
  const Position before = s.older.vector().at(s.newer.store->self());
  s.from_newer("INSERT INTO note(id) VALUES ('known')");
  s.from_newer("INSERT INTO memo VALUES ('m', 'one')");
  s.from_newer("INSERT INTO file VALUES (x'01', '/one', 'h1')");
  CHECK(s.older.number("SELECT count(*) FROM note") == 1);
  CHECK(s.older.number("SELECT count(*) FROM file") == 1);
  CHECK(s.older.vector().at(s.newer.store->self()).seq == before.seq.next());
  REQUIRE(s.older.replica.status().waiting.size() == 1);
  CHECK(s.older.replica.status().waiting[0].why == "quarantine is full");
  CHECK(s.older.store->held().count() == limits::kQuarantinedMax);
}

TEST_CASE("[F46] Skew: a column that comes to many rows, without default or with one, logs nothing; a default is written, not told") {
  for (const bool with_default : {false, true}) {
    CAPTURE(with_default);
    const std::string column = with_default ? "size INTEGER DEFAULT 3" : "size INTEGER";
    TestNode node(1, true, old_models());
    (void)node.write("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<20000) INSERT INTO note SELECT 'n'||i, 'default' FROM n");
    const Position before = node.own();
    const std::int64_t logged = node.number("SELECT count(*) FROM sync_log");
    const std::int64_t written = node.rows_written();
    const WriteFn ddl = [&](Transaction& t) -> Expected<void> {
      const auto done = t.exec("ALTER TABLE note ADD COLUMN " + column);
      return done ? Expected<void>() : Expected<void>(done.error());
    };
    auto models = old_models();
    models[0].ddl = std::string(kNote) + ", " + column + ")";
    REQUIRE(migrate(*node.store, ddl, models, node.now.wall));
    CHECK(node.own() == before);
    CHECK(node.number("SELECT count(*) FROM sync_log") == logged);
    if (!with_default) CHECK(node.rows_written() - written < 20);  // of the engine's own: what the models are
    CHECK(node.number("SELECT count(*) FROM note WHERE size IS " + std::string(with_default ? "3" : "NULL")) == 20'000);
    CHECK(node.store->quarantined() == 0);
  }
}

TEST_CASE("Skew: a peer with other columns under the same names is refused with the reason, others go on") {
  TestNode node(1, true, old_models());
  auto renamed = old_models();
  renamed[0].ddl = "CREATE TABLE note (id TEXT PRIMARY KEY NOT NULL, caption)";
  TestNode other(2, false, renamed);
  (void)node.step({PeerUp{1, device(2)}});
  const auto effects = node.receive(1, make_hello(*other.store, {}, device(1), node.now.wall));
  REQUIRE(closed_with(effects) == Errc::schema);
  CHECK(effects_of<Close>(effects)[0].why.text().find("note.title") != std::string::npos);
}

}  // namespace starling
