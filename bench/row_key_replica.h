// One replica, as far as the choice of the metadata's key needs it: a table of the application, the metadata of its
// rows in one of the layouts that ADR 0003 weighs, changes captured in one of the ways of ADR 0005, and a log.
//
// Each call of insert(), update() and apply() is one transaction, and writes what the engine would: the rows, their
// metadata, and one entry with the typed bytes of what changed.
#pragma once

#include <SQLiteCpp/Database.h>
#include <sqlite3.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "bench/row_key_layout.h"
#include "core/base/assert.h"
#include "core/base/value.h"
#include "core/store/statement.h"

namespace starling::bench {

using Key = std::array<char, 16>;

class Replica {
 public:
  Replica(const std::string& path, const Variant& variant, const Settings& settings)
      : variant_(variant), db_(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE), sql_(sql_of(variant.layout)) {
    create_tables(settings);
    prepare_statements();
  }

  void insert(std::span<const Key> keys) {
    begin();
    for (const Key& key : keys) {
      insert_.blob(view(key)).values(kValues).run();
      if (told()) add_told(key, true);
    }
    commit();
  }
  void update(std::span<const Key> keys) {
    begin();
    for (const Key& key : keys) {
      update_.text("vermilion").blob(view(key)).run();
      if (told()) add_told(key, false);
    }
    commit();
  }
  void apply(std::span<const Key> keys) {  // rows that a peer inserted
    const auto at_once = static_cast<std::size_t>(variant_.at_once);
    const std::size_t together = at_once > 1 ? keys.size() / at_once * at_once : 0;
    db_.exec("BEGIN IMMEDIATE");
    for (std::size_t at = 0; at < together; at += at_once) apply_rows(keys.subspan(at, at_once));
    for (const Key& key : keys.subspan(together)) apply_row(key);
    if (synchronised()) append_log(Bytes(110 * keys.size(), 'e'));
    db_.exec("COMMIT");
  }
  // Of all tables but the log, which is pruned, and the catalogue.
  std::int64_t bytes() {
    db_.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    return db_.execAndGet("SELECT sum(pgsize) FROM dbstat('main', 1) WHERE name NOT IN ('sync_log', 'sqlite_schema')");
  }

 private:
  struct Change {
    std::size_t at;  // in the arena: the key, then the values
    bool insert;
    std::int64_t rowid;
  };
  static constexpr std::size_t kKeyBytes = 17;  // typed bytes of a 16-byte blob

  // name, color, created_at, note as typed bytes
  inline static const Bytes kValues = [] {
    ByteWriter out;
    write_value(out, ValueView::text("a name of a tag"));
    write_value(out, ValueView::text("blue"));
    write_value(out, ValueView::of(std::int64_t{1'700'000'000'000}));
    write_value(out, ValueView::text("sixty bytes of English words stand here, as in the baselines."));
    return out.take();
  }();

  [[nodiscard]] bool synchronised() const { return variant_.layout != Layout::none; }
  [[nodiscard]] bool told() const { return synchronised() && variant_.capture == Capture::told; }
  [[nodiscard]] bool hooked() const {
    return synchronised() && (variant_.capture == Capture::hook || variant_.capture == Capture::reread);
  }
  [[nodiscard]] bool by_key() const {
    return variant_.layout == Layout::canonical || variant_.layout == Layout::indexed;
  }
  static BytesView view(const Key& key) { return {key.data(), key.size()}; }
  [[nodiscard]] BytesView key_of(const Change& change) const {
    return BytesView(arena_.bytes()).substr(change.at, kKeyBytes);
  }

