#include "tests/sim/world.h"

#include <algorithm>
#include <exception>

#include "core/base/sha256.h"
#include "core/store/member_table.h"
#include "core/store/store.h"
#include "core/store/sync_state.h"
#include "tests/sim/oracle.h"

namespace starling::sim {
namespace {

constexpr char kWaits[] =
    "SELECT model || ' ' || hex(key) || ': ' || why FROM (SELECT model, key, why FROM sync_held UNION ALL SELECT model, key, why FROM sync_quarantine)";
constexpr Duration kFullCheckEvery = 20s;
constexpr Duration kPatience = 5min;  // for what was mended to agree; clocks that were ahead come on top

}  // namespace

World::World(const Scenario& scenario, std::optional<Doom> doom) : scenario_(scenario), cluster_(scenario.seed), doom_(doom) {
  for (std::size_t i = 0; i < scenario.devices; ++i) {
    NodeConfig config{device_name(i), device_number(i + 1), i == 0, models_of(device_name(i), false)};
    config.checkpoint_pages = scenario.checkpoint;
    if (doom && doom->device == i) {
      config.dies_at = doom->operation;
      if (doom->power) config.power_goes = Prng(*doom->power);
    }
    cluster_.add(std::move(config));
  }
}

World::Devices World::everybody() const {
  Devices all(cluster_.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  return all;
}

// One device has made nearly as many stamps in a millisecond as fit in there, and a minute ahead.
void World::fill_a_counter() {
  SimNode& one = node(scenario_.seed / 16 % scenario_.devices);
  if (one.alive()) one.store().clock().observe(Hlc::of(one.wall().ms + 60'000, Hlc::kCounterMax - 1));
}

std::vector<std::string> World::run() {
  if (scenario_.seed % 16 == 5) fill_a_counter();
  try {
    run_faults();
    if (complaints_.empty() && !scenario_.core.empty()) expect_core_to_agree();
    if (complaints_.empty()) expect_all_to_agree();
    if (complaints_.empty()) expect_all_to_write();
    if (complaints_.empty()) expect_a_silent_restart();
    count_rare_states();
  } catch (const std::exception& e) {
    complain(std::string("threw: ") + e.what());
  }
  return complaints_;
}

void World::run_faults() {
  Duration next_check = kFullCheckEvery;
  std::size_t checked = 0;
  for (const Action& action : scenario_.actions) {
    cluster_.run_for(std::max(Duration(0), action.at - simulated()));
    if (act(action)) ++faults_[name_of(action.verb)];
    if (simulated() >= next_check) {
      next_check = simulated() + kFullCheckEvery;
      const SimNode& one = node(checked++ % cluster_.size());
      if (one.alive()) complain_of_node(one, cluster_.ledger(), complaints_);
    }
    for (const std::string& complaint : cluster_.ledger().complaints()) complain(complaint);
    if (complaints_.empty()) continue;
    complain("after: " + std::to_string(static_cast<double>(action.at.count()) / 1e6) + " " + name_of(action.verb) + " " + device_name(action.a));
    return;
  }
  cluster_.run_for(std::max(Duration(0), scenario_.lasts - simulated()));
  for (const std::size_t i : everybody()) operations_.push_back(node(i).disk().operations());
  if (doom_ && operations_.at(doom_->device) < doom_->operation) complain("the doom did not strike");
}

// ---- Peace ----

// Devices run, disks do well, clocks are right, models are equal, and enough connections stand.
void World::mend(const Devices& which) {
  for (const std::size_t i : which) {
    SimNode& one = node(i);
    one.disk().forget_plans();
    one.disk().forget_doom();
    one.disk().mend();
    one.set_clock_ahead(0ms);
    one.wake();
    start(one);
    if (picky_.contains(one.name())) set_picky(one, false);
  }
  cluster_.network().config.outbox_max = limits::kOutboxMax;
  for (const std::size_t i : which) {
    if (versions_differ_) upgrade(node(i));
    for (const std::size_t k : which) {
      if (i == k) continue;
      cluster_.network().release(node(i), node(k));
      cluster_.network().set_quality(node(i), node(k), {});
      if (slow_.erase({i, k}) > 0) cluster_.network().break_connection(node(i), node(k));  // what waits there would wait for hours
      if (i < k && (scenario_.seed % 2 == 0 || cloned_ || k == *std::upper_bound(which.begin(), which.end(), i))) cluster_.connect(node(i), node(k));
    }
  }
  forget_refusals();
}

void World::wait_a_second() {
  cluster_.run_for(1s);
  forget_refusals();
}

void World::isolate(const Devices& core) {
  for (const std::size_t i : core) {
    for (const std::size_t k : everybody())
      if (std::find(core.begin(), core.end(), k) == core.end()) cluster_.disconnect(node(i), node(k));
  }
}

bool World::agree(const Devices& which) {
  return std::all_of(which.begin(), which.end(), [&](std::size_t i) {
    if (!node(i).alive()) throw std::runtime_error(node(i).name() + " died in peace");
    return node(i).vector() == node(which.front()).vector() && node(i).status().waiting.empty();
  });
}

// A stamp that is ahead waits until time has passed.
Duration World::patience() const { return kPatience + most_ahead_; }

void World::readmit_all() {
  for (const std::size_t i : everybody()) {
    if (!is_removed(i)) continue;
    removed_.try_emplace(i);
    readmit(i);
  }
}

// In anybody's eyes, or by the scenario.
bool World::is_removed(std::size_t which) {
  const Devices all = everybody();
  return removed_.contains(which) || std::any_of(all.begin(), all.end(), [&](std::size_t i) {
           return node(i).alive() && node(i).store().members().is_removed(node(which).device());
         });
}

void World::expect_core_to_agree() {
  const Devices& core = scenario_.core;
  isolate(core);
  mend(core);
  const auto any_removed = [&] { return std::any_of(core.begin(), core.end(), [this](std::size_t i) { return is_removed(i); }); };
  if (any_removed()) return;  // nobody speaks to it
  const auto is_member = [this](std::size_t i) { return !node(i).store().state().provisional(); };
  if (std::none_of(core.begin(), core.end(), is_member)) return;  // they wait for a member that admits them
  const MonoTime until = cluster_.now() + patience();
  do {
    wait_a_second();
    retry_quarantines(core);  // whoever holds something is no source of snapshots
  } while (!agree(core) && cluster_.now() < until);
  for (const std::string& complaint : cluster_.ledger().complaints()) complain(complaint);
  if (!agree(core) && any_removed()) return;  // somebody has heard of it by now, and not that it was admitted again
  if (!agree(core)) return complain("the core does not agree although all of it was mended");
  cluster_.run_for(2s);
  for (const std::size_t i : core) {
    complain_of_node(node(i), cluster_.ledger(), complaints_);
    if (digest_of(node(i)) != digest_of(node(core.front()))) complain("in the core, " + node(i).name() + " shows other rows");
  }
  ++rare_["a core agreed without the others"];
}

void World::expect_all_to_agree() {
  const Devices all = everybody();
  mend(all);
  readmit_all();
  const MonoTime until = cluster_.now() + patience();
  for (int second = 0; second < 65; ++second) wait_a_second();  // longer than a refused row rests, or a pull bears silence
  for (int second = 0; !agree(all) && cluster_.now() < until; ++second) {
    if (second % 60 == 0) readmit_all();  // somebody may have removed one whom nobody else had heard of then
    retry_quarantines(all);
    wait_a_second();
  }
  retry_quarantines(all);
  cluster_.run_until_quiet();
  expect_no_complaints();
}

void World::expect_no_complaints() {
  for (const std::string& complaint : cluster_.complaints()) complain(complaint);
  for (const std::size_t i : everybody()) {
    if (!node(i).alive()) complain(node(i).name() + " died in peace");
    else if (node(i).status().quarantined > 0) complain(node(i).name() + " has rows in quarantine: " + node(i).text(kWaits));
  }
}

// Of two machines that live as one device the first goes on.
void World::decide_who_goes_on() {
  std::set<DeviceId> decided;
  for (const std::size_t i : everybody())
    if (node(i).status().doubled && decided.insert(node(i).device()).second) {
      (void)node(i).keep_identity();
      ++rare_["two machines lived as one device, and were told"];
    }
}

// After all that, everybody can still write, and everybody sees it.
void World::expect_all_to_write() {
  decide_who_goes_on();
  std::size_t writers = 0;
  for (const std::size_t i : everybody()) {
    if (node(i).status().doubled) continue;
    ++writers;
    node(i).write("INSERT INTO note(id, title) VALUES (?, 'in peace')", "p" + node(i).name());
    node(i).write("INSERT OR REPLACE INTO file(id, path) VALUES (?, 'in peace')", Blob{"f" + node(i).name() + "p"});
  }
  const MonoTime until = cluster_.now() + patience();
  do wait_a_second();  // a stamp goes on above all that its author has seen, also where that was ahead
  while (!agree(everybody()) && cluster_.now() < until);
  cluster_.run_until_quiet();
  expect_no_complaints();
  for (const std::size_t i : everybody())
    if (node(i).alive() && node(i).count("note WHERE title='in peace'") != static_cast<std::int64_t>(writers))
      complain(node(i).name() + " does not see what was written in peace");
}

// A restart of a converged device transfers no rows (promise 11).
void World::expect_a_silent_restart() {
  if (cloned_) return;  // of two machines one may learn of the other just then, and goes beyond it
  SimNode& one = node(scenario_.seed % cluster_.size());
  if (cluster_.ledger().doubts(one)) {
    one.restart();
    cluster_.run_for(5s);
    cluster_.run_until_quiet();
  }
  const WireCount before = cluster_.wire();
  if (!one.restart()) complain(one.name() + " does not start");
  cluster_.run_for(5s);
  cluster_.run_until_quiet();
  expect_no_complaints();
  const WireCount said = cluster_.wire().since(before);
  if (said.rows + said.entries > 0)
    complain("a restart of " + one.name() + " moved " + std::to_string(said.rows) + " rows and " + std::to_string(said.entries) + " entries");
}

// ---- What can be seen of it ----

// Refusals that the world explains: what a peer had said of its clock was under way for a year.
void World::forget_refusals() {
  for (const std::string& refusal : cluster_.network().refusals()) {
    const auto says = [&](const char* part) { return refusal.find(part) != refusal.npos; };
    if (faults_.contains(name_of(Verb::remove)) && says("this device was removed")) ++rare_["a removed device was refused"];
    else if (!(faults_.contains(name_of(Verb::year)) && says("the clocks differ by"))) complain(refusal);
  }
  cluster_.network().forget_refusals();
}

void World::count_rare_states() {
  constexpr std::array<std::array<const char*, 2>, 13> kWords = {{{"goes on with what has come", "a join went on where it stood"},
                                                                 {"from another source", "a join changed its source"},
                                                                 {"rows swept", "a snapshot was taken with sweep"},
                                                                 {"a lapsed member", "a lapsed member came back"},
                                                                 {"is read anew", "a state stream was read anew"},
                                                                 {"their clock is ahead", "a stream waited for a clock"},
                                                                 {"are applied one by one", "a refused row waited in quarantine"},
                                                                 {"another version of the models", "devices met whose models differ"},
                                                                 {"know a later life", "a device learned of its later life"},
                                                                 {"come back from peers", "own entries were recovered"},
                                                                 {"are told now", "a draft was told anew"},
                                                                 {"superseded meanwhile", "a draft was superseded"},
                                                                 {"come to theirs", "a wait for a clock ended"}}};
  rare_["a counter ran over"] += cluster_.ledger().counters_run_over();
  rare_["entries written"] += cluster_.ledger().entries_written();
  rare_["rows compared"] += cluster_.ledger().rows_compared();
  rare_["an acknowledgement was relayed"] += cluster_.ledger().relayed() > 0 ? 1 : 0;
  rare_["an entry travelled in parts"] += cluster_.wire().of("EntryPart").messages > 0 ? 1 : 0;
  rare_["an entry in parts went on where it stood"] += cluster_.wire().resumed > 0 ? 1 : 0;
  const NetworkCount& network = cluster_.network().faults();
  faults_["cut inside a frame"] += network.cuts_in_frame;
  faults_["ended by silence"] += network.ends_by_silence + network.ends_by_send_deadline;
  faults_["half open"] += network.half_open;
  faults_["break"] += network.breaks;
  faults_["cut"] += network.cuts;
  faults_["repeat"] += network.replays;
  faults_["outbox full"] += network.outbox_full;
  for (const std::size_t i : everybody()) {
    for (const auto& [part, name] : kWords)
      if (node(i).noted(part)) ++rare_[name];
    if (node(i).alive()) {
      const Status status = node(i).status();
      if (status.conflicts > 0) ++rare_["something lost in a merge"];
      const std::int64_t losers = node(i).count("sync_conflict WHERE why='unique'");
      if (losers > 0) ++rare_["a unique loser"];
      if (losers > node(i).count("sync_hidden WHERE kind=1")) ++rare_["a hidden row came back"];
      if (node(i).count("sync_hidden WHERE kind=2") > 0) ++rare_["a row hidden for its parent"];
      if (status.nulled > 0) ++rare_["a reference shown as NULL"];
      if (status.tombstones_dropped > 0) ++rare_["a tombstone was dropped"];
      if (status.self.incarnation.birth.ms() > kEpochMs + 1) ++rare_["a device lived again"];
    }
    const DiskCount& disk = node(i).disk().count();
    constexpr std::array<const char*, kDiskFaults> kFaults = {"read error", "write error", "sync error", "short read", "truncation error", "open error"};
    for (std::size_t f = 0; f < kDiskFaults; ++f) faults_[kFaults.at(f)] += disk.faults.at(f);
    faults_["died in an operation of its disk"] += disk.deaths;
    faults_["disk full"] += disk.full;
    faults_["bit flipped"] += disk.flips;
    faults_["sector lost"] += disk.sectors_lost;
    faults_["name lost"] += disk.names_lost;
  }
}

std::uint64_t World::trace() const {
  ByteWriter all;
  all.be64(cluster_.network().trace());
  all.be64(static_cast<std::uint64_t>(simulated().count()));
  for (std::size_t i = 0; i < cluster_.size(); ++i)
    if (cluster_.node(i).alive()) all.raw(digest_of(cluster_.node(i)));
  const Hash128 hash = hash128(all.bytes());
  return ByteReader(hash.view()).be64();
}

}  // namespace starling::sim
