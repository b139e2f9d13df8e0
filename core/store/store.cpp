#include "core/store/store.h"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <sqlite3.h>

#include "core/store/ack_store.h"
#include "core/store/capture.h"
#include "core/store/conflict_log.h"
#include "core/store/guard.h"
#include "core/store/origin_table.h"
#include "core/store/peer_log.h"
#include "core/store/quarantine.h"
#include "core/store/row_store.h"
#include "core/store/schema_reader.h"
#include "core/store/statement_cache.h"
#include "core/store/sync_state.h"
#include "core/store/tables.h"

namespace starling {
namespace {

constexpr int kBusyTimeoutMs = 5000;

// WAL and synchronous=FULL: an acknowledgement rests on what fsync promised. A large cache and a late checkpoint are
// where the speed of bulk writes comes from (ADR 0003). This connection alone writes and checkpoints: SQLite before
// 3.51.3 can corrupt a WAL when two do.
constexpr char kPragmas[] =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA cache_size=-65536;"
    "PRAGMA wal_autocheckpoint=4000; PRAGMA journal_size_limit=67108864;";

}  // namespace

Store::Store() = default;

Store::~Store() {
  if (in_transaction_) {
    try {
      rollback();
    } catch (...) {  // closing the connection rolls back all the same
    }
  }
}

Expected<std::unique_ptr<Store>> Store::open(const StoreConfig& config, WallTime now, Prng& prng) {
  std::unique_ptr<Store> store(new Store);
  const Expected<void> opened = store->open_file(config, now, prng);
  if (!opened) return opened.error();
  return store;
}

Expected<void> Store::open_file(const StoreConfig& config, WallTime now, Prng& prng) {
  db_ = std::make_unique<SQLite::Database>(config.file, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_NOMUTEX,
                                           kBusyTimeoutMs, config.vfs);
  db_->exec(kPragmas);
  register_guard_functions(handle(), &applying_);

  exec("BEGIN IMMEDIATE");
  in_transaction_ = true;
  exec(kTablesSql);
  Expected<Schema> schema = open_models(*db_, config.models);
  if (!schema) return schema.error();
  schema_ = std::move(*schema);
  install_guards(*db_, schema_);
  switch_triggers(*db_);
  register_models();

  state_ = std::make_unique<SyncState>(handle());
  if (state_->self().device.is_zero()) {
    const Origin self{config.device, {Hlc::of(now.ms, 0), static_cast<std::uint32_t>(prng.next())}};
    WorkspaceId id;
    if (config.create)
      for (std::uint8_t& byte : id.raw) byte = static_cast<std::uint8_t>(prng.next());
    state_->create(config.workspace_name, id, self, config.create, now);
  }
  const Expected<void> identity = check_identity(config);
  if (!identity) return identity;
  state_->note_opening(prng.next());
  exec("COMMIT");
  in_transaction_ = false;

  capture_ = std::make_unique<Capture>(handle(), schema_);
  origins_ = std::make_unique<OriginTable>(handle());
  rows_ = std::make_unique<RowStore>(handle(), schema_, *origins_);
  log_ = std::make_unique<PeerLog>(handle());
  acks_ = std::make_unique<AckStore>(handle());
  conflicts_ = std::make_unique<ConflictLog>(handle());
  quarantine_ = std::make_unique<Quarantine>(handle());
  statements_ = std::make_unique<StatementCache>();
  clock_ = HlcClock(origins_->vector().greatest_hlc());

  if (!origins_->find(state_->self())) {
    begin(TransactionKind::apply);
    (void)origins_->ordinal(state_->self());
    commit();
  }
  self_ordinal_ = origins_->ordinal(state_->self());
  return {};
}

Expected<void> Store::check_identity(const StoreConfig& config) {
  if (state_->format() != kFormatVersion) {
    return Error{Errc::invalid_argument, "this database has format " + std::to_string(state_->format()) + ", this program knows " +
                 std::to_string(kFormatVersion), config.file, "open it with the version that wrote it, or a newer one"};
  }
  if (state_->self().device != config.device) {
    return Error{Errc::identity_conflict, "this database belongs to device " + to_string(state_->self().device) +
                 ", the key in this folder is " + to_string(config.device), config.file,
                 "put the database back beside its own key, or start with an empty folder and join"};
  }
  if (state_->workspace_name() != config.workspace_name) {
    return Error{Errc::wrong_workspace, "this database holds workspace '" + state_->workspace_name() + "', not '" +
                 config.workspace_name + "'", config.file, "name that workspace, or use another folder"};
  }
  return {};
}

// Models keep their number for the life of the file; positions in the schema change as models come.
void Store::register_models() {
  Statement put(handle(),
                "INSERT INTO sync_model(name, kind, digest) VALUES(?1,?2,?3)"
                " ON CONFLICT(name) DO UPDATE SET kind=?2, digest=?3");
  for (const ModelSchema& m : schema_.models) {
    put.text(m.name).integer(static_cast<std::int64_t>(m.kind)).blob(m.digest.view()).run();
    toggles_enforcement_ = toggles_enforcement_ || m.has_foreign_keys || m.has_checks;
  }
}

sqlite3* Store::handle() { return db_->getHandle(); }

const Origin& Store::self() const { return state_->self(); }

void Store::exec(const char* sql) { db_->exec(sql); }

// Remote changes are applied as they are: cascades were captured where they happened, and a reference may come before
// what it refers to. The switch works only outside a transaction and makes SQLite prepare its statements again, so it
// is thrown only where a model has something to enforce.
void Store::set_enforcement(bool on) {
  if (!toggles_enforcement_ || enforced_ == on) return;
  exec(on ? "PRAGMA foreign_keys=ON; PRAGMA ignore_check_constraints=OFF"
          : "PRAGMA foreign_keys=OFF; PRAGMA ignore_check_constraints=ON");
  enforced_ = on;
}

void Store::begin(TransactionKind kind) {
  ASSERT(!in_transaction_);
  set_enforcement(kind == TransactionKind::local);
  exec("BEGIN IMMEDIATE");
  in_transaction_ = true;
  applying_ = kind == TransactionKind::apply;
  if (kind == TransactionKind::local) capture_->begin();
}

void Store::begin_new_life(const Incarnation& incarnation) {
  ASSERT(in_transaction_ && origins_->position(self_ordinal_) == Position{});
  state_->set_self({self().device, incarnation});
  self_ordinal_ = origins_->ordinal(self());
}

void Store::commit() {
  ASSERT(in_transaction_);
  origins_->flush();
  acks_->flush();
  capture_->allow_commit();
  exec("COMMIT");
  in_transaction_ = false;
  applying_ = false;
  capture_->end();
}

void Store::rollback() {
  if (!in_transaction_) return;
  in_transaction_ = false;
  applying_ = false;
  if (capture_) capture_->end();  // before ROLLBACK, which its authorizer refuses to an application
  if (sqlite3_get_autocommit(handle()) == 0) exec("ROLLBACK");  // SQLite may have done it by itself
  if (!capture_) return;  // still opening
  origins_->reload();
  state_->reload();
  if (const std::optional<Ordinal> ordinal = origins_->find(self())) self_ordinal_ = *ordinal;
  clock_ = HlcClock(origins_->vector().greatest_hlc());
}

}  // namespace starling