  void create_tables(const Settings& settings) {
    db_.exec("PRAGMA page_size = " + std::to_string(settings.page_size));
    db_.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY");
    db_.exec("PRAGMA cache_size = -" + std::to_string(settings.cache_kib));
    db_.exec("PRAGMA wal_autocheckpoint = " + std::to_string(settings.wal_autocheckpoint));
    db_.exec("CREATE TABLE tag(id BLOB PRIMARY KEY NOT NULL, name TEXT, color TEXT, created_at INTEGER, note TEXT)");
    db_.exec("CREATE TABLE sync_log(origin INTEGER, seq INTEGER, entry BLOB, PRIMARY KEY(origin, seq)) WITHOUT ROWID");
    db_.exec("CREATE TEMP TABLE pending(key BLOB, changed INTEGER)");
    db_.exec(sql_.tables);
    const auto guard = [](sqlite3_context*, int, sqlite3_value**) {};
    db_.createFunction("starling_guard", 0, true, nullptr, guard);
    for (const std::string op : {"INSERT", "UPDATE", "DELETE"}) {
      if (!variant_.guard) break;
      db_.exec("CREATE TRIGGER sync_guard_" + op + " AFTER " + op +
               " ON tag WHEN 0 BEGIN SELECT starling_guard(); END");
    }
    if (variant_.capture == Capture::triggers) {
      db_.exec("CREATE TEMP TRIGGER on_insert AFTER INSERT ON tag BEGIN INSERT INTO pending VALUES(NEW.id, NULL); END");
      db_.exec(
          "CREATE TEMP TRIGGER on_update AFTER UPDATE ON tag BEGIN INSERT INTO pending VALUES(NEW.id, "
          "(OLD.name IS NOT NEW.name) * 2 + (OLD.color IS NOT NEW.color) * 4 + "
          "(OLD.created_at IS NOT NEW.created_at) * 8 + (OLD.note IS NOT NEW.note) * 16); END");
    }
  }
  void prepare_statements() {
    const auto prepare = [&](const std::string& sql) {
      return sql.empty() ? Statement() : Statement(db_.getHandle(), sql);
    };
    insert_ = prepare("INSERT INTO tag(id, name, color, created_at, note) VALUES(?1, ?2, ?3, ?4, ?5)");
    update_ = prepare("UPDATE tag SET color = ?1 WHERE id = ?2");
    select_ = prepare("SELECT name, color, created_at, note FROM tag WHERE id = ?1");
    pending_ = prepare("SELECT key, changed, name, color, created_at, note FROM pending JOIN tag ON id = key");
    log_ = prepare("INSERT INTO sync_log VALUES(1, ?1, ?2)");
    create_ = prepare(sql_.create), create_if_absent_ = prepare(sql_.create_if_absent), apply_ = prepare(sql_.apply);
    read_ = prepare(sql_.read), stamp_ = prepare(sql_.stamp);
    if (variant_.at_once > 1) {
      create_many_ = prepare(repeat_values(sql_.create_if_absent, variant_.at_once));
      apply_many_ = prepare(repeat_values(sql_.apply, variant_.at_once));
    }
    if (synchronised() && !by_key()) dead_ = prepare("SELECT 1 FROM sync_dead WHERE model = 3 AND key = ?1");
  }

  void begin() {
    arena_.clear();
    changes_.clear();
    sqlite3_preupdate_hook(db_.getHandle(), hooked() ? on_change : nullptr, this);
    db_.exec("BEGIN IMMEDIATE");
  }
  void commit() {
    sqlite3_preupdate_hook(db_.getHandle(), nullptr, nullptr);
    if (synchronised() && variant_.capture == Capture::reread) reread();
    if (synchronised() && variant_.capture == Capture::triggers) read_pending();
    if (synchronised()) fold();
    db_.exec("COMMIT");
  }

  void add_told(const Key& key, bool insert) {
    changes_.push_back({arena_.size(), insert, 0});
    write_value(arena_, ValueView::blob(view(key)));
    insert ? arena_.raw(kValues) : write_value(arena_, ValueView::text("vermilion"));
  }
  static void on_change(void* self, sqlite3* db, int op, const char*, const char* table, sqlite3_int64 rowid,
                        sqlite3_int64) {
    if (BytesView(table) == "tag") static_cast<Replica*>(self)->record(db, op == SQLITE_INSERT, rowid);
  }
  static ValueView to_view(sqlite3_value* value) {
    const int type = sqlite3_value_type(value);
    if (type == SQLITE_INTEGER) return ValueView::of(std::int64_t{sqlite3_value_int64(value)});
    const void* data = sqlite3_value_blob(value);
    const BytesView bytes(static_cast<const char*>(data), static_cast<std::size_t>(sqlite3_value_bytes(value)));
    return type == SQLITE_TEXT ? ValueView::text(bytes) : ValueView::blob(bytes);
  }
  void record(sqlite3* db, bool insert, std::int64_t rowid) {
    changes_.push_back({arena_.size(), insert, rowid});
    for (int column = 0; column < 5; ++column) {
      sqlite3_value *now = nullptr, *before = nullptr;
      if (!insert) sqlite3_preupdate_old(db, column, &before);
      if (column == 0 || variant_.capture == Capture::hook) {
        sqlite3_preupdate_new(db, column, &now);
        const ValueView a = to_view(now), b = insert ? a : to_view(before);
        if (insert || column == 0 || a.integer != b.integer || a.bytes != b.bytes) write_value(arena_, a);
      } else if (!insert) {
        write_value(old_, to_view(before));
      }
    }
  }
  void reread() {
    for (const Change& change : changes_) {
      ASSERT(select_.blob(key_of(change).substr(1)).step());
      for (int i = 0; i < 4; ++i) {
        if (change.insert || i == 1) write_value(arena_, select_.column_value(i));
      }
      select_.reset();
    }
    old_.clear();
  }
  void read_pending() {
    while (pending_.step()) {
      const std::int64_t mask = pending_.column_is_null(1) ? 31 : pending_.column_integer(1);
      changes_.push_back({arena_.size(), mask == 31, 0});
      write_value(arena_, pending_.column_value(0));
      for (int i = 1; i < 5; ++i) {
        if ((mask >> i & 1) != 0) write_value(arena_, pending_.column_value(i + 1));
      }
    }
    pending_.reset();
    db_.exec("DELETE FROM pending");
  }

