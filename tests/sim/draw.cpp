#include "tests/sim/draw.h"

#include <algorithm>

#include "core/base/prng.h"
#include "tests/sim/disk.h"
#include "tests/sim/expected_failures.h"

namespace starling::sim {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using namespace std::chrono_literals;

// One stream's actions over the time that the faults last.
class Stretch {
 public:
  Stretch(Prng stream, const Scenario& scenario, const DrawOptions& options)
      : prng(stream), devices(scenario.devices), lasts(scenario.lasts), options_(options) {}

  Prng prng;
  const std::size_t devices;
  const Duration lasts;
  std::vector<Action> actions;

  // Whether this kind of bad luck is in the run at all.
  bool strikes(Verb verb, unsigned percent) {
    const bool drawn = prng.chance(percent);
    return options_.always == verb || (drawn && !is_expected_to_fail(verb));
  }
  std::uint64_t below(std::uint64_t n) { return prng.below(n); }
  std::size_t device() { return below(devices); }
  std::size_t other(std::size_t than) { return (than + 1 + below(devices - 1)) % devices; }
  Duration when() { return Duration(static_cast<std::int64_t>(below(static_cast<std::uint64_t>(lasts.count())))); }
  Duration a_while(Duration most) { return Duration(static_cast<std::int64_t>(below(static_cast<std::uint64_t>(most.count()) + 1))); }
  // Few times often, many times seldom: 1 to most, half of the time less than a fifth of it.
  std::uint64_t few(std::uint64_t most) { return 1 + below(1 + below(most)); }

  void add(Duration at, Verb verb, std::size_t a, std::size_t b = 0, std::vector<std::int64_t> numbers = {}) {
    actions.push_back({std::min(at, lasts), verb, a, b, std::move(numbers), {}});
  }

