// What one bad peer costs the others, what an idle pair says, and what a join of many rows takes. Each device is a
// process; lines go through the tests' proxy where they must be slow or counted. Ends with 1 where a promise is broken:
// a change between two that are ready is seen within 2 s whatever else goes on, an idle pair says less than 1 kB a minute,
// and neither side of a join takes more than the ceiling.
//   flow_bench [rows in a join] [rounds]
#include <csignal>
#include <cstdlib>
#include <sstream>
#include <thread>

#include "bench/flow_node.h"
#include "bench/rounds.h"
#include "tests/e2e/proxy.h"

namespace starling::bench {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using test::Proxy;
using test::Way;

constexpr int kWrites = 300;
constexpr int kApart = 2000;       // microseconds
constexpr int kBacklog = 20'000;   // rows that a bad peer lacks, so that there is something to push at it
constexpr auto kIdle = 120s;
constexpr double kCeiling = 160;          // MiB, of either side
constexpr double kVisibleWithin = 2e6;    // microseconds
constexpr double kIdleMax = 1000;         // bytes a minute, both ways

bool broken = false;

void promise(bool kept, const char* what) {
  if (kept) return;
  broken = true;
  std::printf("BROKEN: %s\n", what);
}

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

std::pair<double, double> two(const std::string& text) {
  std::istringstream words(text);
  double a = 0, b = 0;
  words >> a >> b;
  return {a, b};
}

void await_ready(FlowNode& node) {
  while (node.ask("ready") != "1") std::this_thread::sleep_for(10ms);
}

void await_equal(FlowNode& a, FlowNode& b) {
  while (a.ask("vector") != b.ask("vector")) std::this_thread::sleep_for(10ms);
}

struct Cost {
  Times written, visible;
};

// Writes on A one by one, and when B shows them.
Cost measure(FlowNode& a, FlowNode& b) {
  static int phases = 0;
  const std::string phase = "p" + std::to_string(++phases);
  Cost cost;
  cost.written = a.ask_times("write " + phase + " " + std::to_string(kWrites) + " " + std::to_string(kApart));
  cost.visible = b.ask_times("seen " + phase + " " + std::to_string(kWrites));
  return cost;
}

void print_cost(const char* name, const std::vector<Cost>& floors, const std::vector<Cost>& costs) {
  const auto column = [&](double Times::*which, Times Cost::*what) {
    std::vector<double> ratios, values;
    for (std::size_t i = 0; i < costs.size(); ++i) {
      ratios.push_back((costs[i].*what).*which / (floors[i].*what).*which);
      values.push_back((costs[i].*what).*which);
    }
    std::printf(" %9.0f %6.2f", median(values), median(ratios));
  };
  std::printf("%-26s", name);
  for (Times Cost::*what : {&Cost::written, &Cost::visible})
    for (double Times::*which : {&Times::p50, &Times::p99}) column(which, what);
  for (const Cost& cost : costs) promise(cost.visible.p99 < kVisibleWithin, "a change is seen within 2 s beside a bad peer");
  std::printf("\n");
  std::fflush(stdout);
}

void bad_peers(TempFolder& temp, int rounds) {
  FlowNode a(temp.fresh("a"), true), b(temp.fresh("b"), false), c(temp.fresh("c"), false);
  a.add_peer(b);
  b.add_peer(a, a.port());
  await_ready(b);
  Proxy line(a.port());
  a.add_peer(c);
  c.add_peer(a, line.port());
  await_ready(c);
  a.ask("rows entry " + std::to_string(kBacklog));
  await_equal(a, c);
  std::vector<Cost> absent, slow, stopped, dead;
  for (int round = 0; round < rounds; ++round) {
    line.close(true);  // nobody is there
    a.ask("part " + c.id());
    std::this_thread::sleep_for(500ms);
    absent.push_back(measure(a, b));
    a.add_peer(c);
    line.limit(Way::back, 1000);
    line.close(false);
    a.ask("rows entry " + std::to_string(kBacklog));
    await_equal(a, b);
    slow.push_back(measure(a, b));
    line.limit(Way::back, 0);
    await_equal(a, c);
    c.signal(SIGSTOP);
    a.ask("rows entry " + std::to_string(kBacklog));
    await_equal(a, b);
    stopped.push_back(measure(a, b));
    c.signal(SIGCONT);
    await_equal(a, c);
    c.end(SIGKILL);
    a.ask("rows entry " + std::to_string(kBacklog));
    await_equal(a, b);
    dead.push_back(measure(a, b));
    c.start();
    c.add_peer(a, line.port());
    await_equal(a, c);
  }
  std::printf("\nWrites on A, seen on B, while a third device is …     (microseconds, and the ratio to absent in the same round)\n");
  std::printf("%-26s %16s %16s %16s %16s\n", "", "write p50", "write p99", "visible p50", "visible p99");
  print_cost("absent", absent, absent);
  print_cost("at 1 kB/s", absent, slow);
  print_cost("stopped (SIGSTOP)", absent, stopped);
  print_cost("dead (SIGKILL)", absent, dead);
}

// A pair that says nothing while the rest is measured.
class IdlePair {
 public:
  explicit IdlePair(TempFolder& temp) : a_(temp.fresh("idle-a"), true), b_(temp.fresh("idle-b"), false), line_(a_.port()) {
    a_.add_peer(b_);
    b_.add_peer(a_, line_.port());
    await_ready(b_);
    a_.ask("rows entry 1000");
    b_.ask("rows tag 1000");
    await_equal(a_, b_);
    std::this_thread::sleep_for(1s);
    start_ = Clock::now();
    there_ = line_.bytes(Way::there);
    back_ = line_.bytes(Way::back);
    processor_ = a_.processor_seconds() + b_.processor_seconds();
  }
  void print() {
    std::this_thread::sleep_until(start_ + kIdle);
    const double minutes = seconds_since(start_) / 60;
    const double there = static_cast<double>(line_.bytes(Way::there) - there_) / minutes;
    const double back = static_cast<double>(line_.bytes(Way::back) - back_) / minutes;
    const double processor = (a_.processor_seconds() + b_.processor_seconds() - processor_) / minutes;
    std::printf("\nAn idle converged pair, %.1f minutes: %.0f and %.0f bytes a minute on TCP, TLS included; %.3f s of processor a minute\n",
                minutes, there, back, processor);
    promise(there + back < kIdleMax, "an idle pair says less than 1 kB a minute");
    std::fflush(stdout);
  }

