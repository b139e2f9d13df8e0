#include "core/store/store.h"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <sqlite3.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "core/base/assert.h"
#include "core/base/model_shape.h"
#include "core/base/planted_bug.h"
#include "core/store/ack_store.h"
#include "core/store/capture.h"
#include "core/store/constraint_reader.h"
#include "core/store/conflict_log.h"
#include "core/store/digest_table.h"
#include "core/store/entry_stage.h"
#include "core/store/format_migration.h"
#include "core/store/guard.h"
#include "core/store/held_changes.h"
#include "core/store/member_table.h"
#include "core/store/opening_file.h"
#include "core/store/origin_table.h"
#include "core/store/peer_log.h"
#include "core/store/quarantine.h"
#include "core/store/row_store.h"
#include "core/store/schema_reader.h"
#include "core/store/snapshot_stage.h"
#include "core/store/sql_error.h"
#include "core/store/statement_cache.h"
#include "core/store/sync_state.h"
#include "core/store/tables.h"
#include "core/store/trial_mark.h"
#include "core/store/visibility.h"
#include "core/store/wal_rewrite.h"
#include "proto/entry.h"
#include "proto/snapshot_page.h"

namespace starling {
namespace {

constexpr int kBusyTimeoutMs = 5000;

// WAL and synchronous=FULL: an acknowledgement rests on what fsync promised. A large cache and a late checkpoint are
// where the speed of bulk writes comes from (ADR 0003). This connection alone writes and checkpoints: SQLite before
// 3.51.3 can corrupt a WAL when two do.
constexpr char kPragmas[] =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA cache_size=-65536;"
    "PRAGMA wal_autocheckpoint=4000; PRAGMA journal_size_limit=67108864;";

WorkspaceId new_workspace(Prng& prng) {
  WorkspaceId id;
  for (std::uint8_t& byte : id.raw) byte = static_cast<std::uint8_t>(prng.next());
  return id;
}

// One number over another: as a whole, or as far as a write came that failed.
bool is_written_over(std::uint64_t found, std::uint64_t before, std::uint64_t after) {
  for (std::uint64_t byte = 0xff; byte != 0; byte <<= 8)
    if ((found & byte) != (before & byte) && (found & byte) != (after & byte)) return false;
  return true;
}

}  // namespace

Store::Store() = default;

Store::~Store() {
  try {
    if (in_transaction_) rollback();
    if (!doubted_ && std::uncaught_exceptions() == 0) end_life();
  } catch (...) {  // closing the connection rolls back all the same; and then this life has not ended well
  }
}

// Whoever holds the database is not waited for. A life that did not get so far as to be opened takes no mark of another away.
void Store::end_life() {
  if (!lives_ || !rows_ || rolling_back_) return;
  sqlite3_busy_timeout(handle(), 0);
  exec("BEGIN IMMEDIATE");
  trial_->end_life();
  if (capture_) capture_->allow_commit();
  exec("COMMIT");
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
  file_ = config.file;
  vfs_ = config.vfs;
  place_of_ = config.place_of ? config.place_of : place_of_file;
  on_busy_ = config.on_busy;
  const auto busy = [](void* self, int tries) { return static_cast<Store*>(self)->on_busy_(tries) ? 1 : 0; };
  if (on_busy_) sqlite3_busy_handler(handle(), busy, this);
  set_checkpoint_on_close(false);  // until the WAL is written again: wal_rewrite.h
  db_->exec(kPragmas);
  register_guard_functions(handle(), &applying_);

  exec("BEGIN IMMEDIATE");
  in_transaction_ = true;
  rewrite_wal(handle());
  set_checkpoint_on_close(true);  // also where we then refuse: a user who moves the file alone must have all
  if (const Expected<void> migrated = migrate_format(handle(), config.file); !migrated) return migrated;
  exec(kTablesSql);
  if (const Expected<void> models = open_schema(config.models); !models) return models;
  if (const Expected<void> identity = open_identity(config, now, prng); !identity) return identity;
  const OpeningFile beside(handle());
  was_restored_ = state_->is_backup() || !is_what_was_closed(beside);
  open_nouns(config.device);
  if (was_restored_) renew_incarnation(now, prng);
  self_ordinal_ = origins_->ordinal(self());
  state_->begin_opening(prng.next());
  trial_->begin_life();
  commit();
  if (planted(PlantedBug::clock_in_memory_only)) clock_ = HlcClock();
  finish_opening(beside);
  take_up_rules();
  lives_ = true;
  return {};
}

Expected<void> Store::open_schema(const std::vector<Model>& models) {
  Expected<Schema> schema = open_models(*db_, models);
  if (!schema) return schema.error();
  add_built_in_models(*db_, *schema);
  schema_ = std::make_shared<const Schema>(std::move(*schema));
  if (const Expected<void> known = check_known_models(*schema_); !known) return known;
  for (const ModelSchema& m : schema_->models)
    if (has_grown(m)) fill_in_defaults(*db_, m);
  install(*schema_);
  switch_triggers(*db_);
  set_what_is_enforced();
  return {};
}

Expected<void> Store::open_identity(const StoreConfig& config, WallTime now, Prng& prng) {
  state_ = std::make_unique<SyncState>(handle());
  if (state_->self().device.is_zero()) {
    const Origin self{config.device, {Hlc::of(now.ms, 0), static_cast<std::uint32_t>(prng.next())}};
    state_->create(config.workspace_name, config.create ? new_workspace(prng) : WorkspaceId(), self, config.create, now);
  }
  if (const Expected<void> identity = check_identity(config); !identity) return identity;
  if (config.create && state_->workspace().is_zero()) {  // it was opened without a network before: now it begins
    state_->set_workspace(new_workspace(prng));
    state_->set_initial_sync_completed(now);
    state_->set_provisional(false);
  }
  return {};
}

void Store::open_nouns(const DeviceId& device) {
  capture_ = std::make_unique<Capture>(handle(), *schema_);
  origins_ = std::make_unique<OriginTable>(handle());
  digests_ = std::make_unique<DigestTable>(handle(), *origins_);
  rows_ = std::make_unique<RowStore>(handle(), *schema_, *origins_, *digests_);
  log_ = std::make_unique<PeerLog>(handle());
  stage_ = std::make_unique<EntryStage>(handle());
  acks_ = std::make_unique<AckStore>(handle());
  conflicts_ = std::make_unique<ConflictLog>(handle());
  quarantine_ = std::make_unique<Quarantine>(handle());
  held_ = std::make_unique<HeldChanges>(handle(), *origins_);
  trial_ = std::make_unique<TrialMark>(handle());
  members_ = std::make_unique<MemberTable>(*rows_, *schema_, *acks_, device);
  snapshot_ = std::make_unique<SnapshotStage>(handle());
  take_up_merging();
  statements_ = std::make_unique<StatementCache>();
  reset_clock();
}

// Between the two transactions the file beside us has the new number, and we have both.
void Store::finish_opening(const OpeningFile& beside) {
  beside.write(*state_->opening().next);
  begin(TransactionKind::apply);
  state_->end_opening(place_of_(beside.name()), origins_->position(self_ordinal_).rev);
  commit();
}

bool Store::is_what_was_closed(const OpeningFile& beside) const {
  const SyncState::Opening& last = state_->opening();
  if (planted(PlantedBug::copy_not_noticed)) return true;
  if (!last.place && !last.next) return true;  // it is new, or of a build that kept nothing beside it
  const std::optional<std::uint64_t> number = beside.read();
  if (last.next && number && is_written_over(*number, last.number.value_or(*last.next), *last.next)) return true;
  return last.number == number && last.place.value_or("") == place_of_(beside.name());
}

Expected<void> Store::check_identity(const StoreConfig& config) {
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

// The peers know more of the old name's streams than a copy does: what it said after the copy was made comes back from them
// like anybody else's changes, and what is written from now on stands under a name of its own. What the copy holds of those
// streams is what they all hold, as far as it is in circulation. The rest becomes drafts: this device may have been removed, and
// then others have forgotten what those entries would need to be merged.
void Store::renew_incarnation(WallTime now, Prng& prng) {
  self_ordinal_ = origins_->ordinal(self());
  const Hlc birth = std::max(Hlc::of(now.ms, 0), Hlc{self().incarnation.birth.packed + 1});
  begin_new_life({birth, static_cast<std::uint32_t>(prng.next())}, told());
  state_->forget_backup();
}

// Models keep their number for the life of the file; positions in the schema change as models come. An application may have
// changed its tables while we were away: what we know of rows then speaks of other columns, unless they only grew.
Expected<void> Store::check_known_models(const Schema& schema) {
  Statement select(handle(), "SELECT name, kind, shape FROM sync_model");
  while (select.step()) {
    const std::string name(select.column_bytes(0));
    const ModelSchema* m = schema.find(name);
    if (m == nullptr)
      return Error{Errc::schema, "this table was synchronised before and is not among the models", name,
                   "name it again: its rows would no longer be told; detach() ends synchronising for all"};
    if (static_cast<std::int64_t>(m->kind) != select.column_integer(1))
      return Error{Errc::schema, "this model was of the other kind before", name, "keep its kind, or make a new table"};
    if (select.column_is_null(2)) continue;
    ModelShape before;
    for (ByteReader r(select.column_bytes(2)); !r.rest().empty();) before.push_back(r.be64());
    if (before.size() > m->fields.size() + 1 || !check_shape(*m, before))
      return Error{Errc::schema, "a column of this synchronised table was renamed, removed, moved or changed in type or default", name,
                   "change it back, or drop the model for a new table: a synchronised table may only grow, by columns at its end"};
  }
  return {};
}

// By ALTER TABLE, while nobody had opened it.
bool Store::has_grown(const ModelSchema& m) {
  Statement select(handle(), "SELECT length(shape) FROM sync_model WHERE name=?");
  return select.text(m.name).step() && !select.column_is_null(0) && static_cast<std::size_t>(select.column_integer(0)) < 8 * shape_of(m).size();
}

// What stands in the application's schema for the engine, and the models' numbers.
void Store::install(const Schema& schema) {
  install_guards(*db_, schema);
  install_reference_indexes(*db_, schema);
  register_models(schema);
}

void Store::register_models(const Schema& schema) {
  Statement put(handle(),
                "INSERT INTO sync_model(name, kind, digest, shape) VALUES(?1,?2,?3,?4)"
                " ON CONFLICT(name) DO UPDATE SET kind=?2, digest=?3, shape=?4");
  for (const ModelSchema& m : schema.models) {
    ByteWriter shape;
    for (const std::uint64_t hash : shape_of(m)) shape.be64(hash);
    put.text(m.name).integer(static_cast<std::int64_t>(m.kind)).blob(m.digest.view()).blob(shape.bytes()).run();
  }
}

void Store::set_checkpoint_on_close(bool on) {
  (void)sqlite3_db_config(handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, on ? 0 : 1, nullptr);
}

void Store::set_what_is_enforced() {
  const auto& models = schema_->models;
  toggles_enforcement_ = std::any_of(models.begin(), models.end(),
                                     [](const ModelSchema& m) { return m.has_foreign_keys || m.has_checks; });
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

// In the middle of an application's transaction, where the pragma does nothing. begin() puts it right.
void Store::stop_enforcement() {
  if (!toggles_enforcement_ || !enforced_) return;
  sqlite3_db_config(handle(), SQLITE_DBCONFIG_ENABLE_FKEY, 0, nullptr);
  exec("PRAGMA ignore_check_constraints=ON");
  enforced_ = false;
}

std::vector<ShownChange> Store::settle(WallTime wall) {
  ASSERT(in_transaction_);
  if (rows_->pending().empty()) return {};
  stop_enforcement();
  const bool was_applying = std::exchange(applying_, true);  // for triggers: what is shown here no application has written
  std::vector<ShownChange> changes = starling::settle(*rows_, *conflicts_, wall);
  applying_ = was_applying;
  return changes;
}

// Empty: it is done. Else what SQLite says, and nothing of it stands.
std::string Store::try_settle_anew(std::span<const RowName> names, WallTime wall) {
  begin(TransactionKind::apply);
  try {
    for (const RowName& name : names) rows_->note_anew(name);
    (void)settle(wall);
    commit();
  } catch (const SQLite::Exception& e) {
    if (!is_user_error(e)) throw;
    rollback();
    return std::string("SQLite refuses it: ") + e.what();
  }
  return {};
}

void Store::explain_hidden(const RowName& name, const std::string& why) {
  begin(TransactionKind::apply);
  if (std::optional<HiddenRow> row = rows_->find_hidden(name)) {
    row->why = why;
    rows_->hidden().put(name, *row);
  }
  commit();
}

// The rules are others than when what is shown was decided: it is decided anew, for all rows.
void Store::take_up_rules() {
  constexpr std::size_t kSlice = 500;
  Statement known(handle(), "SELECT value FROM sync_meta WHERE name='rules'");
  const Hash128 now = rows_->rules().digest();
  if (known.step() ? known.column_bytes(0) == now.view() : now.is_zero()) return;
  known.reset();
  const WallTime wall{static_cast<std::int64_t>(clock_.last().ms())};
  const auto settle_all = [&](const std::vector<RowName>& names) {
    for (std::size_t at = 0; at < names.size(); at += kSlice) {
      const std::span<const RowName> slice = std::span(names).subspan(at, std::min(kSlice, names.size() - at));
      if (try_settle_anew(slice, wall).empty()) continue;
      for (const RowName& name : slice)  // what SQLite refuses stays as it is
        if (const std::string why = try_settle_anew({&name, 1}, wall); !why.empty()) explain_hidden(name, why);
    }
  };
  settle_all(rows_->hidden().all());
  for (ModelIndex m = 0; m < schema_->models.size(); ++m) {
    if (!rows_->has_rules(m)) continue;
    std::vector<RowName> names;
    rows_->read_shared(m, {}, [&](BytesView key, const RowVersion& version) {
      if (!version.death) names.push_back({m, Bytes(key)});
      return true;
    });
    settle_all(names);
  }
  begin(TransactionKind::apply);
  Statement(handle(), "INSERT OR REPLACE INTO sync_meta(name, value) VALUES('rules', ?)").blob(now.view()).run();
  commit();
}

void Store::begin(TransactionKind kind) {
  if (planted(PlantedBug::acknowledge_before_commit) && in_transaction_) commit();
  ASSERT(!in_transaction_);
  finish_rollback();
  set_enforcement(kind != TransactionKind::apply);
  exec("BEGIN IMMEDIATE");
  in_transaction_ = true;
  applying_ = kind == TransactionKind::apply;
  if (kind != TransactionKind::apply) capture_->begin(kind == TransactionKind::migration);
}

Expected<void> Store::try_begin(TransactionKind kind) {
  try {
    begin(kind);
    return {};
  } catch (const SQLite::Exception& e) {
    if ((e.getErrorCode() & 0xff) != SQLITE_BUSY) throw;
    return Error{Errc::busy, "another connection holds the database", "BEGIN", "end its transaction, then try again"};
  }
}

namespace {

// A peer that has not migrated yet numbers fields by their place: a model may grow at its end, and nothing else.
Expected<void> check_growth(const ModelSchema& before, const ModelSchema* after) {
  const auto refuse = [&](const char* what) {
    return Error{Errc::schema, what, before.name, "a synchronised table may only grow, by columns at its end"};
  };
  if (after == nullptr) return refuse("the model is no longer there");
  if (after->kind != before.kind) return refuse("the model has changed its kind");
  if (after->fields.size() < before.fields.size() || after->key != before.key) return refuse("a column or the key has changed");
  for (std::size_t i = 0; i < before.fields.size(); ++i) {
    const FieldSchema& a = before.fields[i];
    const FieldSchema& b = after->fields[i];
    if (a.name != b.name || a.affinity != b.affinity || a.not_null != b.not_null || a.default_sql != b.default_sql)
      return refuse("a column has changed its name, type, place or default");
  }
  return {};
}

}  // namespace

Expected<void> Store::replace_models(const std::vector<Model>& models) {
  ASSERT(in_transaction_ && !next_schema_);
  if (capture_->touched_anything())
    return Error{Errc::forbidden, "a migration wrote rows of a model", "", "change the schema in migrate(), then rows in write()"};
  capture_->end();
  Expected<Schema> after = open_models(*db_, models);
  if (!after) return after.error();
  add_built_in_models(*db_, *after);
  for (const ModelSchema& before : schema_->models) {
    const ModelSchema* m = after->find(before.name);
    const Expected<void> grown = check_growth(before, m);
    if (!grown) return grown.error();
    const auto added = m->fields.begin() + static_cast<std::ptrdiff_t>(before.fields.size());
    const auto has_default = [](const FieldSchema& f) { return !f.default_sql.empty(); };
    if (std::any_of(added, m->fields.end(), has_default)) fill_in_defaults(*db_, *m);
  }
  install(*after);
  next_schema_ = std::make_shared<const Schema>(std::move(*after));
  return {};
}

// After the commit of a migration: whatever was prepared for the models as they were goes. What the machine may refuse
// comes first: if it does, the store is as it was, and of no use but to be closed.
void Store::take_models() {
  switch_triggers(*db_);
  auto rows = std::make_unique<RowStore>(handle(), *next_schema_, *origins_, *digests_);
  auto members = std::make_unique<MemberTable>(*rows, *next_schema_, *acks_, self().device);
  members_ = std::move(members);
  rows_ = std::move(rows);
  statements_ = std::make_unique<StatementCache>();
  capture_.reset();  // before the next takes the connection's hooks
  schema_ = std::exchange(next_schema_, nullptr);
  capture_ = std::make_unique<Capture>(handle(), *schema_);
  set_what_is_enforced();
  take_up_rules();
}

void Store::detach() {
  begin(TransactionKind::apply);
  remove_guards(*db_);
  install_reference_indexes(*db_, Schema{});
  std::vector<std::string> tables;
  {
    Statement select(handle(), "SELECT name FROM main.sqlite_schema WHERE type='table' AND name GLOB 'sync_*'");
    while (select.step()) tables.emplace_back(select.column_bytes(0));
  }
  statements_.reset();
  rows_.reset();
  digests_.reset();
  for (const std::string& table : tables) exec(("DROP TABLE main." + quote_identifier(table)).c_str());
  capture_->allow_commit();
  exec("COMMIT");
  in_transaction_ = false;
  OpeningFile(handle()).remove();
}

Position Store::in_circulation(const Position& known) const {
  const Position ours = origins_->vector().at(self());
  const Rev rev = std::min(known.rev, ours.rev);
  if (state_->provisional()) return {rev, Seq{}, Hlc{}};
  Position most = known;
  const auto take = [&](const Position& other) {
    if (other.seq > most.seq) most = other;
  };
  take(origins_->horizon(self_ordinal_));
  for (const auto& [origin, position] : origins_->vector())
    if (origin != self()) take(origins_->seen(*origins_->find(origin)).at(self()));
  if (most.seq >= ours.seq) most = ours;
  return {rev, most.seq, most.hlc};
}

Position Store::told() const {
  Position known;
  for (const auto& [member, ack] : acks_->table().all())
    if (const Position taken = ack.vector.at(self()); taken.seq > known.seq) known = taken;
  known.rev = origins_->position(self_ordinal_).rev;
  return in_circulation(known);
}

void Store::begin_new_life(const Incarnation& incarnation, const Position& kept) {
  ASSERT(in_transaction_);
  const Ordinal before = self_ordinal_;
  const Position whole = origins_->position(before);
  if (planted(PlantedBug::untold_keeps_its_name) && kept != whole) return begin_new_life(incarnation, whole);
  Hash128 hash = origins_->last_hash(before);
  state_->set_self({self().device, incarnation});
  state_->set_provisional(true);
  self_ordinal_ = origins_->ordinal(self());
  if (kept.seq < whole.seq) {
    rows_->rename(before, self_ordinal_, kept);
    held_->rename(before, {kept, whole}, self_ordinal_, Seq{});
    origins_->advance_seq(self_ordinal_, Seq{whole.seq.value - kept.seq.value}, whole.hlc, hash, origins_->seen(before));
    const std::optional<EntryHeader> next = log_->header(before, kept.seq.next());
    hash = next ? next->previous : Hash128{};
    log_->move(before, kept.seq, self_ordinal_);
  }
  if (kept.rev < whole.rev) origins_->advance_rev(self_ordinal_, rows_->move_owned(before, kept.rev, self_ordinal_));
  origins_->put_back(before, kept, hash);
}

std::uint64_t Store::quarantined() { return quarantine_->count() + held_->count(); }

bool Store::shows_all_shared() { return held_->count() == 0 && !rows_->keeps_anything(); }

bool Store::has_rules() const {
  return std::any_of(schema_->models.begin(), schema_->models.end(), [](const ModelSchema& m) { return m.has_rules(); });
}

void Store::take_back_rows() {
  rows_->reload();
  digests_->reload();
}

VersionVector Store::known() const {
  VersionVector known = origins_->vector();
  known.join(merging_);
  return known;
}

void Store::reset_clock() { clock_ = HlcClock(std::max(origins_->vector().greatest_hlc(), merging_.greatest_hlc())); }

// Of a snapshot whose merging was begun and has not ended.
void Store::take_up_merging() {
  merging_ = {};
  if (!snapshot_->merging()) return;
  const std::optional<Bytes> first = snapshot_->page(0);
  const Expected<SnapshotHead> head = decode_snapshot_head(first ? *first : Bytes());
  if (!head) throw std::runtime_error("sync_snapshot does not hold what it must: the database is damaged");
  merging_ = head->vector();
}

void Store::commit() {
  ASSERT(in_transaction_);
  if (planted(PlantedBug::cursor_outside_transaction)) {
    capture_->allow_commit();
    exec("COMMIT; BEGIN IMMEDIATE");
  }
  (void)settle(WallTime{static_cast<std::int64_t>(clock_.last().ms())});
  origins_->flush();
  digests_->flush();
  acks_->flush();
  capture_->allow_commit();
  exec("COMMIT");
  in_transaction_ = false;
  applying_ = false;
  capture_->end();
  if (next_schema_) take_models();
}

void Store::rollback() {
  if (!in_transaction_) return;
  in_transaction_ = false;
  applying_ = false;
  if (capture_) capture_->end();  // before ROLLBACK, which its authorizer refuses to an application
  rolling_back_ = true;
  finish_rollback();
}

void Store::finish_rollback() {
  if (!rolling_back_) return;
  if (sqlite3_get_autocommit(handle()) == 0) exec("ROLLBACK");  // SQLite may have done it by itself
  if (statements_) {  // else it is still opening
    next_schema_.reset();
    origins_->reload();
    digests_->reload();
    rows_->reload();
    state_->reload();
    if (const std::optional<Ordinal> ordinal = origins_->find(self())) self_ordinal_ = *ordinal;
    log_->reload();
    held_->reload();
    quarantine_->reload();
    snapshot_->reload();
    take_up_merging();
    members_->reload();
    reset_clock();
  }
  rolling_back_ = false;
}

}  // namespace starling
