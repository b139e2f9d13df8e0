// What is shown when the rules, the disk or an application's own constraints are in the way.
#include "core/base/sha256.h"
#include "core/replica/migration.h"
#include "core/replica/row_repair.h"
#include "core/store/visibility.h"
#include "tests/core/replica/author.h"
#include "tests/core/store/digests_anew.h"

namespace starling {
namespace {

std::vector<Model> models(std::optional<Dangling> policy) {
  Model child = Model::existing("child", Kind::shared);
  if (policy) child = child.on_dangling("parent", *policy);
  return {Model::existing("parent", Kind::shared), child};
}

// Rows as a peer writes them, whom no constraint of ours binds.
struct Peer {
  TestNode node;
  Author author;

  explicit Peer(const std::string& child_columns = "parent TEXT REFERENCES parent(id), name TEXT UNIQUE")
      : node(1, true,
             {Model::from_sql("CREATE TABLE parent (id TEXT PRIMARY KEY NOT NULL)", Kind::shared),
              Model::from_sql("CREATE TABLE child (id TEXT PRIMARY KEY NOT NULL, " + child_columns + ")",
                              Kind::shared)}),
        author(node, 2) {}

  static Bytes text(std::string_view value) { return typed({ValueView::text(value)}); }
  void apply(const std::vector<Change>& changes, EntryHeader h) {
    const Bytes bytes = author.encode(h, changes);
    const Expected<ApplyResult> result = author.apply(h, bytes);
    REQUIRE_MESSAGE(result.has_value(), (result ? std::string() : result.error().text()));
    CHECK(result->outcome == Applied::done);
    author.previous = hash128(bytes);
  }
  void child(std::string_view id, std::string_view parent, std::string_view name) {
    const EntryHeader h = author.header();
    const Bytes key = text(id);
    const Bytes values = typed({ValueView::text(parent), ValueView::text(name)});
    apply({{author.model("child"), Op::insert, h.stamp(), key, 0b110, values}}, h);
  }
  void parent(std::string_view id) {
    const EntryHeader h = author.header();
    const Bytes key = text(id);
    apply({{author.model("parent"), Op::insert, h.stamp(), key, 0, {}}}, h);
  }
  void migrate(std::optional<Dangling> policy, const std::string& sql = "SELECT 1") {
    const Expected<void> done = starling::migrate(
        *node.store,
        [&](Transaction& t) -> Expected<void> {
          const Expected<std::int64_t> ran = t.exec(sql);
          return ran ? Expected<void>() : Expected<void>(ran.error());
        },
        models(policy), node.now.wall);
    REQUIRE_MESSAGE(done.has_value(), (done ? std::string() : done.error().text()));
  }
  [[nodiscard]] std::int64_t shown() { return node.number("SELECT count(*) FROM child"); }
  [[nodiscard]] std::uint64_t hidden() { return node.store->rows().hidden().count(); }
  [[nodiscard]] bool all_good() {
    bool good = true;
    for (ModelIndex m = 0; m < node.store->schema().models.size(); ++m)
      node.store->rows().scan(m, {}, [&](const ScannedRow& row) {
        good = good && row.good;
        return true;
      });
    return good && node.store->digests().list() == digests_anew(*node.store);
  }
};

void apply_behind(Store& store, const char* sql) {
  store.begin(TransactionKind::apply);
  Statement(store.handle(), sql).run();
  store.commit();
  store.rows().hidden().reload();
}

}  // namespace

TEST_CASE(
    "Visibility: a row comes back in the transaction that lets it, whatever SQLite would enforce; then it enforces "
    "again") {
  Peer peer("parent TEXT REFERENCES parent(id), name TEXT UNIQUE CHECK (name <> 'bad')");
  peer.child("a", "nobody", "bad");  // dangles and breaks CHECK: a peer's rows are taken as they are
  peer.child("b", "nobody", "bad");
  CHECK(peer.shown() == 1);
  CHECK(peer.node.text("SELECT id FROM child") == "b");
  (void)peer.node.write("DELETE FROM child WHERE id='b'");
  CHECK(peer.node.text("SELECT id FROM child") == "a");
  CHECK(peer.all_good());
  CHECK_FALSE(peer.node.try_write("INSERT INTO child VALUES ('c', 'nobody', 'x')"));
  CHECK_FALSE(peer.node.try_write("INSERT INTO child VALUES ('c', NULL, 'bad2'), ('d', NULL, 'bad')"));
}

TEST_CASE("Visibility: a local write names what it brought back, and a write that fails brings nothing back") {
  Peer peer;
  peer.parent("p");
  peer.child("a", "p", "x");
  peer.child("b", "p", "x");
  const Expected<LocalCommit> failed = peer.node.transactions.write(
      WriteScope::any,
      [](Transaction& t) -> Expected<void> {
        (void)t.exec("DELETE FROM child WHERE id='b'");
        return Error{Errc::invalid_argument, "it thinks better of it", "", ""};
      },
      peer.node.now.wall);
  CHECK_FALSE(failed);
  CHECK(peer.hidden() == 1);
  const Committed done = peer.node.write("UPDATE child SET name='y' WHERE id='b'");
  CHECK(peer.hidden() == 0);
  CHECK(peer.shown() == 2);
  CHECK(std::any_of(done.commit->changes.rows.begin(), done.commit->changes.rows.end(),
                    [](const ChangedRow& row) { return row.op == Op::insert && row.key == Peer::text("a"); }));
  CHECK(peer.all_good());
}

TEST_CASE("Visibility: where the rules are others, by a migration, all rows are decided anew") {
  Peer peer;
  peer.child("a", "nobody", "x");
  peer.child("b", "nobody", "y");
  CHECK(peer.shown() == 2);  // kept
  peer.migrate(Dangling::cascade);
  CHECK(peer.shown() == 0);
  CHECK(peer.hidden() == 2);
  CHECK(peer.node.number("SELECT count(*) FROM sqlite_schema WHERE name GLOB 'sync_reference_*'") == 1);
  CHECK(peer.all_good());
  peer.migrate(Dangling::set_null);
  CHECK(peer.shown() == 2);
  CHECK(peer.node.number("SELECT count(*) FROM child WHERE parent IS NULL") == 2);
  CHECK(peer.all_good());
  peer.migrate(std::nullopt);
  CHECK(peer.node.number("SELECT count(*) FROM child WHERE parent='nobody'") == 2);
  CHECK(peer.node.number("SELECT count(*) FROM sync_hidden") == 0);
  CHECK(peer.all_good());
}

TEST_CASE("Visibility: a hidden row grows with its model") {
  Peer peer;
  peer.child("a", "nobody", "x");
  peer.child("b", "nobody", "x");
  peer.migrate(std::nullopt, "ALTER TABLE child ADD COLUMN note TEXT DEFAULT 'none'");
  CHECK(peer.all_good());
  (void)peer.node.write("DELETE FROM child WHERE id='b'");
  CHECK(peer.node.text("SELECT note FROM child WHERE id='a'") == "none");
  CHECK(peer.all_good());
}

TEST_CASE("Visibility: a hidden row that is damaged, or shown behind the engine's back, is damage like any other") {
  for (const char* harm : {"UPDATE sync_hidden SET row=CAST(x'00' || substr(row, 2) AS BLOB)",
                           "UPDATE sync_hidden SET row=CAST(substr(row, 1, 1) || 'NOBODY' || substr(row, 8) AS BLOB)",
                           "DELETE FROM sync_hidden", "INSERT INTO child VALUES ('a', 'nobody', 'z')"}) {
    CAPTURE(std::string(harm));
    Peer peer;
    peer.child("a", "nobody", "x");
    peer.child("b", "nobody", "x");
    CHECK(peer.all_good());
    Store& store = *peer.node.store;
    apply_behind(store, harm);
    const ModelIndex model = peer.author.model("child");
    const Bytes key = Peer::text("a");
    CHECK_FALSE(store.rows().is_good(model, key));
    const Bytes values = typed({ValueView::text("nobody"), ValueView::text("x")});
    store.begin(TransactionKind::apply);
    CHECK(*RowRepair(store, model, {}, device(2)).take({key, {}, *store.rows().version(model, key), values}));
    (void)store.settle(peer.node.now.wall);
    store.commit();
    CHECK(peer.all_good());
    CHECK(peer.node.text("SELECT group_concat(id) FROM child") == "b");
    CHECK(peer.hidden() == 1);
  }
}

TEST_CASE("Visibility: an entry of many rows is settled in slices, and ends as one") {
  Peer peer;
  peer.migrate(Dangling::cascade);
  const EntryHeader h = peer.author.header();
  const std::size_t rows = limits::kPendingRows + 500;
  std::vector<Bytes> keys, values;
  std::vector<Change> changes;
  for (std::size_t i = 0; i < rows; ++i) {  // two by two with one name
    keys.push_back(Peer::text(std::to_string(1'000'000 + i)));
    values.push_back(typed({ValueView::null(), ValueView::text(std::to_string(i / 2))}));
  }
  for (std::size_t i = 0; i < rows; ++i)
    changes.push_back({peer.author.model("child"), Op::insert, h.stamp(), keys[i], 0b110, values[i]});
  peer.apply(changes, h);
  CHECK(peer.shown() == static_cast<std::int64_t>(rows / 2));  // of two with one name the greater key stands
  CHECK(peer.hidden() == rows / 2);
  CHECK(peer.node.number("SELECT count(*) FROM child WHERE id % 2 = 0") == 0);
  CHECK(peer.all_good());
}

}  // namespace starling
