// What each verb of a scenario does to a world.
#include <sqlite3.h>

#include <algorithm>
#include <stdexcept>

#include "core/replica/migration.h"
#include "core/store/member_table.h"
#include "core/store/store.h"
#include "core/store/tables.h"
#include "tests/sim/oracle.h"
#include "tests/sim/world.h"

namespace starling::sim {
namespace {

// A connection as another program would have it, on the same disk.
class ForeignConnection {
 public:
  explicit ForeignConnection(SimNode& node, const char* file = kDatabaseFile) : calm_(node.disk()) {
    constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    if (sqlite3_open_v2(file, &db_, kFlags, node.disk().vfs().c_str()) == SQLITE_OK)
      sqlite3_db_config(db_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);  // one that closes last would take the WAL along
  }
  ~ForeignConnection() { sqlite3_close(db_); }
  ForeignConnection(const ForeignConnection&) = delete;
  ForeignConnection& operator=(const ForeignConnection&) = delete;
  bool exec(const std::string& sql) { return sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK; }
  [[nodiscard]] int rows_changed() const { return sqlite3_total_changes(db_); }
  void copy_from(ForeignConnection& source) {
    sqlite3_backup* const copy = sqlite3_backup_init(db_, "main", source.db_, "main");
    const int code = copy != nullptr ? sqlite3_backup_step(copy, -1) : SQLITE_ERROR;
    if (sqlite3_backup_finish(copy) != SQLITE_OK || code != SQLITE_DONE)
      throw std::runtime_error(std::string("a backup fails: ") + sqlite3_errmsg(db_) + "; " + sqlite3_errmsg(source.db_));
  }

