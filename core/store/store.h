// The store: one SQLite file, one writer connection, and one transaction at a time.
//
// It owns the connection and everything that speaks to it, wires capture, guards and tables, and knows when a
// transaction begins and ends. What is kept in memory (positions, clock) is written by commit() in the same transaction
// as what it describes, and taken back from the file by rollback(): memory never says more than the disk.
// Acknowledgements are the peers' own words about their disks; they are written with the next commit, and a rollback
// takes nothing of them back. The application's own tables live in the same file.
//
// Not thread-safe: the caller holds the writer lock. A failing machine throws SQLite::Exception.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/prng.h"
#include "core/base/schema.h"
#include "core/causal/hlc.h"
#include "core/causal/version_vector.h"

namespace SQLite {
class Database;
}
struct sqlite3;

namespace starling {

struct RowName;
struct ShownChange;
class AckStore;
class Capture;
class ConflictLog;
class DigestTable;
class EntryStage;
class HeldChanges;
class MemberTable;
class OpeningFile;
class OriginTable;
class PeerLog;
class Quarantine;
class RowStore;
class SnapshotStage;
class StatementCache;
class SyncState;
class TrialMark;

struct StoreConfig {
  std::string file;
  std::string vfs;  // empty: the platform's
  std::vector<Model> models;
  std::string workspace_name;
  bool create = false;  // a new file opens a new workspace; else it waits for the id of its first peer
  DeviceId device;
  // What tells a file from any copy of it (opening_file.h). Empty: the file system is asked.
  std::function<std::string(const std::string& file)> place_of;
  // Called while another connection writes: may sleep; false: give up, and begin() throws SQLITE_BUSY. Empty: SQLite
  // waits for some seconds by itself.
  std::function<bool(int tries)> on_busy;
};

enum class TransactionKind {
  local,  // an application writes: captured, constraints enforced
  apply,  // changes from elsewhere: not captured, foreign keys and CHECK unenforced
  migration,  // an application changes its schema: replace_models() before the commit
};

class Store {
 public:
  // Opens or creates the file, the engine's tables, the models' tables and their guards. Errors: a model that cannot
  // be synchronised, a file of another workspace, device or format.
  [[nodiscard]] static Expected<std::unique_ptr<Store>> open(const StoreConfig&, WallTime, Prng&);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  void begin(TransactionKind);  // BEGIN IMMEDIATE
  [[nodiscard]] Expected<void> try_begin(TransactionKind);  // the same; Errc::busy while another connection writes
  void commit();                // durable when it returns
  void rollback();              // also in memory; no-op outside a transaction
  // Does what is left of a rollback that the machine did not let finish, and throws while it still does not: until then
  // memory says nothing that may be told. No-op otherwise. begin() does it, too.
  void finish_rollback();
  [[nodiscard]] bool in_transaction() const { return in_transaction_; }
  // The file was not the one that this device closed when it was opened: a backup, or a copy. Its name was another then.
  [[nodiscard]] bool was_restored() const { return was_restored_; }

  // After a migration's DDL: what the models are now. They take effect with the commit. Errors: a model that cannot be
  // synchronised, or that did anything but grow by fields at its end; a row of a model was written.
  [[nodiscard]] Expected<void> replace_models(const std::vector<Model>&);

  // Removes every table and trigger of the engine's; the application's tables stay. The store is of no use afterwards.
  void detach();

  // Shows what was merged into models with rules, and hides what that beats (visibility.h). In a transaction; after an
  // application's changes were folded. Gives what the application sees of it beyond what it wrote itself. commit() does
  // it too, and then nobody is told.
  [[nodiscard]] std::vector<ShownChange> settle(WallTime);

  [[nodiscard]] bool has_rules() const;  // any model
  // Something threw that nobody expects: this life does not end well, whoever closes it (trial_mark.h).
  void doubt() { doubted_ = true; }
  // After a rollback to a savepoint within the transaction, before which the digests were flushed: rows and digests are as then.
  void take_back_rows();

  // What we hold, and what a snapshot that is being merged says: what our own changes may have seen.
  [[nodiscard]] VersionVector known() const;
  void set_merging(VersionVector v) { merging_ = std::move(v); }
  [[nodiscard]] const VersionVector& merging() const { return merging_; }

  // How far our streams are in circulation for certain, where others hold `known` of them: so far, what others have built
  // upon in entries that we hold, and what was dropped, for all had that. What lies beyond may be known to nobody. Of a log
  // of drafts: nothing.
  [[nodiscard]] Position in_circulation(const Position& known) const;
  [[nodiscard]] Position told() const;  // the same, by what members have acknowledged; and our revision

  // Takes another name for what this device will write; in a transaction. Of what it wrote under the former one that stays
  // there which lies within `kept`. The rest becomes this life's: entries as drafts, which are stamped anew when it has
  // caught up (core/replica/rebase.h), rows of its own under new revisions.
  void begin_new_life(const Incarnation&, const Position& kept);

