// What each verb of a scenario does to a world.
#include <sqlite3.h>

#include "core/replica/migration.h"
#include "core/store/tables.h"
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
  void copy_from(ForeignConnection& source) {
    sqlite3_backup* const copy = sqlite3_backup_init(db_, "main", source.db_, "main");
    (void)sqlite3_backup_step(copy, -1);
    (void)sqlite3_backup_finish(copy);
  }

 private:
  const Disk::Calm calm_;
  sqlite3* db_ = nullptr;
};

// What the engine's own backup makes of a living database: SQLite's copy of it, with a mark.
Disk::Image backup_of(SimNode& node) {
  constexpr const char* kTarget = "backup.db";
  {
    ForeignConnection source(node);
    ForeignConnection target(node, kTarget);
    target.copy_from(source);
    target.exec("PRAGMA journal_mode=DELETE");
    target.exec(std::string("INSERT OR REPLACE INTO sync_meta(name, value) VALUES('") + kBackupMark + "', 1)");
  }
  Disk::Image backup = {{kDatabaseFile, node.disk().image().at(kTarget)}};
  node.disk().remove(kTarget);
  return backup;
}

std::vector<Model> upgraded_models() {
  std::vector<Model> models = sim_models();
  models.front().ddl.insert(models.front().ddl.rfind(')'), ", extra TEXT DEFAULT 'new'");
  return models;
}

}  // namespace

void World::act(const Action& action) {
  switch (stream_of(action.verb)) {
    case Stream::topology: return act_on_topology(action);
    case Stream::workload: return action.verb == Verb::foreign_write ? write_behind_the_engine(node(action.a)) : write(node(action.a), action);
    case Stream::network: return act_on_network(action);
    case Stream::disk: return act_on_disk(action);
    case Stream::clock: return act_on_clock(action);
    case Stream::crash: return act_on_process(action);
  }
}

// ---- Writes ----

void World::write(SimNode& one, const Action& action) {
  if (!one.running()) return;
  const Expected<LocalCommit> commit = one.try_write([&](Transaction& t) -> Expected<void> {
    for (const Edit& edit : action.edits)
      if (const Expected<void> done = apply_edit(t, edit, one.name()); !done) return done;
    if (action.verb == Verb::abandon) return Error{Errc::invalid_argument, "the application thinks better of it", "", ""};
    return {};
  });
  if (commit) ++rare_["commits"];
  else if (!one.alive()) ++rare_["a process died inside a write"];
  else if (commit.error().code == Errc::stopped) ++rare_["a disk failed inside a write"];
  else ++rare_["writes refused or abandoned"];
}

void World::write_behind_the_engine(SimNode& one) {
  if (!one.running()) return;
  ++faults_[name_of(Verb::foreign_write)];
  ForeignConnection connection(one);
  for (const char* sql : {"INSERT INTO note(id) VALUES('foreign')", "UPDATE note SET title='foreign'", "DELETE FROM file"})
    if (connection.exec(sql) && connection.exec("SELECT 1 FROM note") && one.count("note") + one.count("file") > 0)
      complain(one.name() + " was written by another connection, and nobody noticed: " + sql);
}

// ---- Topology and operators ----

void World::act_on_topology(const Action& action) {
  SimNode& one = node(action.a);
  switch (action.verb) {
    case Verb::connect:
      if (removed_.contains(action.a) || removed_.contains(action.b)) return;
      return cluster_.connect(one, node(action.b));
    case Verb::remove: remove(action.a); break;
    case Verb::readmit: return readmit(action.a);
    case Verb::disconnect: cluster_.disconnect(one, node(action.b)); break;
    case Verb::wipe: return wipe(one);
    case Verb::back_up: return keep(one, backups_, backup_of);
    case Verb::restore: put_back(one, backups_); break;
    case Verb::copy_disk: return keep(one, copies_, [](SimNode& node) { return node.disk().image(); });
    case Verb::put_back: put_back(one, copies_); break;
    case Verb::clone: clone(one); break;
    default: upgrade(one); break;
  }
  ++faults_[name_of(action.verb)];
}

// A device loses its database, though not its key: what nobody has of it yet is lost. Not the only one that has joined.
void World::wipe(SimNode& lost) {
  bool others = false;
  for (const std::size_t i : everybody()) {
    SimNode& other = node(i);
    others = others || (&other != &lost && other.alive() && other.status().initial_sync_completed);
  }
  if (!others) return;
  lost.wipe();
  replace_disk(lost, {{}, upgraded_.contains(lost.name())});
  ++faults_[name_of(Verb::wipe)];
}

void World::keep(SimNode& one, std::map<std::string, Copy>& copies, Disk::Image (*image_of)(SimNode&)) {
  if (one.alive()) copies[one.name()] = {image_of(one), upgraded_.contains(one.name())};
}

void World::put_back(SimNode& one, const std::map<std::string, Copy>& copies) {
  if (copies.contains(one.name())) replace_disk(one, copies.at(one.name()));
}

void World::replace_disk(SimNode& one, const Copy& copy) {
  one.set_clock_ahead(0ms);  // a life that begins with its clock behind is another story: identity_test.cpp
  one.put_in(copy.image);
  one.disk().forget_plans();
  one.replace_models(copy.upgraded ? upgraded_models() : sim_models());
  if (!copy.upgraded) upgraded_.erase(one.name());
  picky_.erase(one.name());
  start(one);
}

