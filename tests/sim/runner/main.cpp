// starling-sim: many simulated worlds, as fast as the machine can. ./dev sim builds and starts it.
#include <CLI/CLI.hpp>

#include <filesystem>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <sstream>
#include <thread>

#include "core/base/planted_bug.h"
#include "tests/sim/runner/farm.h"
#include "tests/sim/runner/report.h"
#include "tests/sim/shrink.h"
#include "tests/sim/sweep.h"

namespace starling::sim {
namespace {

using Clock = std::chrono::steady_clock;
namespace fs = std::filesystem;

constexpr std::size_t kFailuresShown = 20;
constexpr std::uint64_t kEnoughToReachAll = 4000;  // runs: the rarest state is reached by one in five hundred

struct Options {
  std::uint64_t seeds = 0;
  std::uint64_t start = 1;
  double minutes = 0;
  unsigned jobs = std::max(1U, std::thread::hardware_concurrency());
  bool twice = false;
  unsigned power_cuts = 2;
  std::vector<std::string> without;
  std::string always, replay, shrink, sweep, planted, folder = "build/sim";
};

DrawOptions draw_options(const Options& options) {
  DrawOptions draw;
  for (std::size_t i = 0; i < kStreams; ++i)
    if (std::count(options.without.begin(), options.without.end(), name_of(Stream{static_cast<std::uint8_t>(i)})) > 0)
      draw.without.insert(Stream{static_cast<std::uint8_t>(i)});
  for (std::size_t i = 0; i < kVerbCount; ++i)
    if (options.always == name_of(Verb{static_cast<std::uint8_t>(i)})) draw.always = Verb{static_cast<std::uint8_t>(i)};
  return draw;
}

std::optional<Scenario> load(const std::string& file) {
  std::ostringstream text;
  std::ifstream in(file);
  if (!in || !(text << in.rdbuf())) {
    std::cerr << file << ": cannot be read\n";
    return std::nullopt;
  }
  Expected<Scenario> scenario = Scenario::parse(text.str());
  if (scenario) return std::move(*scenario);
  std::cerr << file << ", " << scenario.error().text() << "\n";
  return std::nullopt;
}

std::string save(const std::string& folder, const std::string& name, const Scenario& scenario) {
  fs::create_directories(folder);
  const std::string file = fs::absolute(fs::path(folder) / name).lexically_normal().string();
  std::ofstream(file) << scenario.text();
  return file;
}

void show(const Outcome& outcome) {
  for (const std::string& complaint : outcome.complaints) std::cout << "  " << complaint << "\n";
}

// ---- Many seeds ----

// Gives how many failed.
std::size_t run_seeds(const Options& options, const FarmPlan& plan, Report& report) {
  const DrawOptions how = draw_options(options);
  const std::string twice = options.twice ? "--twice " : "";
  std::size_t failures = 0;
  run_farm(
      plan, [&](std::uint64_t seed) { return run_scenario(draw(seed, how), options.twice); },
      [&](const Outcome* outcome) {
        if (outcome != nullptr) report.add(*outcome);
        report.tick();
        if (outcome == nullptr || outcome->complaints.empty()) return true;
        const std::string file = save(options.folder, "seed-" + std::to_string(outcome->seed) + ".scenario", draw(outcome->seed, how));
        std::cout << "\nseed " << outcome->seed << " failed\n";
        show(*outcome);
        std::cout << "see it again:   ./dev sim " << twice << "--replay " << file << "\nmake it small:  ./dev sim " << twice << "--shrink "
                  << file << "\n";
        return ++failures < kFailuresShown;
      });
  return failures;
}

int run_seeds(const Options& options) {
  FarmPlan plan;
  plan.first = options.start;
  plan.count = options.seeds != 0 ? options.seeds : kNoEnd;
  plan.workers = options.jobs;
  if (options.minutes > 0) plan.until = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options.minutes * 60));
  Report report(plan.count, plan.workers);
  std::cout << "from seed " << options.start << std::endl;
  const std::size_t failures = run_seeds(options, plan, report);
  report.summary();
  if (failures > 0) {
    std::cout << failures << " failed\n";
    return 1;
  }
  if (report.done() == 0 || (report.done() < plan.count && options.minutes <= 0)) {
    std::cout << "only " << report.done() << " were run\n";
    return 1;
  }
  const bool whole = options.without.empty() && options.always.empty() && report.done() >= kEnoughToReachAll;
  const std::vector<std::string> never = whole ? report.never() : std::vector<std::string>();
  for (const std::string& name : never) std::cout << "never reached: " << name << "\n";
  std::cout << (never.empty() ? "all is well\n" : "the worlds have lost their bite\n");
  return never.empty() ? 0 : 1;
}

