#include "apps/demo/live.h"

#include <algorithm>
#include <cmath>
#include <thread>

#include "core/store/reader.h"

namespace starling::demo {
namespace {

using namespace std::chrono_literals;

constexpr auto kBetweenQueries = 50us;
constexpr auto kBetweenChanges = 5ms;
constexpr auto kVisibleWithin = 10s;
constexpr char kTag[] = "live";

double one_change(Device& from, const Reader& at, const std::string& value) {
  const json answer = from.call({{"op", "tag_set"}, {"name", kTag}, {"description", value}});
  const Clock::time_point committed{std::chrono::microseconds(answer["commit"]["monotonic_us"].get<std::int64_t>())};
  while (Clock::now() - committed < kVisibleWithin) {
    const Rows rows = must(at.query("SELECT description FROM tag WHERE name = ?", kTag));
    const Clock::time_point seen = Clock::now();
    if (!rows.empty() && rows.text(0) == value) {
      return std::chrono::duration<double, std::milli>(seen - committed).count();
    }
    std::this_thread::sleep_for(kBetweenQueries);
  }
  throw Failed("a change made on " + from.name() + " was not visible on the other device after 10 s");
}

}  // namespace

double Latencies::percentile(double p) const {
  const double rank = std::ceil(p / 100 * static_cast<double>(ms.size()));
  return ms.at(static_cast<std::size_t>(std::max(1.0, rank)) - 1);
}

Latencies measure_live(Device& a, Device& b, std::size_t changes) {
  const Reader reader_a(a.database());
  const Reader reader_b(b.database());
  Latencies latencies;
  for (std::size_t i = 0; i < changes; ++i) {
    const std::string value = "change " + std::to_string(i);
    latencies.ms.push_back(i % 2 == 0 ? one_change(a, reader_b, value) : one_change(b, reader_a, value));
    std::this_thread::sleep_for(kBetweenChanges);
  }
  std::sort(latencies.ms.begin(), latencies.ms.end());
  return latencies;
}

}  // namespace starling::demo