void World::clone(SimNode& one) {
  if (!one.alive()) return;
  SimNode& second = cluster_.add(one.name() + "2", one.device(), false);
  replace_disk(second, {one.disk().image(), upgraded_.contains(one.name())});
  cluster_.connect_all();
}

// As far as it goes without members (docs/testing.md): its peers take it off their lists, and put it back.
void World::remove(std::size_t which) {
  for (const std::size_t i : everybody()) {
    if (i == which || !cluster_.network().connects(node(which), node(i))) continue;
    removed_[which].push_back(i);
    cluster_.disconnect(node(which), node(i));
  }
}

void World::readmit(std::size_t which) {
  for (const std::size_t i : removed_[which]) cluster_.connect(node(which), node(i));
  removed_.erase(which);
}

// The application of one device begins to keep one thing more about a note.
void World::upgrade(SimNode& one) {
  if (!one.running() || upgraded_.contains(one.name())) return;
  versions_differ_ = true;
  if (!one.migrate("ALTER TABLE note ADD COLUMN extra TEXT DEFAULT 'new'", upgraded_models()))
    return one.replace_models({Model::existing("note", Kind::shared), Model::existing("label", Kind::shared),
                               Model::existing("note_label", Kind::shared), Model::existing("posting", Kind::shared),
                               Model::existing("file", Kind::device_owned)});  // until start() has seen whether it is done
  upgraded_.insert(one.name());
  forget_refusals();
}

// ---- Network ----

void World::act_on_network(const Action& action) {
  Network& network = cluster_.network();
  SimNode& a = node(action.a);
  SimNode& b = node(action.b);
  switch (action.verb) {
    case Verb::break_link: network.break_connection(a, b); break;
    case Verb::cut: network.cut_after(a, b, static_cast<std::uint64_t>(action.numbers[0])); break;
    case Verb::stall: network.stall(a, b); break;
    case Verb::release: return network.release(a, b);
    case Verb::clog: network.clog(a, b, std::chrono::milliseconds(action.numbers[0])); break;
    case Verb::quality:
      if (action.numbers[2] > 0) slow_.emplace(action.a, action.b);
      return network.set_quality(a, b, {std::chrono::milliseconds(action.numbers[0]), std::chrono::milliseconds(action.numbers[1]),
                                        static_cast<std::uint64_t>(action.numbers[2])});
    case Verb::overtake: network.overtake(a, b); break;
    case Verb::repeat: network.replay(a, b); break;
    default: network.config.outbox_max = static_cast<std::size_t>(action.numbers[0]); break;
  }
  ++faults_[name_of(action.verb)];
}

// ---- Disk ----

void World::act_on_disk(const Action& action) {
  SimNode& one = node(action.a);
  Disk& disk = one.disk();
  const auto number = [&](std::size_t i) { return static_cast<std::uint64_t>(action.numbers[i]); };
  switch (action.verb) {
    case Verb::fail: return disk.fail(DiskFault{static_cast<int>(action.numbers[0])}, number(1), number(2));
    case Verb::repair:
      disk.forget_plans();
      disk.set_room(std::nullopt);
      return start(one);
    case Verb::short_read: return disk.fail(DiskFault::short_read, number(0), 1);
    case Verb::room: {
      std::uint64_t used = 0;
      for (const auto& [name, bytes] : disk.image()) used += bytes.size();
      return disk.set_room(used + number(0));
    }
    case Verb::flip: {
      Prng chance(number(1));
      return void(disk.flip_byte(chance, number(0) == 0 ? Disk::Part::database : Disk::Part::wal));
    }
    default: return set_picky(one, action.verb == Verb::refuse_rows);
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

void World::act_on_clock(const Action& action) {
  SimNode& one = node(action.a);
  switch (action.verb) {
    case Verb::step_clock: {
      if (!one.alive()) return;  // see replace_disk
      const std::chrono::milliseconds ahead(action.numbers[0]);
      most_ahead_ = std::max(most_ahead_, ahead);
      one.set_clock_ahead(ahead);
      break;
    }
    case Verb::drift: one.set_drift(action.numbers[0]); break;
    case Verb::suspend: one.suspend(); break;
    case Verb::wake: return one.wake();
    case Verb::come_back: return start(one);
    default:
      one.kill();
      cluster_.timeline().skip_wall_time(std::chrono::hours(24 * 365));
      break;
  }
  ++faults_[name_of(action.verb)];
}

void World::act_on_process(const Action& action) {
  SimNode& one = node(action.a);
  if (action.verb == Verb::start) return start(one);
  if (action.verb == Verb::kill) one.kill();
  if (action.verb == Verb::cut_power) one.cut_power(Prng(static_cast<std::uint64_t>(action.numbers[0])));
  if (action.verb == Verb::die_in)
    one.kill_in(static_cast<std::uint64_t>(action.numbers[0]),
                action.numbers[1] < 0 ? std::nullopt : std::optional(Prng(static_cast<std::uint64_t>(action.numbers[1]))));
  ++faults_[name_of(action.verb)];
}

void World::start(SimNode& one) {
  if (one.alive()) return;
  if (!one.restart()) {
    ++rare_["a process died while it started"];
    return;
  }
  if (one.text("SELECT 1 FROM sqlite_master WHERE name='picky'") == "1") picky_.insert(one.name());
  if (one.text("SELECT 1 FROM pragma_table_info('note') WHERE name='extra'") != "1") return;
  one.replace_models(upgraded_models());
  upgraded_.insert(one.name());
}

}  // namespace starling::sim