// ---- One scenario ----

int replay(const Options& options) {
  const std::optional<Scenario> scenario = load(options.replay);
  if (!scenario) return 2;
  const Outcome outcome = run_apart([&] { return run_scenario(*scenario, options.twice); });
  std::cout << options.replay << ": " << std::chrono::duration<double>(outcome.simulated).count() << " simulated seconds, trace " << std::hex
            << outcome.trace << std::dec << (outcome.complaints.empty() ? ", all is well\n" : ", failed\n");
  show(outcome);
  return outcome.complaints.empty() ? 0 : 1;
}

int shrink_file(const Options& options) {
  const std::optional<Scenario> scenario = load(options.shrink);
  if (!scenario) return 2;
  const auto complaints_of = [&](const Scenario& s) { return run_apart([&] { return run_scenario(s, options.twice); }).complaints; };
  const std::string kind = kind_of(complaints_of(*scenario));
  if (kind.empty()) {
    std::cout << options.shrink << " does not fail\n";
    return 2;
  }
  const Scenario small = sim::shrink(*scenario, [&](const Scenario& s) { return kind_of(complaints_of(s)) == kind; });
  const std::string file = save(options.folder, fs::path(options.shrink).stem().string() + ".small.scenario", small);
  std::cout << scenario->actions.size() << " actions became " << small.actions.size() << ": " << file << "\n\n" << small.text() << "\n";
  for (const std::string& complaint : complaints_of(small)) std::cout << "  " << complaint << "\n";
  return 1;
}

// ---- Planted bugs ----

#ifdef STARLING_PLANTED_BUGS
bool plant(const std::string& name) {
  const auto found = std::find(kPlantedBugNames.begin(), kPlantedBugNames.end(), name);
  if (found != kPlantedBugNames.end()) planted_bug = PlantedBug{static_cast<std::uint8_t>(found - kPlantedBugNames.begin())};
  return true;
}

// Runs seeds until one finds the bug that is planted; without it, that seed must do well.
bool hunt(const std::string& name, const Options& options) {
  plant(name);  // the processes inherit it
  FarmPlan plan{options.start, options.seeds != 0 ? options.seeds : kEnoughToReachAll, Clock::time_point::max(), options.jobs};
  std::uint64_t runs = 0;
  std::optional<Outcome> found;
  const auto began = Clock::now();
  run_farm(
      plan, [](std::uint64_t seed) { return run_scenario(draw(seed), false); },
      [&](const Outcome* outcome) {
        runs += outcome != nullptr ? 1 : 0;
        if (outcome != nullptr && !outcome->complaints.empty()) found = *outcome;
        return !found;
      });
  plant("none");
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - began).count();
  std::cout << std::left << std::setw(28) << name;
  if (!found) {
    std::cout << "NOT found in " << runs << " runs, " << seconds << " s" << std::endl;
    return false;
  }
  const bool innocent = run_apart([&] { return run_scenario(draw(found->seed), false); }).complaints.empty();
  std::cout << "found by seed " << found->seed << ", run " << runs << ", " << seconds << " s: " << found->complaints.front().substr(0, 90)
            << (innocent ? "" : " -- BUT ALSO WITHOUT IT") << std::endl;
  return innocent;
}