  [[nodiscard]] const Schema& schema() const { return *schema_; }
  [[nodiscard]] const std::shared_ptr<const Schema>& shared_schema() const { return schema_; }  // for what outlives it
  [[nodiscard]] const Origin& self() const;
  [[nodiscard]] Ordinal self_ordinal() const { return self_ordinal_; }
  [[nodiscard]] HlcClock& clock() { return clock_; }
  void reset_clock();  // to the greatest stamp that our vector covers

  [[nodiscard]] Capture& capture() { return *capture_; }
  [[nodiscard]] OriginTable& origins() { return *origins_; }
  [[nodiscard]] DigestTable& digests() { return *digests_; }
  [[nodiscard]] RowStore& rows() { return *rows_; }
  [[nodiscard]] PeerLog& log() { return *log_; }
  [[nodiscard]] EntryStage& stage() { return *stage_; }
  [[nodiscard]] AckStore& acks() { return *acks_; }
  [[nodiscard]] MemberTable& members() { return *members_; }
  [[nodiscard]] SnapshotStage& snapshot() { return *snapshot_; }
  [[nodiscard]] ConflictLog& conflicts() { return *conflicts_; }
  [[nodiscard]] Quarantine& quarantine() { return *quarantine_; }
  [[nodiscard]] HeldChanges& held() { return *held_; }
  [[nodiscard]] TrialMark& trial() { return *trial_; }
  // Device-owned rows and changes of shared ones that cannot be applied here yet.
  [[nodiscard]] std::uint64_t quarantined();
  // Whether the shared rows here are all that our vector says, so that others may have them of us.
  [[nodiscard]] bool shows_all_shared();
  [[nodiscard]] SyncState& state() { return *state_; }
  [[nodiscard]] StatementCache& statements() { return *statements_; }

  [[nodiscard]] SQLite::Database& database() { return *db_; }
  [[nodiscard]] const std::string& file() const { return file_; }
  [[nodiscard]] const std::string& vfs() const { return vfs_; }
  [[nodiscard]] sqlite3* handle();
  [[nodiscard]] bool applying() const { return applying_; }

 private:
  Store();
  Expected<void> open_file(const StoreConfig&, WallTime, Prng&);
  [[nodiscard]] Expected<void> open_schema(const std::vector<Model>&);
  [[nodiscard]] Expected<void> open_identity(const StoreConfig&, WallTime, Prng&);
  void open_nouns(const DeviceId&);
  Expected<void> check_identity(const StoreConfig&);
  void take_models();
  [[nodiscard]] bool has_grown(const ModelSchema&);
  [[nodiscard]] std::string try_settle_anew(std::span<const RowName>, WallTime);
  void explain_hidden(const RowName&, const std::string& why);
  [[nodiscard]] Expected<void> check_known_models(const Schema&);
  void install(const Schema&);
  void register_models(const Schema&);
  void set_checkpoint_on_close(bool on);
  void set_what_is_enforced();
  [[nodiscard]] bool is_what_was_closed(const OpeningFile&) const;
  void renew_incarnation(WallTime, Prng&);
  void finish_opening(const OpeningFile&);
  void set_enforcement(bool on);
  void stop_enforcement();
  void take_up_rules();
  void exec(const char* sql);
  void end_life();
  void take_up_merging();

  std::string file_, vfs_;
  std::function<std::string(const std::string&)> place_of_;
  std::unique_ptr<SQLite::Database> db_;
  std::shared_ptr<const Schema> schema_;
  std::shared_ptr<const Schema> next_schema_;  // of the migration that is under way
  HlcClock clock_;
  std::unique_ptr<Capture> capture_;
  std::unique_ptr<SyncState> state_;
  std::unique_ptr<OriginTable> origins_;
  std::unique_ptr<DigestTable> digests_;
  std::unique_ptr<RowStore> rows_;
  std::unique_ptr<PeerLog> log_;
  std::unique_ptr<EntryStage> stage_;
  std::unique_ptr<AckStore> acks_;
  std::unique_ptr<MemberTable> members_;
  std::unique_ptr<SnapshotStage> snapshot_;
  VersionVector merging_;
  std::unique_ptr<ConflictLog> conflicts_;
  std::unique_ptr<Quarantine> quarantine_;
  std::unique_ptr<HeldChanges> held_;
  std::unique_ptr<TrialMark> trial_;
  std::unique_ptr<StatementCache> statements_;
  Ordinal self_ordinal_ = 0;
  bool in_transaction_ = false;
  bool rolling_back_ = false;
  bool was_restored_ = false;
  bool doubted_ = false;
  bool lives_ = false;  // it was opened whole
  bool applying_ = false;
  bool enforced_ = true;
  std::function<bool(int)> on_busy_;
  bool toggles_enforcement_ = false;  // a model has foreign keys or CHECK constraints
};

}  // namespace starling