  void fold() {
    ByteWriter entry;
    entry.raw(arena_.bytes());
    const Bytes stamp(11, '\2');  // field, HLC, origin
    std::vector<Change> inserts;
    for (const Change& change : changes_) {
      if (change.insert) {
        if (!by_key()) dead_.blob(key_of(change)).run();
        inserts.push_back(change);
        continue;
      }
      ASSERT(address(read_, change).step());
      entry.be64(static_cast<std::uint64_t>(read_.column_integer(0)));  // the generation that the update saw
      read_.reset();
      address(stamp_, change).blob(stamp).run();
    }
    const auto at_once = static_cast<std::size_t>(variant_.at_once);
    std::size_t at = 0;
    for (; at_once > 1 && at + at_once <= inserts.size(); at += at_once) {
      for (std::size_t i = 0; i < at_once; ++i) address(create_many_, inserts[at + i]).integer(1).integer(++hlc_);
      create_many_.run();
      ASSERT(sqlite3_changes(db_.getHandle()) == variant_.at_once);  // else the engine would write row by row
    }
    for (; at < inserts.size(); ++at) address(create_, inserts[at]).integer(1).integer(++hlc_).run();
    append_log(entry.bytes());
  }
  Statement& address(Statement& statement, const Change& change) {
    return by_key() ? statement.blob(key_of(change)) : statement.integer(change.rowid);
  }
  // All rows are new here, which the count of changes tells; else the engine would go row by row.
  void apply_rows(std::span<const Key> keys) {
    ByteWriter canonical;
    for (const Key& key : keys) write_value(canonical, ValueView::blob(view(key)));
    for (std::size_t i = 0; i < keys.size(); ++i) {
      create_many_.blob(BytesView(canonical.bytes()).substr(i * kKeyBytes, kKeyBytes)).integer(2).integer(++hlc_);
    }
    create_many_.run();
    ASSERT(sqlite3_changes(db_.getHandle()) == variant_.at_once);
    for (const Key& key : keys) apply_many_.blob(view(key)).values(kValues);
    apply_many_.run();
  }
  void apply_row(const Key& key) {
    ByteWriter canonical;
    write_value(canonical, ValueView::blob(view(key)));
    if (by_key()) {
      if (variant_.select && read_.blob(canonical.bytes()).step()) return;
      if (variant_.select) read_.reset();
      create_if_absent_.blob(canonical.bytes()).integer(2).integer(++hlc_).run();
      if (sqlite3_changes(db_.getHandle()) == 0) return;
    } else if (synchronised()) {
      dead_.blob(canonical.bytes()).run();
    }
    apply_.blob(view(key)).values(kValues);
    if (variant_.layout == Layout::hidden) apply_.integer(++hlc_);
    apply_.run();
    if (variant_.layout == Layout::integer)
      create_if_absent_.integer(db_.getLastInsertRowid()).integer(2).integer(++hlc_).run();
  }
  void append_log(const Bytes& entry) { log_.integer(++seq_).blob(entry).run(); }

  const Variant& variant_;
  SQLite::Database db_;
  LayoutSql sql_;
  Statement insert_, update_, select_, pending_, log_, apply_, create_, create_if_absent_, read_, stamp_, dead_;
  Statement create_many_, apply_many_;
  ByteWriter arena_, old_;
  std::vector<Change> changes_;
  std::int64_t hlc_ = 1'700'000'000'000 << 16, seq_ = 0;
};

}  // namespace starling::bench