int hunt_planted(const Options& options) {
  bool all = true;
  for (std::size_t i = 1; i < kPlantedBugNames.size(); ++i)
    if (options.planted == "all" || options.planted == kPlantedBugNames.at(i)) all = hunt(kPlantedBugNames.at(i), options) && all;
  std::cout << (all ? "every planted bug was found\n" : "the simulator is not good enough\n");
  return all ? 0 : 1;
}
#else
bool plant(const std::string&) {
  std::cerr << "no bugs are planted in this build: configure it with STARLING_PLANTED_BUGS=ON, as ./dev sim does\n";
  return false;
}

int hunt_planted(const Options& options) { return plant(options.planted) ? 0 : 2; }
#endif

// ---- Every point at which a process can die ----

int sweep_file(const Options& options) {
  const std::optional<Scenario> scenario = load(options.sweep);
  if (!scenario) return 2;
  FarmPlan plan;
  plan.count = plan.workers = options.jobs;
  std::uint64_t points = 0, runs = 0;
  bool well = true;
  run_farm(
      plan, [&](std::uint64_t part) {
        const SweepResult result = sweep(*scenario, options.power_cuts, part - 1, options.jobs);
        return Outcome{part, result.complaints, {}, 0, {{"points", result.points}, {"runs", result.runs}}, {}};
      },
      [&](const Outcome* outcome) {
        if (outcome == nullptr) return true;
        if (outcome->faults.contains("points")) points += outcome->faults.at("points");
        if (outcome->faults.contains("runs")) runs += outcome->faults.at("runs");
        well = well && outcome->complaints.empty();
        show(*outcome);
        return well;
      });
  std::cout << options.sweep << ": died at " << points << " points in " << runs << " runs" << (well ? ", all is well\n" : ", failed\n");
  return well ? 0 : 1;
}

std::vector<std::string> verbs() {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < kVerbCount; ++i) names.emplace_back(name_of(Verb{static_cast<std::uint8_t>(i)}));
  return names;
}

std::vector<std::string> bugs() {
  std::vector<std::string> names(kPlantedBugNames.begin() + 1, kPlantedBugNames.end());
  names.emplace_back("all");
  return names;
}

int run(int argc, char** argv) {
  Options options;
  CLI::App app("Simulated worlds of devices that fail in every way we can think of");
  app.add_option("--seeds", options.seeds, "so many runs (1000, if no time is given)");
  app.add_option("--start", options.start, "the first seed");
  app.add_option("--minutes", options.minutes, "begin no run after that time");
  app.add_option("--jobs", options.jobs, "processes at once (one for each core)")->check(CLI::Range(1U, 1024U));
  app.add_flag("--twice", options.twice, "run each seed twice: both runs must be the same");
  app.add_option("--without", options.without, "leave out streams")
      ->check(CLI::IsMember({"topology", "workload", "network", "disk", "clock", "crash"}));
  app.add_option("--always", options.always, "this verb of scenarios strikes every run, though it be expected to fail")->check(CLI::IsMember(verbs()));
  app.add_option("--replay", options.replay, "run one saved scenario");
  app.add_option("--shrink", options.shrink, "make a failing scenario small");
  app.add_option("--sweep", options.sweep, "let each device die at every operation of its disk in a saved scenario");
  app.add_option("--power-cuts", options.power_cuts, "of these deaths, so many more by power cuts at each point");
  app.add_option("--planted", options.planted, "how soon a planted bug is found; with --replay or --shrink: have it in")->check(CLI::IsMember(bugs()));
  app.add_option("--folder", options.folder, "where failing scenarios are put")->take_last();
  CLI11_PARSE(app, argc, argv);
  if (const bool one = !options.replay.empty() || !options.shrink.empty(); one && !options.planted.empty() && !plant(options.planted)) return 2;
  if (!options.replay.empty()) return replay(options);
  if (!options.shrink.empty()) return shrink_file(options);
  if (!options.sweep.empty()) return sweep_file(options);
  if (!options.planted.empty()) return hunt_planted(options);
  if (options.seeds == 0 && options.minutes <= 0) options.seeds = kEnoughToReachAll;
  return run_seeds(options);
}

}  // namespace
}  // namespace starling::sim

int main(int argc, char** argv) { return starling::sim::run(argc, argv); }
