#include "tests/sim/workload.h"

#include <limits>

#include "tests/sim/oracle.h"
#include "tests/sim/phrases.h"

namespace starling::sim {
namespace {

constexpr std::uint64_t kNotes = 6;
constexpr std::uint64_t kLabels = 3;
constexpr std::uint64_t kFiles = 5;

class Change {};  // thrown by an application that breaks

}  // namespace

Workload::Workload(std::uint64_t seed) : seed_(seed), prng_(seed * 2 + 1), cluster_(seed) {
  const std::uint64_t nodes = 2 + prng_.below(3);
  for (std::uint64_t i = 0; i < nodes; ++i) {
    const std::string name(1, static_cast<char>('A' + i));
    if (i == 0) cluster_.create(name);
    else cluster_.join(name);
  }
  NetworkConfig& net = cluster_.network().config;
  net.delay_max = std::chrono::milliseconds(2 + prng_.below(prng_.chance(20) ? 2000 : 40));
  if (prng_.chance(10)) net.outbox_max = 64 * limits::KiB;
  mixture_.links = static_cast<unsigned>(prng_.below(30));
  mixture_.crashes = static_cast<unsigned>(prng_.below(10));
  mixture_.clocks = prng_.chance(30) ? 5 : 0;
  mixture_.skew_most = std::chrono::seconds(prng_.chance(30) ? 1800 : 240);
  mixture_.rows_most = prng_.chance(20) ? 50 : 6;
  mixture_.large_values = prng_.chance(15);
  mixture_.replays = prng_.chance(40) ? 15 : 0;
  mixture_.wipes = prng_.chance(20) ? 2 : 0;
  mixture_.picky = prng_.chance(25);
  cluster_.connect(cluster_.node(0), cluster_.node(1));
}

std::vector<std::string> Workload::run() {
  if (mixture_.picky) set_picky(true);
  const std::uint64_t steps = 20 + prng_.below(80);
  for (std::uint64_t i = 0; i < steps && complaints_.empty(); ++i) step();
  if (!complaints_.empty()) return complaints_;
  make_peace();
  count_rare_events();
  for (const std::string& complaint : cluster_.complaints()) complaints_.push_back(complaint);
  return complaints_;
}

void Workload::step() {
  SimNode& node = any_node();
  std::uint64_t what = prng_.below(100);
  const auto falls_on = [&what](unsigned percent) {
    const bool falls = what < percent;
    what -= falls ? 0 : percent;
    return falls;
  };
  if (falls_on(mixture_.links)) {
    change_link();
  } else if (falls_on(mixture_.crashes)) {
    crash(node);
  } else if (falls_on(mixture_.clocks)) {
    turn_clock(node);
  } else if (falls_on(mixture_.replays)) {
    ++tally_.replays;
    cluster_.network().replay(node, any_node());
  } else if (falls_on(mixture_.wipes)) {
    wipe(node);
  } else if (node.alive()) {
    write(node);
  }
  restart_the_dead(20);
  if (prng_.chance(70)) cluster_.run_for(std::chrono::milliseconds(prng_.below(prng_.chance(5) ? 40'000 : 60)));
  if (prng_.chance(8) && node.alive()) complain_of_node(node, complaints_);
}

// ---- Writes ----

void Workload::write(SimNode& node) {
  bool refused = false;
  Expected<LocalCommit> commit = Error{};
  try {
    commit = node.try_write([&](Transaction& t) -> Expected<void> {
      const std::uint64_t rows = 1 + prng_.below(mixture_.rows_most);
      for (std::uint64_t i = 0; i < rows; ++i) {
        const Expected<void> done = change_something(node, t);
        if (!done) return done;
      }
      if (prng_.chance(2)) throw Change();
      if (prng_.chance(3)) return Error{Errc::invalid_argument, "the application thinks better of it", "", ""};
      return {};
    });
  } catch (const Change&) {
    refused = true;
  }
  if (!node.alive()) {
    in_doubt_.insert(node.name());
    ++tally_.crashes;
    return;
  }
  if (refused || !commit) ++tally_.refused;
  else ++tally_.commits;
  const std::string files = files_of(node);
  if ((refused || !commit) && files != files_[node.name()]) complaints_.push_back(node.name() + ": a refused write left a trace");
  files_[node.name()] = files;
}

Expected<void> Workload::change_something(SimNode& node, Transaction& t) {
  const std::uint64_t what = prng_.below(100);
  if (what < 10) {  // something that is undone again, in whole or in part
    const Savepoint outer = t.savepoint();
    change_note(t);
    {
      Savepoint inner = t.savepoint();
      change_file(node, t);
      if (prng_.chance(50)) inner.release();
    }
    change_label(t);
    return {};
  }
  if (what < 12) {  // another device's row: refused
    return t.exec("UPDATE file SET size=-7 WHERE substr(id, 2, 1) <> ?", Blob{node.name()}) ? Expected<void>() : Expected<void>(Error{});
  }
  if (what < 50) change_note(t);
  else if (what < 70) change_label(t);
  else change_file(node, t);
  return {};
}

// Statements may fail (a key that is there already, a reference to nothing): that undoes the statement alone.
void Workload::change_note(Transaction& t) {
  const std::string id = hot("n", kNotes);
  const SqlValue a = nasty_value();
  const SqlValue b = nasty_value();
  switch (prng_.below(10)) {
    case 0: (void)t.exec("INSERT INTO note VALUES (?, ?, ?, 1, ?)", id, a, b, 0.5); break;
    case 1: (void)t.exec("INSERT OR REPLACE INTO note VALUES (?, ?, ?, ?, -0.0)", id, a, b, std::numeric_limits<std::int64_t>::max()); break;
    case 2: (void)t.exec("INSERT INTO note(id, title) VALUES (?, ?) ON CONFLICT DO UPDATE SET title=excluded.title", id, a); break;
    case 3: (void)t.exec("UPDATE note SET title=? WHERE id=?", a, id); break;
    case 4: (void)t.exec("UPDATE note SET body=?, weight=stars WHERE id=?", b, id); break;
    case 5: (void)t.exec("UPDATE note SET stars=coalesce(stars, 0)+1"); break;
    case 6: (void)t.exec("DELETE FROM note WHERE id=?", id); break;
    case 7: (void)t.exec("UPDATE note SET id=? WHERE id=?", hot("n", kNotes), id); break;
    case 8:
      (void)t.exec("DELETE FROM note WHERE id=?", id);
      (void)t.exec("INSERT INTO note(id, title) VALUES (?, ?)", id, a);
      break;
    default: (void)t.exec("INSERT INTO note(id, title) VALUES ('n0', 1), (?, 2), ('n0', 3)", id); break;  // fails half-way
  }
}

void Workload::change_label(Transaction& t) {
  const std::string label = hot("l", kLabels);
  const std::string note = hot("n", kNotes);
  switch (prng_.below(7)) {
    case 0: (void)t.exec("INSERT OR IGNORE INTO label(id) VALUES (?)", label); break;
    case 1: (void)t.exec("UPDATE label SET title=? WHERE id=?", nasty_value(), label); break;
    case 2: (void)t.exec("DELETE FROM label WHERE id=?", label); break;  // cascades
    case 3: (void)t.exec("DELETE FROM note_label WHERE label=?", label); break;
    case 4: (void)t.exec("UPDATE note_label SET label=?, added=added+1 WHERE note=?", label, note); break;
    default: (void)t.exec("INSERT INTO note_label VALUES (?, ?, ?)", note, label, static_cast<std::int64_t>(prng_.below(9))); break;
  }
}

void Workload::change_file(SimNode& node, Transaction& t) {
  const Blob id{"f" + node.name() + std::to_string(prng_.below(kFiles))};
  switch (prng_.below(5)) {
    case 0: (void)t.exec("INSERT INTO file VALUES (?, ?, 0, ?)", id, nasty_value(), nasty_value()); break;
    case 1: (void)t.exec("INSERT OR REPLACE INTO file(id, path) VALUES (?, ?)", id, nasty_value()); break;
    case 2: (void)t.exec("UPDATE file SET hash=? WHERE id=?", nasty_value(), id); break;
    case 3: (void)t.exec("UPDATE file SET size=coalesce(size, 0)+1 WHERE substr(id, 2, 1)=?", Blob{node.name()}); break;
    default: (void)t.exec("DELETE FROM file WHERE id=?", id); break;
  }
}

SqlValue Workload::nasty_value() {
  switch (prng_.below(mixture_.large_values ? 16 : 15)) {
    case 0: return std::monostate{};
    case 1: return -0.0;
    case 2: return std::numeric_limits<std::int64_t>::max();
    case 3: return std::numeric_limits<std::int64_t>::min();
    case 4: return std::string();
    case 5: return Blob{};
    case 6: return std::string("a\0b\0", 4);
    case 7: return std::string("\xff\xfe\x80");
    case 8: return Blob{Bytes("\0\1\2", 3)};
    case 9: return 5.0;
    case 10: return std::int64_t{5};
    case 11: return std::string("5");
    case 12: return 1e308;
    case 13: return std::string("e\xcc\x81");
    case 14: return std::string("text ") + std::to_string(prng_.below(1000));
    default: return Blob{noise(64 * limits::KiB, prng_.next())};
  }
}

// ---- Faults ----

void Workload::change_link() {
  SimNode& a = any_node();
  SimNode& b = any_node();
  if (&a == &b) return;
  ++tally_.breaks;
  switch (prng_.below(4)) {
    case 0: cluster_.disconnect(a, b); break;
    case 1: cluster_.network().break_connection(a, b); break;
    case 2: cluster_.network().cut_after(a, b, prng_.below(prng_.chance(50) ? 300 : 20'000)); break;
    default: cluster_.connect(a, b); break;
  }
}

void Workload::crash(SimNode& node) {
  if (!node.alive()) return;
  switch (prng_.below(3)) {
    case 0: node.kill(); break;
    case 1:
      node.cut_power();
      ++tally_.power_cuts;
      break;
    default: node.kill_in(1 + prng_.below(60)); return;
  }
  ++tally_.crashes;
}

void Workload::restart(SimNode& node) {
  if (prng_.chance(50)) node.cut_power();
  node.restart();
  const std::string files = files_of(node);
  if (!in_doubt_.contains(node.name()) && files != files_[node.name()])
    complaints_.push_back(node.name() + ": its files are not what it had committed");
  in_doubt_.erase(node.name());
  files_[node.name()] = files;
}

void Workload::restart_the_dead(unsigned percent) {
  for (std::size_t i = 0; i < cluster_.size(); ++i)
    if (!cluster_.node(i).alive() && prng_.chance(percent)) restart(cluster_.node(i));
}

void Workload::turn_clock(SimNode& node) {
  if (!node.alive()) return;  // a life that begins with its clock behind is another story: identity_test.cpp
  const std::int64_t most = mixture_.skew_most.count();
  node.set_clock_ahead(std::chrono::seconds(static_cast<std::int64_t>(prng_.below(static_cast<std::uint64_t>(2 * most + 1))) - most));
}

// A device loses its database, though not its key: what nobody has of it yet is lost. Not the only one that has joined.
void Workload::wipe(SimNode& node) {
  bool others = false;
  for (std::size_t i = 0; i < cluster_.size(); ++i) {
    SimNode& other = cluster_.node(i);
    others = others || (&other != &node && other.alive() && other.status().initial_sync_completed);
  }
  if (!others) return;
  ++tally_.wipes;
  node.set_clock_ahead(0s);  // or its second life would seem to be the first
  node.wipe();
  in_doubt_.insert(node.name());
  if (mixture_.picky && &node == &cluster_.node(1)) mixture_.picky = false;
}

void Workload::set_picky(bool picky) {
  SimNode& node = cluster_.node(1);
  node.execute_behind_the_engine(picky ? "CREATE TRIGGER picky BEFORE INSERT ON note WHEN typeof(NEW.title) = 'integer'"
                                         " BEGIN SELECT RAISE(ABORT, 'picky'); END"
                                       : "DROP TRIGGER picky");
  restart(node);
}

void Workload::Tally::add(const Tally& t) {
  for (const auto field : {&Tally::commits, &Tally::refused, &Tally::crashes, &Tally::power_cuts, &Tally::breaks, &Tally::replays,
                           &Tally::wipes, &Tally::conflicts, &Tally::clock_waits, &Tally::held_rows})
    this->*field += t.*field;
}

void Workload::count_rare_events() {
  for (std::size_t i = 0; i < cluster_.size(); ++i) {
    const SimNode& node = cluster_.node(i);
    tally_.conflicts += node.status().conflicts;
    tally_.clock_waits += node.noted("their clock is ahead") ? 1 : 0;
    tally_.held_rows += node.noted("are held") ? 1 : 0;
  }
}

// Everything is mended: devices run, clocks are right, and enough connections stand.
void Workload::make_peace() {
  for (std::size_t i = 0; i < cluster_.size(); ++i) {
    cluster_.node(i).set_clock_ahead(0s);
    cluster_.node(i).disk().forget_plans();
  }
  restart_the_dead(100);
  if (mixture_.picky) set_picky(false);
  cluster_.network().config.outbox_max = limits::kOutboxMax;
  if (prng_.chance(50)) {
    cluster_.connect_all();
  } else {
    for (std::size_t i = 1; i < cluster_.size(); ++i) cluster_.connect(cluster_.node(i - 1), cluster_.node(i));
  }
  cluster_.run_for(65s);  // longer than any silence that a pull bears, and than a refused row rests
  if (mixture_.clocks != 0) cluster_.run_for(mixture_.skew_most);
  cluster_.run_until_quiet();
}

std::string Workload::files_of(const SimNode& node) const {
  const Rows rows = node.query("SELECT quote(id) || quote(path) || quote(size) || quote(hash) FROM file WHERE substr(id, 2, 1)='" +
                               node.name() + "' ORDER BY id");
  std::string all;
  for (std::size_t i = 0; i < rows.size(); ++i) all += rows.text(i) + "\n";
  return all;
}

std::string Workload::trace() const {
  const WireCount& wire = cluster_.wire();
  std::string text = std::to_string(wire.total.messages) + " messages, " + std::to_string(wire.total.bytes) + " bytes, " +
                     std::to_string(cluster_.now().time_since_epoch().count()) + " us";
  return text + ", " + digest_of(const_cast<Workload*>(this)->cluster_.node(0));
}

}  // namespace starling::sim