 private:
  const DrawOptions& options_;
};

// ---- Topology ----

// A tree that grows by chance, a line, a star, or everybody with everybody.
void connect(Stretch& s) {
  const std::uint64_t shape = s.below(4);
  for (std::size_t i = 1; i < s.devices; ++i) {
    const Duration at = i == 1 ? 0s : s.a_while(s.lasts / 3);
    if (shape == 0) s.add(at, Verb::connect, s.below(i), i);
    if (shape == 1) s.add(at, Verb::connect, i - 1, i);
    if (shape == 2) s.add(at, Verb::connect, 0, i);
    for (std::size_t k = 0; shape == 3 && k < i; ++k) s.add(at, Verb::connect, k, i);
  }
}

void draw_topology(Stretch& s) {
  connect(s);
  for (std::uint64_t n = s.strikes(Verb::disconnect, 70) ? s.few(12) : 0; n > 0; --n) {
    const std::size_t a = s.device();
    const std::size_t b = s.other(a);
    s.add(s.when(), s.prng.chance(50) ? Verb::disconnect : Verb::connect, a, b);
  }
  for (std::uint64_t n = s.strikes(Verb::wipe, 15) ? s.few(3) : 0; n > 0; --n) s.add(s.when(), Verb::wipe, s.device());
  const auto keep_and_put = [&s](Verb keep, Verb put, unsigned percent) {
    for (std::uint64_t n = s.strikes(put, percent) ? s.few(2) : 0; n > 0; --n) {
      const std::size_t a = s.device();
      const Duration kept = s.when();
      s.add(kept, keep, a);
      s.add(kept + s.a_while(s.lasts - kept), put, a);
    }
  };
  keep_and_put(Verb::back_up, Verb::restore, 15);
  keep_and_put(Verb::copy_disk, Verb::put_back, 10);
  if (s.strikes(Verb::remove, 10)) {
    const std::size_t a = s.device();
    const Duration at = s.when();
    s.add(at, Verb::remove, a);
    s.add(at + s.a_while(s.lasts), Verb::readmit, a);
  }
  if (s.strikes(Verb::clone, 10)) s.add(s.when(), Verb::clone, s.device());
  for (std::size_t a = s.strikes(Verb::upgrade, 12) ? 0 : s.devices; a < s.devices; ++a)
    if (s.prng.chance(60)) s.add(s.when(), Verb::upgrade, a);
}

// ---- Workload ----

struct Mixture {
  std::array<unsigned, kEditKinds> weights{};
  std::uint64_t edits_most = 6;
  std::uint32_t values = kValues - 1;  // without the large one
  std::uint32_t bulk_most = 0;
};

Mixture draw_mixture(Stretch& s) {
  Mixture m;
  for (unsigned& weight : m.weights) weight = static_cast<unsigned>(s.prng.chance(70) ? s.below(10) : 0);
  m.weights[static_cast<std::size_t>(EditKind::insert_note)] += 3;
  m.weights[static_cast<std::size_t>(EditKind::insert_file)] += 2;
  m.weights[static_cast<std::size_t>(EditKind::steal_file)] = s.prng.chance(20) ? 1 : 0;
  m.edits_most = s.prng.chance(15) ? 40 : 6;
  if (s.prng.chance(12)) m.values = kValues;
  if (s.prng.chance(12)) m.bulk_most = s.prng.chance(10) ? 10'000 : 300;
  for (const EditKind bulk : {EditKind::bulk_notes, EditKind::bulk_files})
    m.weights[static_cast<std::size_t>(bulk)] = m.bulk_most > 0 ? 1 : 0;
  return m;
}

Edit draw_edit(Stretch& s, const Mixture& m) {
  unsigned sum = 0;
  for (const unsigned weight : m.weights) sum += weight;
  std::uint64_t at = s.below(sum);
  std::size_t kind = 0;
  while (at >= m.weights[kind]) at -= m.weights[kind++];
  Edit e{EditKind{static_cast<std::uint8_t>(kind)}, static_cast<std::uint32_t>(s.below(60)), 0, 0};
  e.b = static_cast<std::uint32_t>(s.prng.chance(70) ? s.below(m.values) : 100 + s.below(900));
  e.c = static_cast<std::uint32_t>(s.below(m.values));
  if (m.values == kValues && s.prng.chance(10)) e.b = kValues - 1;
  if (e.kind == EditKind::bulk_notes || e.kind == EditKind::bulk_files) {
    e.a = static_cast<std::uint32_t>(s.below(20));
    e.b = static_cast<std::uint32_t>(1 + s.below(m.bulk_most));
  }
  return e;
}

// Busy spells of some seconds, and idle ones between them.
void draw_workload(Stretch& s) {
  const Mixture m = draw_mixture(s);
  std::vector<Duration> spells;
  for (std::uint64_t n = s.few(10); n > 0; --n) spells.push_back(s.when());
  for (std::uint64_t n = 10 + s.few(140); n > 0; --n) {
    // Every eighth falls on the same instant as the one before, on another device or the same.
    const bool together = !s.actions.empty() && s.below(8) == 0;
    const Duration at = together ? s.actions.back().at : spells[s.below(spells.size())] + s.a_while(3s);
    s.add(at, s.prng.chance(4) ? Verb::abandon : Verb::write, s.device());
    for (std::uint64_t k = 1 + s.below(m.edits_most); k > 0; --k) s.actions.back().edits.push_back(draw_edit(s, m));
  }
  for (std::uint64_t n = s.strikes(Verb::foreign_write, 10) ? s.few(3) : 0; n > 0; --n)
    s.add(s.when(), Verb::foreign_write, s.device());
}

// ---- Network ----

// Stops a random few of the connections one after the other, and lets them go in another order.
void swizzle(Stretch& s) {
  std::vector<std::pair<std::size_t, std::size_t>> stalled;
  const Duration start = s.when();
  for (std::uint64_t n = 1 + s.below(s.devices); n > 0; --n) {
    const std::size_t a = s.device();
    stalled.emplace_back(a, s.other(a));
    s.add(start + s.a_while(5s), Verb::stall, stalled.back().first, stalled.back().second);
  }
  for (const auto& [a, b] : stalled) s.add(start + 5s + s.a_while(s.prng.chance(30) ? 120s : 10s), Verb::release, a, b);
}

void draw_network(Stretch& s) {
  for (std::size_t a = 0; a < s.devices; ++a) {
    for (std::size_t b = 0; b < s.devices; ++b) {
      if (a == b) continue;
      const auto slowest = static_cast<std::int64_t>(2 + s.below(s.prng.chance(15) ? 2000 : 40));
      const auto rate = static_cast<std::int64_t>(s.prng.chance(10) ? 2000 + s.below(50'000) : 0);
      s.add(0s, Verb::quality, a, b, {1, slowest, rate});
    }
  }
  if (s.strikes(Verb::outbox, 15)) s.add(0s, Verb::outbox, 0, 0, {static_cast<std::int64_t>((1 + s.below(64)) * limits::KiB)});
  const auto often = [&s](Verb verb, unsigned percent, std::uint64_t most, const auto& one) {
    for (std::uint64_t n = s.strikes(verb, percent) ? s.few(most) : 0; n > 0; --n) {
      const std::size_t a = s.device();
      one(a, s.other(a));
    }
  };
  often(Verb::break_link, 50, 10, [&](std::size_t a, std::size_t b) { s.add(s.when(), Verb::break_link, a, b); });
  often(Verb::cut, 50, 15, [&](std::size_t a, std::size_t b) {
    s.add(s.when(), Verb::cut, a, b, {static_cast<std::int64_t>(1 + s.below(s.prng.chance(50) ? 300 : 20'000))});
  });
  often(Verb::clog, 40, 10, [&](std::size_t a, std::size_t b) {
    s.add(s.when(), Verb::clog, a, b, {static_cast<std::int64_t>(1 + s.below(s.prng.chance(10) ? 100'000 : 5'000))});
  });
  often(Verb::overtake, 40, 30, [&](std::size_t a, std::size_t b) { s.add(s.when(), Verb::overtake, a, b); });
  often(Verb::repeat, 40, 30, [&](std::size_t a, std::size_t b) { s.add(s.when(), Verb::repeat, a, b); });
  for (std::uint64_t n = s.strikes(Verb::stall, 25) ? s.few(3) : 0; n > 0; --n) swizzle(s);
}

// ---- Disk, clock, crash ----

void draw_disk(Stretch& s) {
  for (std::uint64_t n = s.strikes(Verb::fail, 30) ? s.few(6) : 0; n > 0; --n) {
    const std::size_t a = s.device();
    const Duration at = s.when();
    constexpr std::array kErrors = {DiskFault::read_error, DiskFault::write_error, DiskFault::sync_error, DiskFault::truncate_error,
                                    DiskFault::open_error};
    s.add(at, Verb::fail, a, 0,
          {static_cast<std::int64_t>(kErrors.at(s.below(kErrors.size()))), static_cast<std::int64_t>(s.below(s.prng.chance(70) ? 10 : 60)),
           s.prng.chance(80) ? 1 : 5});
    s.add(at + 1s + s.a_while(40s), Verb::repair, a);
  }
  for (std::uint64_t n = s.strikes(Verb::room, 12) ? s.few(3) : 0; n > 0; --n) {
    const std::size_t a = s.device();
    const Duration at = s.when();
    const Duration full = s.a_while(20s);
    s.add(at, Verb::room, a, 0, {static_cast<std::int64_t>(s.below(100'000))});
    s.add(at + full, Verb::repair, a);
  }
  for (std::uint64_t n = s.strikes(Verb::flip, 8) ? s.few(3) : 0; n > 0; --n)
    s.add(s.when(), Verb::flip, s.device(), 0, {static_cast<std::int64_t>(s.below(2)), static_cast<std::int64_t>(s.below(1'000'000))});
  for (std::uint64_t n = s.strikes(Verb::short_read, 8) ? s.few(3) : 0; n > 0; --n)
    s.add(s.when(), Verb::short_read, s.device(), 0, {static_cast<std::int64_t>(s.below(40))});
  if (s.strikes(Verb::refuse_rows, 20)) {
    const std::size_t a = s.device();
    const Duration at = s.when();
    s.add(at, Verb::refuse_rows, a);
    s.add(at + s.a_while(s.lasts), Verb::take_rows, a);
  }
}

void draw_clock(Stretch& s) {
  const std::uint64_t most = s.prng.chance(30) ? 1'800'000 : 240'000;
  for (std::uint64_t n = s.strikes(Verb::step_clock, 30) ? s.few(8) : 0; n > 0; --n)
    s.add(s.when(), Verb::step_clock, s.device(), 0, {static_cast<std::int64_t>(s.below(2 * most + 1)) - static_cast<std::int64_t>(most)});
  for (std::uint64_t n = s.strikes(Verb::drift, 25) ? s.few(s.devices) : 0; n > 0; --n)
    s.add(s.when(), Verb::drift, s.device(), 0, {static_cast<std::int64_t>(s.below(40'001)) - 20'000});
  for (std::uint64_t n = s.strikes(Verb::suspend, 20) ? s.few(4) : 0; n > 0; --n) {
    const std::size_t a = s.device();
    const Duration at = s.when();
    s.add(at, Verb::suspend, a);
    s.add(at + s.a_while(s.prng.chance(30) ? 120s : 10s), Verb::wake, a);
  }
  if (s.strikes(Verb::year, 5)) {
    const std::size_t a = s.device();
    const Duration at = s.when();
    s.add(at, Verb::year, a);
    s.add(at + s.a_while(20s), Verb::come_back, a);
  }
}

void draw_crash(Stretch& s) {
  for (std::uint64_t n = s.strikes(Verb::kill, 60) ? s.few(10) : 0; n > 0; --n) {
    const std::size_t a = s.device();
    const Duration at = s.when();
    switch (s.below(3)) {
      case 0: s.add(at, Verb::kill, a); break;
      case 1: s.add(at, Verb::cut_power, a, 0, {static_cast<std::int64_t>(s.below(1'000'000))}); break;
      default:
        s.add(at, Verb::die_in, a, 0, {static_cast<std::int64_t>(1 + s.below(60)), s.prng.chance(50) ? -1 : static_cast<std::int64_t>(s.below(1'000'000))});
    }
    s.add(at + 1s + s.a_while(s.prng.chance(20) ? 60s : 8s), Verb::start, a);
  }
}

using Draw = void (*)(Stretch&);
constexpr std::array<Draw, kStreams> kDraws = {draw_topology, draw_workload, draw_network, draw_disk, draw_clock, draw_crash};

std::vector<std::size_t> draw_core(Prng& prng, std::size_t devices) {
  std::vector<std::size_t> core;
  if (devices < 3 || prng.chance(40)) return core;
  for (std::size_t i = 0; i < devices; ++i)
    if (prng.chance(60)) core.push_back(i);
  return core.size() < 2 || core.size() == devices ? std::vector<std::size_t>() : core;
}

}  // namespace

Scenario draw(std::uint64_t seed, const DrawOptions& options) {
  Prng prng(seed * 2 + 1);
  Scenario scenario;
  scenario.seed = seed;
  scenario.devices = 2 + prng.below(prng.chance(75) ? 3 : 7);
  scenario.lasts = Duration(10s) * static_cast<std::int64_t>(1 + prng.below(prng.chance(70) ? 6 : 30));
  scenario.core = draw_core(prng, scenario.devices);
  if (prng.chance(60)) scenario.checkpoint = static_cast<int>(4 + prng.below(prng.chance(50) ? 30 : 300));
  for (std::size_t i = 0; i < kStreams; ++i) {
    Stretch stretch(prng.fork(), scenario, options);
    if (options.without.contains(Stream{static_cast<std::uint8_t>(i)})) continue;
    kDraws[i](stretch);
    scenario.actions.insert(scenario.actions.end(), stretch.actions.begin(), stretch.actions.end());
  }
  std::stable_sort(scenario.actions.begin(), scenario.actions.end(), [](const Action& x, const Action& y) { return x.at < y.at; });
  return scenario;
}

}  // namespace starling::sim
