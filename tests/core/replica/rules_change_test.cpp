// Models that change under rows that are hidden, held or kept: nothing of those is lost.
#include "core/base/sha256.h"
#include "core/replica/adoption.h"
#include "core/replica/migration.h"
#include "core/replica/quarantine_release.h"
#include "core/store/held_changes.h"
#include "tests/core/replica/author.h"

namespace starling {
namespace {

const std::string kNote = "CREATE TABLE note (id TEXT PRIMARY KEY NOT NULL, title";

WriteFn ddl(std::vector<std::string> statements) {
  return [statements = std::move(statements)](Transaction& t) -> Expected<void> {
    for (const std::string& sql : statements)
      if (const auto done = t.exec(sql); !done) return done.error();
    return {};
  };
}

Bytes text(std::string_view value) { return typed({ValueView::text(value)}); }

}  // namespace

TEST_CASE("A model that loses its last rule shows the rows that it had hidden") {
  const std::vector<Model> models{Model::existing("user", Kind::shared)};
  TestNode node(1, true, {Model::from_sql("CREATE TABLE user (id TEXT PRIMARY KEY NOT NULL, email TEXT, name TEXT)", Kind::shared)});
  REQUIRE(migrate(*node.store, ddl({"CREATE UNIQUE INDEX user_email ON user(email)"}), models, node.now.wall));
  Author author(node, 2);
  for (const char* name : {"first", "second"}) {
    const EntryHeader header = author.header();
    const Bytes values = typed({ValueView::text("x@y"), ValueView::text(name)});
    const Bytes key = text(name);
    const Bytes bytes = author.encode(header, {{author.model("user"), Op::insert, header.stamp(), key, 0b110, values}});
    REQUIRE(author.apply(header, bytes));
    author.previous = hash128(bytes);
  }
  CHECK(node.text("SELECT group_concat(name) FROM user") == "second");
  CHECK(node.number("SELECT count(*) FROM sync_hidden") == 1);
  REQUIRE(migrate(*node.store, ddl({"DROP INDEX user_email"}), models, node.now.wall));
  CHECK(node.text("SELECT group_concat(name) FROM (SELECT name FROM user ORDER BY id)") == "first,second");
  CHECK(node.number("SELECT count(*) FROM sync_hidden") == 0);
}

TEST_CASE("What was kept of a field does not come over what was written to it since, also where a migration was not finished") {
  TestNode older{1, true, {Model::from_sql(kNote + ")", Kind::shared)}};
  TestNode newer{2, false, {Model::from_sql(kNote + ", colour TEXT)", Kind::shared)}};
  {
    Exchange exchange{older, newer};
    exchange.run({}, {newer.write("INSERT INTO note VALUES ('a', 't', 'blue')")});
  }
  REQUIRE(older.store->rows().kept_values() == 1);
  const auto migrated = migrate(*older.store, ddl({"ALTER TABLE note ADD COLUMN colour TEXT", "CREATE TABLE big (id TEXT PRIMARY KEY NOT NULL, v)",
                                                  "INSERT INTO big VALUES ('k', zeroblob(3000000))"}),
                                {Model::existing("note", Kind::shared), Model::existing("big", Kind::shared)}, older.now.wall);
  CHECK(migrated.error().code == Errc::too_large);  // of the table that was to be adopted
  (void)older.step({ModelsReplaced{}});
  CHECK(older.text("SELECT colour FROM note") == "blue");
  (void)older.write("UPDATE note SET colour='green' WHERE id='a'");
  (void)release_quarantine(*older.store, older.now.wall, Ended::wait);
  CHECK(older.text("SELECT colour FROM note") == "green");
}

TEST_CASE("A row that was refused and is dead by now holds nothing up") {
  TestNode strict{1, true, {Model::from_sql(kNote + " NOT NULL)", Kind::shared)}};
  TestNode lax{2, false, {Model::from_sql(kNote + ")", Kind::shared)}};
  Exchange exchange{strict, lax};
  exchange.run({}, {lax.write("INSERT INTO note VALUES ('a', NULL)")});
  CHECK(strict.store->held().count() == 1);
  exchange.run({}, {lax.write("DELETE FROM note")});
  (void)release_quarantine(*strict.store, strict.now.wall, Ended::wait);
  CHECK(strict.store->held().count() == 0);
  exchange.run({}, {lax.write("INSERT INTO note VALUES ('a', 'fine')")});
  CHECK(strict.store->held().count() == 0);
  CHECK(strict.text("SELECT title FROM note") == "fine");
  exchange.run({}, {lax.write("UPDATE note SET title=NULL")});
  exchange.run({}, {lax.write("UPDATE note SET title='again'")});
  CHECK(strict.store->held().count() == 2);
  exchange.run({}, {lax.write("DELETE FROM note"), lax.write("INSERT INTO note VALUES ('a', 'new')")});
  (void)release_quarantine(*strict.store, strict.now.wall, Ended::wait);
  CHECK(strict.store->held().count() == 0);
  CHECK(strict.text("SELECT title FROM note") == "new");
}

TEST_CASE("Adoption takes parents before their children: an adoption that fails half-way leaves none of them out of the table") {
  TestNode node(1, true, {Model::from_sql("CREATE TABLE z (id TEXT PRIMARY KEY NOT NULL)", Kind::shared)});
  node.store->begin(TransactionKind::apply);
  for (const char* sql : {"CREATE TABLE parent (id TEXT PRIMARY KEY NOT NULL, v)",
                          "CREATE TABLE child (id TEXT PRIMARY KEY NOT NULL, parent TEXT REFERENCES parent(id))",
                          "INSERT INTO parent VALUES ('p', NULL), ('q', zeroblob(3000000))", "INSERT INTO child VALUES ('c', 'p'), ('d', 'q')"})
    Statement(node.store->handle(), sql).run();
  node.store->commit();
  node.store->begin(TransactionKind::migration);
  REQUIRE(node.store->replace_models({Model::existing("z", Kind::shared), Model::existing("parent", Kind::shared),
                                      Model::existing("child", Kind::shared).on_dangling("parent", Dangling::cascade)}));
  node.store->commit();
  CHECK_FALSE(adopt_existing_rows(*node.store, node.now.wall));
  CHECK(node.number("SELECT count(*) FROM child") == 2);
  CHECK(node.number("SELECT count(*) FROM sync_hidden") == 0);
}

}  // namespace starling
