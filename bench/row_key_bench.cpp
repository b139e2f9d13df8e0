// Which key should the merge metadata of a row have, and how should changes be captured? The figures of ADR 0003 and
// ADR 0005: `row_key_bench [rows] [wal_autocheckpoint] [page_size] [rounds]`.
//
// Each variant does the same work on a fresh file in the temporary folder: local inserts, single-column updates of
// random rows, inserts that come from a peer; 1,000 rows for each transaction, synchronous=FULL. The variants take turns
// transaction by transaction, so that what else the machine does hits them alike. Each figure is the median over the
// rounds, each ratio is to plain SQLite in the same round.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <memory>
#include <random>
#include <string_view>

#include "bench/row_key_replica.h"

namespace starling::bench {
namespace {

constexpr std::size_t kRowsPerTransaction = 1'000;
constexpr std::size_t kUpdatesMax = 50'000;

constexpr std::size_t kLayouts = 6;  // the first variants; the others compare ways of capture, with UUIDv7 only
constexpr Variant kVariants[] = {
    {"plain SQLite"},
    {"canonical key, WITHOUT ROWID", Layout::canonical},
    {"canonical key, rowid + index", Layout::indexed},
    {"rowid of the row", Layout::integer},
    {"hidden columns", Layout::hidden},
    {"canonical, 32 rows at once", Layout::canonical, Capture::hook, false, false, 32},
    {"canonical, told", Layout::canonical, Capture::told},
    {"canonical, hook + reread", Layout::canonical, Capture::reread},
    {"canonical, pending triggers", Layout::canonical, Capture::triggers},
    {"canonical, guard enabled", Layout::canonical, Capture::hook, true},
    {"canonical, SELECT on apply", Layout::canonical, Capture::hook, false, true},
};

struct Cost {
  double wall = 0, cpu = 0;
};  // seconds for a row
struct Figures {
  Cost insert, update, apply;
  double bytes = 0;  // of a row
};

std::vector<Key> make_keys(std::size_t count, bool version7) {
  std::mt19937_64 random(count);
  std::vector<Key> keys(count);
  for (std::size_t i = 0; i < count; ++i) {
    for (char& byte : keys[i]) byte = static_cast<char>(random());
    const std::uint64_t millis = 1'700'000'000'000 + i / 4;
    for (std::size_t b = 0; version7 && b < 6; ++b) keys[i][b] = static_cast<char>(millis >> (40 - 8 * b));
    if (version7) keys[i][6] = static_cast<char>(0x70 | (i & 3));  // their order within the millisecond
  }
  return keys;
}

class Round {
 public:
  Round(const std::filesystem::path& folder, std::span<const Variant> variants, const Settings& settings)
      : figures_(variants.size()) {
    for (const Variant& variant : variants) {
      const auto file = folder / (std::to_string(replicas_.size()) + ".db");
      replicas_.push_back(std::make_unique<Replica>(file.string(), variant, settings));
    }
  }
  std::vector<Figures> run(std::span<const Key> keys) {
    const std::span<const Key> local = keys.first(keys.size() * 2 / 3);
    std::vector<Key> shuffled(local.begin(), local.end());
    std::shuffle(shuffled.begin(), shuffled.end(), std::mt19937(1));
    shuffled.resize(std::min(kUpdatesMax, shuffled.size()));
    phase(local, &Figures::insert, &Replica::insert);
    for (std::size_t i = 0; i < replicas_.size(); ++i) {
      figures_[i].bytes = double(replicas_[i]->bytes()) / double(local.size());
    }
    phase(shuffled, &Figures::update, &Replica::update);
    phase(keys.subspan(local.size()), &Figures::apply, &Replica::apply);
    return figures_;
  }

 private:
  void phase(std::span<const Key> keys, Cost Figures::*cost, void (Replica::*work)(std::span<const Key>)) {
    for (std::size_t at = 0, turn = 0; at < keys.size(); at += kRowsPerTransaction, ++turn) {
      const auto part = keys.subspan(at, std::min(kRowsPerTransaction, keys.size() - at));
      for (std::size_t i = 0; i < replicas_.size(); ++i) {
        const std::size_t now = (i + turn) % replicas_.size();
        const auto start = std::chrono::steady_clock::now();
        const std::clock_t cpu = std::clock();
        ((*replicas_[now]).*work)(part);
        const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
        Cost& total = figures_[now].*cost;
        total.wall += wall.count() / double(keys.size());
        total.cpu += double(std::clock() - cpu) / CLOCKS_PER_SEC / double(keys.size());
      }
    }
  }

  std::vector<std::unique_ptr<Replica>> replicas_;
  std::vector<Figures> figures_;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void print(const char* name, const std::vector<Figures>& rounds, const std::vector<Figures>& plain) {
  std::printf("  %-30s", name);
  for (const auto phase : {&Figures::insert, &Figures::update, &Figures::apply}) {
    std::vector<double> rate, wall, cpu;
    for (std::size_t i = 0; i < rounds.size(); ++i) {
      rate.push_back(1 / (rounds[i].*phase).wall);
      wall.push_back((plain[i].*phase).wall / (rounds[i].*phase).wall);
      cpu.push_back((plain[i].*phase).cpu / (rounds[i].*phase).cpu);
    }
    std::printf("%9.0f %.2f %.2f", median(rate), median(wall), median(cpu));
  }
  std::printf("%7.0f %.2f\n", rounds[0].bytes, rounds[0].bytes / plain[0].bytes);
}

void measure(const char* title, std::span<const Variant> variants, std::span<const Key> keys, const Settings& settings,
             int rounds) {
  const auto folder =
      std::filesystem::temp_directory_path() / ("row_key_bench-" + std::to_string(std::random_device()()));
  std::vector<std::vector<Figures>> figures(variants.size());
  for (int round = 0; round < rounds; ++round) {
    std::filesystem::create_directory(folder);
    const std::vector<Figures> result = Round(folder, variants, settings).run(keys);
    for (std::size_t i = 0; i < result.size(); ++i) figures[i].push_back(result[i]);
    std::filesystem::remove_all(folder);
  }
  std::printf("%-32s%19s%19s%19s%12s\n", title, "insert", "update", "apply insert", "bytes/row");
  for (std::size_t i = 0; i < variants.size(); ++i) print(variants[i].name, figures[i], figures[0]);
  std::fflush(stdout);
}

}  // namespace
}  // namespace starling::bench

int main(int argc, char** argv) {
  using namespace starling::bench;
  const auto argument = [&](int i, int otherwise) { return argc > i ? std::atoi(argv[i]) : otherwise; };
  const auto rows = static_cast<std::size_t>(argument(1, 100'000));
  const Settings settings{.page_size = argument(3, 4'096), .wal_autocheckpoint = argument(2, 1'000)};
  const int rounds = argument(4, 3);
  if (rows < kRowsPerTransaction || rounds < 1) {
    std::fprintf(stderr, "row_key_bench [rows, 1000 or more] [wal_autocheckpoint] [page_size] [rounds]\n");
    return 2;
  }
  std::printf(
      "%zu rows, wal_autocheckpoint %d, page_size %d. For each phase: rows/s, and its ratio to plain SQLite\n"
      "by the clock and by CPU time; then bytes for each row.\n",
      rows, settings.wal_autocheckpoint, settings.page_size);
  measure("keys: UUIDv7", kVariants, make_keys(rows * 3 / 2, true), settings, rounds);
  measure("keys: random UUIDv4", std::span(kVariants).first(kLayouts), make_keys(rows * 3 / 2, false), settings,
          rounds);
}