 private:
  FlowNode a_, b_;
  Proxy line_;
  Clock::time_point start_;
  std::uint64_t there_ = 0, back_ = 0;
  double processor_ = 0;
};

void print_join(const char* name, double rows, double seconds, FlowNode& source, FlowNode& joiner, double bytes) {
  std::printf("%-34s %8.1f s %9.0f rows/s %7.1f bytes/row   peak RSS: source %.0f MiB, joiner %.0f MiB\n", name, seconds,
              rows / seconds, bytes / rows, source.memory("VmHWM"), joiner.memory("VmHWM"));
  promise(source.memory("VmHWM") < kCeiling && joiner.memory("VmHWM") < kCeiling, "a join takes no more memory than its ceiling");
  std::fflush(stdout);
}

double join(FlowNode& source, FlowNode& joiner) {
  source.reset_peak();
  source.add_peer(joiner);
  const auto start = Clock::now();
  joiner.add_peer(source, source.port());
  await_ready(joiner);
  return seconds_since(start);
}

// B joins A with all the rows; then C does, while A and B write and see each other's.
void joins(TempFolder& temp, const char* table, const char* kind, std::int64_t rows) {
  FlowNode a(temp.fresh("join-a"), true);
  const double made = a.ask_number("rows " + std::string(table) + " " + std::to_string(rows));
  std::printf("\n%lld %s rows: written in %.1f s, then\n", static_cast<long long>(rows), kind, made);
  const auto count = static_cast<double>(rows);
  FlowNode b(temp.fresh("join-b"), false);
  const double took = join(a, b);
  print_join("a device joins", count, took, a, b, two(b.ask("traffic")).first);
  const Cost quiet = measure(a, b);

  FlowNode c(temp.fresh("join-c"), false);
  a.reset_peak();
  a.add_peer(c);
  const auto start = Clock::now();
  c.add_peer(a, a.port());
  std::vector<double> there, back, written;
  Times worst_there, worst_back, worst_written;
  for (int i = 0; c.ask("ready") != "1"; ++i) {
    const std::string phase = std::string(table) + std::to_string(i);
    for (FlowNode* node : {&a, &b}) node->send("write " + phase + (node == &a ? "a" : "b") + " 20 50000");
    std::istringstream wrote(a.answer());
    Times times;
    wrote >> times.p50 >> times.p99 >> times.most;
    (void)b.answer();
    const Times to_b = b.ask_times("seen " + phase + "a 20"), to_a = a.ask_times("seen " + phase + "b 20");
    written.push_back(times.p50);
    there.push_back(to_b.p50);
    back.push_back(to_a.p50);
    worst_written.most = std::max(worst_written.most, times.most);
    worst_there.most = std::max(worst_there.most, to_b.most);
    worst_back.most = std::max(worst_back.most, to_a.most);
  }
  print_join("another, while A and B write", count, seconds_since(start), a, c, two(c.ask("traffic")).first);
  std::printf("  a write on A: p50 %.1f ms, worst %.0f ms (quiet: p50 %.1f); seen on B: p50 %.1f, worst %.0f ms (quiet: p50 %.1f);"
              " of B on A: p50 %.1f, worst %.0f ms\n",
              median(written) / 1e3, worst_written.most / 1e3, quiet.written.p50 / 1e3, median(there) / 1e3,
              worst_there.most / 1e3, quiet.visible.p50 / 1e3, median(back) / 1e3, worst_back.most / 1e3);
  promise(worst_there.most < kVisibleWithin && worst_back.most < kVisibleWithin, "a live change is seen within 2 s during a join");
  std::fflush(stdout);
}

// B joins A, both have all the rows, and their log is forgotten: C takes a snapshot of them.
void join_by_snapshot(TempFolder& temp, std::int64_t rows) {
  FlowNode a(temp.fresh("snap-a"), true);
  (void)a.ask_number("rows tag " + std::to_string(rows));
  FlowNode b(temp.fresh("snap-b"), false);
  (void)join(a, b);
  while (a.ask("log") != "0") std::this_thread::sleep_for(100ms);
  FlowNode c(temp.fresh("snap-c"), false);
  const double took = join(a, c);
  std::printf("\n");
  print_join("shared rows, by a snapshot", static_cast<double>(rows), took, a, c, two(c.ask("traffic")).first);
  promise(c.ask("snapshots") == "1", "whoever comes when the log is forgotten takes a snapshot");
}

void run_all(std::int64_t rows, int rounds) {
  TempFolder temp;
  IdlePair idle(temp);
  bad_peers(temp, rounds);
  joins(temp, "entry", "device-owned", rows);
  joins(temp, "tag", "shared", rows);
  join_by_snapshot(temp, rows);
  idle.print();
}

}  // namespace
}  // namespace starling::bench

int main(int count, char** words) {
  const std::string first = count > 1 ? words[1] : "1000000";
  if (first == "node" && count == 4) return starling::bench::run_flow_node(words[2], std::string(words[3]) == "create");
  starling::bench::run_all(std::atoll(first.c_str()), count > 2 ? std::atoi(words[2]) : 5);
  return starling::bench::broken ? 1 : 0;
}
