#include <SQLiteCpp/Exception.h>

#include <filesystem>

#include "core/store/sync_state.h"
#include "core/store/tables.h"
#include "tests/core/store/open_store.h"

namespace starling {
namespace {

// A database file of its own, gone with the test.
struct TempFile {
  std::filesystem::path folder;
  TempFile() {
    std::string name = (std::filesystem::temp_directory_path() / "starling-store-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    folder = name;
  }
  ~TempFile() { std::filesystem::remove_all(folder); }
  [[nodiscard]] std::string path() const { return (folder / "starling.db").string(); }
};

Errc refused(const StoreConfig& config) {
  Prng prng(1);
  const auto store = Store::open(config, kNow, prng);
  REQUIRE_FALSE(store);
  CHECK_FALSE(store.error().remedy.empty());
  return store.error().code;
}

}  // namespace

TEST_CASE("Store: what was committed is there again, with the same identity and workspace") {
  const TempFile file;
  std::unique_ptr<Store> store = open_store(store_config(file.path()));
  const Origin self = store->self();
  const WorkspaceId workspace = store->state().workspace();
  apply(*store, [&] { store->origins().advance_seq(store->self_ordinal(), Seq{1}, Hlc{77}, {}, {}); });
  store->begin(TransactionKind::apply);
  store->origins().advance_rev(store->self_ordinal(), Rev{5});
  store.reset();  // in the middle of a transaction
  store = open_store(store_config(file.path()), 2);
  CHECK(store->self() == self);
  CHECK(store->state().workspace() == workspace);
  CHECK(store->origins().vector().at(self) == Position{Rev{}, Seq{1}, Hlc{77}});
  CHECK(store->clock().last() == Hlc{77});
}

TEST_CASE("Store: a file of another device, workspace or format is refused with what to do") {
  const TempFile file;
  (void)open_store(store_config(file.path()));
  StoreConfig config = store_config(file.path());
  config.device = device(2);
  CHECK(refused(config) == Errc::identity_conflict);
  config = store_config(file.path());
  config.workspace_name = "other";
  CHECK(refused(config) == Errc::wrong_workspace);
  config = store_config(file.path());
  config.models.push_back(Model::existing("nowhere", Kind::shared));
  CHECK(refused(config) == Errc::schema);
  {
    const std::unique_ptr<Store> store = open_store(store_config(file.path()));
    apply(*store, [&] { Statement(store->handle(), "UPDATE sync_meta SET value=value+1 WHERE name='format'").run(); });
  }
  CHECK(refused(store_config(file.path())) == Errc::invalid_argument);
}

TEST_CASE("Store: also one that is refused leaves a file that is whole without its WAL") {
  const TempFile file;
  const TempFile crashed;
  {
    const std::unique_ptr<Store> store = open_store(store_config(file.path()));
    apply(*store, [&] { Statement(store->handle(), "INSERT INTO note(id) VALUES ('n')").run(); });
    for (const char* end : {"", "-wal"}) std::filesystem::copy_file(file.path() + end, crashed.path() + end);
  }
  StoreConfig config = store_config(crashed.path());
  config.device = device(2);
  CHECK(refused(config) == Errc::identity_conflict);
  CHECK_FALSE(std::filesystem::exists(crashed.path() + "-wal"));
  CHECK(number(*open_store(store_config(crashed.path())), "SELECT count(*) FROM note") == 1);
}

TEST_CASE("Store: an error while opening leaves nothing behind") {
  const TempFile file;
  StoreConfig config = store_config(file.path());
  config.models.push_back(Model::existing("nowhere", Kind::shared));
  CHECK(refused(config) == Errc::schema);
  const std::unique_ptr<Store> store = open_store(store_config(file.path()));
  CHECK(number(*store, "SELECT count(*) FROM sync_meta WHERE name='self'") == 1);
}

TEST_CASE("Store: a rollback takes back rows, positions and the clock, and is nothing outside a transaction") {
  const std::unique_ptr<Store> store = open_store();
  store->rollback();
  apply(*store, [&] { store->origins().advance_seq(store->self_ordinal(), Seq{1}, store->clock().tick(kNow), {}, {}); });
  const Hlc clock = store->clock().last();
  for (const TransactionKind kind : {TransactionKind::apply, TransactionKind::local}) {
    store->begin(kind);
    CHECK(store->in_transaction());
    Statement(store->handle(), "INSERT INTO note(id) VALUES ('n')").run();
    store->origins().advance_seq(store->self_ordinal(), Seq{2}, store->clock().tick(kNow), {}, {});
    store->rollback();
    CHECK_FALSE(store->in_transaction());
    CHECK(store->clock().last() == clock);
    CHECK(store->origins().position(store->self_ordinal()).seq == Seq{1});
    CHECK(number(*store, "SELECT count(*) FROM note") == 0);
  }
}

TEST_CASE("Store: a new life is begun, and a rollback ends it") {
  const std::unique_ptr<Store> store = open_store();
  const Origin before = store->self();
  const Incarnation next{Hlc{before.incarnation.birth.packed + 5}, before.incarnation.random};
  store->begin(TransactionKind::apply);
  store->begin_new_life(next, {});
  CHECK(store->self().incarnation == next);
  CHECK(store->state().provisional());
  store->rollback();
  CHECK(store->self() == before);
  CHECK(store->origins().origin(store->self_ordinal()) == before);
  CHECK_FALSE(store->state().provisional());
  apply(*store, [&] { store->begin_new_life(next, {}); });
  CHECK(store->origins().origin(store->self_ordinal()) == Origin{before.device, next});
}

TEST_CASE("Store: triggers can tell what is applied from what is written here") {
  const std::unique_ptr<Store> store = open_store();
  CHECK(number(*store, "SELECT starling_applying()") == 0);
  store->begin(TransactionKind::apply);
  CHECK(number(*store, "SELECT starling_applying()") == 1);
  store->rollback();
  CHECK(number(*store, "SELECT starling_applying()") == 0);
}

TEST_CASE("Store: foreign keys and CHECK bind what is written here, not what is applied") {
  StoreConfig config = store_config();
  config.models = {Model::from_sql("CREATE TABLE parent (id TEXT PRIMARY KEY NOT NULL, n INTEGER CHECK (n > 0))", Kind::shared),
                   Model::from_sql("CREATE TABLE child (id TEXT PRIMARY KEY NOT NULL, parent REFERENCES parent(id))", Kind::shared)};
  const std::unique_ptr<Store> store = open_store(config);
  for (const char* sql : {"INSERT INTO parent VALUES ('p', -1)", "INSERT INTO child VALUES ('c', 'nobody')"}) {
    store->begin(TransactionKind::local);
    CHECK_THROWS_AS(Statement(store->handle(), sql).run(), SQLite::Exception);
    store->rollback();
    apply(*store, [&] { Statement(store->handle(), sql).run(); });
  }
  CHECK(number(*store, "SELECT (SELECT count(*) FROM parent) + (SELECT count(*) FROM child)") == 2);
}

TEST_CASE("Store: nobody but the engine commits") {
  const std::unique_ptr<Store> store = open_store();
  CHECK_THROWS_AS(Statement(store->handle(), "INSERT INTO note(id) VALUES ('n')").run(), SQLite::Exception);
  CHECK(number(*store, "SELECT count(*) FROM note") == 0);
}

TEST_CASE("Store: opens in WAL mode with full synchronisation and foreign keys") {
  const TempFile file;
  const std::unique_ptr<Store> store = open_store(store_config(file.path()));
  Statement mode(store->handle(), "PRAGMA journal_mode");
  REQUIRE(mode.step());
  CHECK(mode.column_bytes(0) == "wal");
  CHECK(number(*store, "PRAGMA synchronous") == 2);
  CHECK(number(*store, "PRAGMA foreign_keys") == 1);
}

TEST_CASE("Store: a model that was there before must be given again, and as the same kind") {
  const TempFile file;
  (void)open_store(store_config(file.path()));
  StoreConfig fewer = store_config(file.path());
  fewer.models.pop_back();
  CHECK(refused(fewer) == Errc::schema);
  StoreConfig other = store_config(file.path());
  other.models.back().kind = Kind::shared;
  CHECK(refused(other) == Errc::schema);
  (void)open_store(store_config(file.path()));
}

TEST_CASE("Store: one that was first opened to join, or without a network, may create the workspace later") {
  const TempFile file;
  StoreConfig config = store_config(file.path());
  config.create = false;
  CHECK(open_store(config)->state().workspace().is_zero());
  const std::unique_ptr<Store> created = open_store(store_config(file.path()), 2);
  CHECK_FALSE(created->state().workspace().is_zero());
  CHECK(created->state().initial_sync_completed());
  const WorkspaceId id = created->state().workspace();
  CHECK(open_store(store_config(file.path()), 3)->state().workspace() == id);  // once
}

}  // namespace starling