 private:
  const Disk::Calm calm_;
  sqlite3* db_ = nullptr;
};

// What the engine's backup (core/store/backup.h, which needs real files) makes of a living database: SQLite's copy, marked.
Disk::Image backup_of(SimNode& node) {
  constexpr const char* kTarget = "backup.db";
  {
    ForeignConnection source(node);
    ForeignConnection target(node, kTarget);
    target.copy_from(source);
    const std::string mark = std::string("INSERT OR REPLACE INTO sync_meta(name, value) VALUES('") + kBackupMark + "', 1)";
    if (!target.exec("PRAGMA journal_mode=DELETE") || !target.exec(mark)) throw std::runtime_error("a backup takes no mark");
  }
  Disk::Image backup = {{kDatabaseFile, node.disk().image().at(kTarget)}};
  node.disk().erase(kTarget);
  return backup;
}

constexpr char kUpgrade[] = "ALTER TABLE note ADD COLUMN extra TEXT DEFAULT 'new'; ALTER TABLE file ADD COLUMN extra";
constexpr char kMemo[] = "CREATE TABLE memo (id TEXT PRIMARY KEY NOT NULL, text, n INTEGER)";

}  // namespace

// In some worlds devices create labels on their own, not all with the same values.
Model World::with_seeds(Model label, const std::string& device) const {
  if (scenario_.seed % 4 != 3) return label;
  return label.seed(device.front() % 2 == 0 ? "'l0', 'zero'" : "'l0', NULL").seed("'l1', 'one'");
}

std::vector<Model> World::models_of(const std::string& device, bool upgraded) const {
  std::vector<Model> models = sim_models();
  models.at(1) = with_seeds(std::move(models.at(1)), device);
  if (!upgraded) return models;
  models.front().ddl.insert(models.front().ddl.rfind(')'), ", extra TEXT DEFAULT 'new'");
  models.back().ddl.insert(models.back().ddl.rfind(')'), ", extra");
  models.push_back(Model::from_sql(kMemo, Kind::shared));
  return models;
}

bool World::act(const Action& action) {
  switch (stream_of(action.verb)) {
    case Stream::topology: return act_on_topology(action);
    case Stream::workload:
      if (action.verb == Verb::foreign_write) return write_behind_the_engine(node(action.a));
      write(node(action.a), action);
      return false;
    case Stream::network: return act_on_network(action);
    case Stream::disk: return act_on_disk(action);
    case Stream::clock: return act_on_clock(action);
    case Stream::crash: return act_on_process(action);
  }
  return false;
}

// ---- Writes ----

void World::write(SimNode& one, const Action& action) {
  if (!one.running()) return;
  const VersionVector before = one.vector();
  const Expected<LocalCommit> commit = one.try_write([&](Transaction& t) -> Expected<void> {
    for (const Edit& edit : action.edits) {
      if (const Expected<void> done = apply_edit(t, edit, one.name()); !done) return done;
      if (upgraded_.contains(one.name())) apply_newer_edit(t, edit, one.name());
    }
    if (action.verb == Verb::abandon) return Error{Errc::invalid_argument, "the application thinks better of it", "", ""};
    return {};
  });
  if (commit) ++rare_["commits"];
  else if (!one.alive()) ++rare_["a process died inside a write"];
  else if (commit.error().code == Errc::stopped) ++rare_["a disk failed inside a write"];
  else ++rare_["writes refused or abandoned"];
  if (commit || !one.alive() || commit.error().code == Errc::stopped) return;
  const Errc code = commit.error().code;
  const bool stole = code == Errc::not_owner && std::any_of(action.edits.begin(), action.edits.end(),
                                                            [](const Edit& e) { return e.kind == EditKind::steal_file; });
  const bool doubled = code == Errc::identity_conflict && one.status().doubled;
  if (!(code == Errc::invalid_argument && action.verb == Verb::abandon) && !stole && !doubled && code != Errc::too_large)
    complain(one.name() + " refuses a write: " + commit.error().text());
  if (one.vector() != before) complain(one.name() + " has committed a write that it refused");
}

bool World::write_behind_the_engine(SimNode& one) {
  if (!one.running()) return false;
  ForeignConnection connection(one);
  for (const char* sql : {"INSERT INTO note(id) VALUES('foreign')", "UPDATE note SET title='foreign'", "DELETE FROM file"}) connection.exec(sql);
  if (connection.rows_changed() > 0) complain(one.name() + " was written by another connection, and nobody noticed");
  return true;
}

// ---- Topology and operators ----

bool World::act_on_topology(const Action& action) {
  SimNode& one = node(action.a);
  switch (action.verb) {
    case Verb::connect:
      if (!removed_.contains(action.a) && !removed_.contains(action.b)) cluster_.connect(one, node(action.b));
      return false;
    case Verb::disconnect: cluster_.disconnect(one, node(action.b)); return true;
    case Verb::remove: return remove(action.a);
    case Verb::readmit: readmit(action.a); return false;
    case Verb::wipe: return wipe(one);
    case Verb::back_up: keep(one, backups_, backup_of); return false;
    case Verb::restore: return put_back(one, backups_);
    case Verb::copy_disk: keep(one, copies_, [](SimNode& node) { return node.disk().image(); }); return false;
    case Verb::put_back: return put_back(one, copies_);
    case Verb::clone: return clone(one);
    default: return upgrade(one);
  }
}

// A device loses its database, though not its key: what nobody has of it yet is lost. Not the only one that has joined.
bool World::wipe(SimNode& lost) {
  if (!others_have_joined(lost)) return false;
  lost.wipe();
  replace_disk(lost, {{}, models_of(lost.name(), upgraded_.contains(lost.name()))});
  return true;
}

bool World::others_have_joined(const SimNode& one) {
  const Devices all = everybody();
  return std::any_of(all.begin(), all.end(), [&](std::size_t i) {
    return &node(i) != &one && node(i).alive() && node(i).status().initial_sync_completed;
  });
}

void World::keep(SimNode& one, std::map<std::string, Copy>& copies, Disk::Image (*image_of)(SimNode&)) {
  if (one.alive()) copies[one.name()] = {image_of(one), one.models(), one.status().initial_sync_completed};
}

bool World::put_back(SimNode& one, const std::map<std::string, Copy>& copies) {
  if (!copies.contains(one.name())) return false;
  if (!copies.at(one.name()).joined && !others_have_joined(one)) return false;  // nobody would have the workspace any more
  replace_disk(one, copies.at(one.name()));
  return true;
}

void World::replace_disk(SimNode& one, const Copy& copy) {
  one.set_clock_ahead(0ms);  // a life that begins with its clock behind is another story: identity_test.cpp
  one.put_in(copy.image);
  one.disk().forget_plans();
  one.replace_models(copy.models);
  upgraded_.erase(one.name());
  picky_.erase(one.name());
  start(one);
}

bool World::clone(SimNode& one) {
  if (!one.alive() || cloned_) return false;
  cloned_ = true;
  SimNode& second = cluster_.add(one.name() + "2", one.device(), false);
  replace_disk(second, {one.disk().image(), one.models()});
  cluster_.connect_all();
  return true;
}

// By whoever can; its links are taken away as well.
bool World::remove(std::size_t which) {
  if (removed_.contains(which)) return false;
  const Devices all = everybody();
  const auto removes = [&](std::size_t i) { return i != which && !removed_.contains(i) && node(i).running() && node(i).remove_member(node(which)); };
  if (std::none_of(all.begin(), all.end(), removes)) return false;
  removed_.try_emplace(which);
  for (const std::size_t i : all) {
    if (i == which || !cluster_.network().connects(node(which), node(i))) continue;
    removed_[which].push_back(i);
    cluster_.disconnect(node(which), node(i));
  }
  return true;
}

// With an empty disk, once somebody who has heard of the removal admits it; where nobody has, it was none.
void World::readmit(std::size_t which) {
  if (!removed_.contains(which)) return;
  const Devices all = everybody();
  const auto knows = [&](std::size_t i) { return i != which && node(i).running() && node(i).store().members().is_removed(node(which).device()); };
  const auto admits = [&](std::size_t i) { return knows(i) && node(i).readmit_member(node(which)); };
  if (std::any_of(all.begin(), all.end(), knows) && std::none_of(all.begin(), all.end(), admits)) return;  // not now
  node(which).set_clock_ahead(0ms);
  if (scenario_.seed % 3 != 0) (void)wipe(node(which));
  start(node(which));
  for (const std::size_t i : removed_[which]) cluster_.connect(node(which), node(i));
  removed_.erase(which);
  ++rare_["a removed device came back"];
  forget_refusals();
}

// The application of one device begins to keep one thing more about a note and a file, and memos.
bool World::upgrade(SimNode& one) {
  if (!one.running() || upgraded_.contains(one.name())) return false;
  versions_differ_ = true;
  const std::uint64_t waited = one.store().quarantined();
  if (!one.migrate(kUpgrade, models_of(one.name(), true))) {
    one.replace_models({Model::existing("note", Kind::shared), with_seeds(Model::existing("label", Kind::shared), one.name()),
                        Model::existing("note_label", Kind::shared), Model::existing("posting", Kind::shared),
                        Model::existing("account", Kind::shared),
                        Model::existing("task", Kind::shared).on_dangling("parent", Dangling::cascade).on_dangling("account", Dangling::set_null),
                        Model::existing("file", Kind::device_owned),
                        Model::from_sql(kMemo, Kind::shared)});  // until start() has seen whether it is done
    return true;
  }
  if (one.alive() && one.store().quarantined() < waited) ++rare_["quarantine released by upgrade"];
  upgraded_.insert(one.name());
  forget_refusals();
  return true;
}

// ---- Network ----

bool World::act_on_network(const Action& action) {
  Network& network = cluster_.network();
  SimNode& a = node(action.a);
  SimNode& b = node(action.b);
  switch (action.verb) {
    case Verb::break_link: network.break_connection(a, b); return false;
    case Verb::cut: network.cut_after(a, b, static_cast<std::uint64_t>(action.numbers[0])); return false;
    case Verb::stall: network.stall(a, b); return true;
    case Verb::release: network.release(a, b); return false;
    case Verb::clog: network.clog(a, b, std::chrono::milliseconds(action.numbers[0])); return true;
    case Verb::quality:
      if (action.numbers[2] > 0) slow_.emplace(action.a, action.b);
      network.set_quality(a, b, {std::chrono::milliseconds(action.numbers[0]), std::chrono::milliseconds(action.numbers[1]),
                                 static_cast<std::uint64_t>(action.numbers[2])});
      return false;
    case Verb::overtake: network.overtake(a, b); return false;
    case Verb::repeat: network.replay(a, b); return false;
    default: network.config.outbox_max = static_cast<std::size_t>(action.numbers[0]); return false;
  }
}

// ---- Disk ----

bool World::act_on_disk(const Action& action) {
  SimNode& one = node(action.a);
  Disk& disk = one.disk();
  const auto number = [&](std::size_t i) { return static_cast<std::uint64_t>(action.numbers[i]); };
  switch (action.verb) {
    case Verb::fail: disk.fail(DiskFault{static_cast<int>(action.numbers[0])}, number(1), number(2)); return false;
    case Verb::short_read:
      one.kill();  // what it holds in its cache it does not read
      disk.fail(DiskFault::short_read, number(0), 1);
      start(one);
      return false;
    case Verb::room: {
      std::uint64_t used = 0;
      for (const auto& [name, bytes] : disk.image()) used += bytes.size();
      disk.set_room(used + number(0));
      return false;
    }
    case Verb::repair:
      disk.mend();
      start(one);
      return false;
    case Verb::flip: {
      Prng chance(number(1));
      (void)disk.flip_byte(chance, number(0) == 0 ? Disk::Part::database : Disk::Part::wal);
      return false;
    }
    default: set_picky(one, action.verb == Verb::refuse_rows); return action.verb == Verb::refuse_rows;
  }
}

// An application that takes no note whose title is a number. What is refused comes once it may.
void World::set_picky(SimNode& one, bool picky) {
  if (!one.running() || picky == picky_.contains(one.name())) return;
  one.execute_behind_the_engine(picky ? "CREATE TRIGGER picky BEFORE INSERT ON note WHEN typeof(NEW.title) = 'integer'"
                                        " BEGIN SELECT RAISE(ABORT, 'picky'); END"
                                      : "DROP TRIGGER picky");
  one.kill();
  picky_.erase(one.name());
  start(one);
}

// ---- Clock and process ----

bool World::act_on_clock(const Action& action) {
  SimNode& one = node(action.a);
  switch (action.verb) {
    case Verb::step_clock: {
      if (!one.alive()) return false;  // see replace_disk
      const std::chrono::milliseconds ahead(action.numbers[0]);
      most_ahead_ = std::max(most_ahead_, ahead);
      one.set_clock_ahead(ahead);
      return true;
    }
    case Verb::drift: one.set_drift(action.numbers[0]); return true;
    case Verb::suspend: one.suspend(); return true;
    case Verb::wake: one.wake(); return false;
    case Verb::come_back: start(one); return false;
    default:
      one.kill();
      cluster_.timeline().skip_wall_time(std::chrono::hours(24 * 365));
      return true;
  }
}

bool World::act_on_process(const Action& action) {
  SimNode& one = node(action.a);
  const bool alive = one.alive();
  const auto random = [&](std::size_t i) { return Prng(static_cast<std::uint64_t>(action.numbers[i])); };
  switch (action.verb) {
    case Verb::kill: one.kill(); return alive;
    case Verb::cut_power: one.cut_power(random(0)); return alive;
    case Verb::die_in:
      one.kill_in(static_cast<std::uint64_t>(action.numbers[0]), action.numbers[1] < 0 ? std::nullopt : std::optional(random(1)));
      return false;
    default: start(one); return false;
  }
}

// What an operator does who finds something in quarantine.
void World::retry_quarantines(const Devices& which) {
  for (const std::size_t i : which)
    if (node(i).running()) node(i).retry_quarantine();
}

void World::start(SimNode& one) {
  if (one.alive()) return;
  if (!one.restart()) {
    ++rare_["a process died while it started"];
    return;
  }
  complain_of_node(one, cluster_.ledger(), complaints_);
  if (one.text("SELECT 1 FROM sqlite_master WHERE name='picky'") == "1") picky_.insert(one.name());
  if (one.text("SELECT 1 FROM pragma_table_info('note') WHERE name='extra'") != "1") return;
  one.replace_models(models_of(one.name(), true));
  upgraded_.insert(one.name());
}

}  // namespace starling::sim
