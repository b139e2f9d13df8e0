// One bad peer of three, or a bad line: what it costs the others (nothing), and that it ends equal once it is well again.
#include <algorithm>
#include <csignal>

#include "apps/common/data_folder.h"
#include "core/base/limits.h"
#include "tests/apps/tree.h"
#include "tests/e2e/device.h"
#include "tests/e2e/proxy.h"

namespace starling::test {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr auto kVisibleWithin = 2000ms;  // a change, for the middle one of several
constexpr int kChanges = 9;

// A has the workspace; B and C have joined, B directly, C through a proxy. All are equal.
struct Trio {
  TempFolder temp;
  Device a{temp, "A"};
  Device b{temp, "B"};
  Device c{temp, "C"};
  std::unique_ptr<Proxy> line;
  int said = 0;

  Trio() {
    introduce(a, b);
    b.start();
    c.init(true);
    a.add_peer(c, false);
    line = std::make_unique<Proxy>(a.port());
    c.add_peer_at(a, line->port());
    c.start();
    await_equal({&a, &b, &c});
  }

  // Some changes of A, one after the other: the middle time until the write had returned, and until B shows it.
  void check_changes_flow() {
    std::vector<Clock::duration> written, visible;
    for (int i = 0; i < kChanges; ++i) {
      const std::string name = "change " + std::to_string(++said);
      const Clock::time_point start = Clock::now();
      (void)a.call({{"op", "tag_set"}, {"name", name}});
      written.push_back(Clock::now() - start);
      await("B shows " + name, [&] { return b.has_tag(name); });
      visible.push_back(Clock::now() - start);
    }
    for (std::vector<Clock::duration>* times : {&written, &visible}) std::sort(times->begin(), times->end());
    CHECK(written[kChanges / 2] < kVisibleWithin);
    CHECK(visible[kChanges / 2] < kVisibleWithin);
  }
  void index_on_a(const std::string& name, std::size_t files) {
    make_plain_tree(temp / name, files);
    (void)a.call({{"op", "index"}, {"path", (temp / name).string()}});
  }
  void check_equal_in_the_end() { await_equal({&a, &b, &c}); }
};

std::size_t resident_kib(int pid) {
  const Expected<std::string> text = apps::read_text("/proc/" + std::to_string(pid) + "/status");
  REQUIRE(text.has_value());
  const std::size_t at = text->find("VmRSS:");
  REQUIRE(at != std::string::npos);
  return std::stoul(text->substr(at + 6));
}

}  // namespace

TEST_CASE("[N24] flow: a peer that takes 1 kB/s is behind, the others live; in bounds; then it catches up") {
  Trio trio;
  const std::size_t before = resident_kib(trio.a.daemon().pid());
  trio.line->limit(Way::back, 1000);
  trio.index_on_a("files", 4000);
  await("B has the files", [&] { return trio.b.rows_of(trio.a) > 4000; });
  trio.check_changes_flow();
  CHECK(trio.a.state_of(trio.c) == "behind");
  CHECK(trio.a.peer(trio.c)["it_lacks"] > 1000);
  await("A and B are live", [&] { return trio.a.state_of(trio.b) == "live" && trio.b.state_of(trio.a) == "live"; });
  CHECK(resident_kib(trio.a.daemon().pid()) < before + 2 * limits::kOutboxMax / 1024);
  trio.line->limit(Way::back, 0);
  trio.check_equal_in_the_end();
}

TEST_CASE("[N23] flow: a peer that is stopped (SIGSTOP) costs the others nothing, and goes on where it stood") {
  Trio trio;
  trio.c.daemon().signal(SIGSTOP);
  trio.index_on_a("files", 4000);
  trio.check_changes_flow();
  CHECK(trio.a.state_of(trio.c) == "behind");
  trio.c.daemon().signal(SIGCONT);
  trio.check_equal_in_the_end();
  CHECK(trio.c.status()["duplicate_rows"] == 0);
}

TEST_CASE("[N23] flow: one of three is dead (SIGKILL) while 10,000 rows are written: the live one gets them, then the dead one") {
  Trio trio;
  trio.c.kill();
  trio.index_on_a("files", 10'000);
  await("B has the files", [&] { return trio.b.rows_of(trio.a) > 10'000; });
  trio.check_changes_flow();
  trio.c.start();
  trio.check_equal_in_the_end();
}

TEST_CASE("[N2] flow: one direction is dead: the other one flows, and all is equal when the line is well again") {
  Trio trio;
  trio.line->stall(Way::back, true);  // A is not heard by C
  (void)trio.c.call({{"op", "tag_set"}, {"name", "of C"}});
  await("C is heard by all", [&] { return trio.b.has_tag("of C"); });
  trio.check_changes_flow();
  CHECK_FALSE(trio.c.has_tag("change 1"));
  trio.line->stall(Way::back, false);
  trio.check_equal_in_the_end();

  trio.line->stall(Way::there, true);  // C is not heard by A, nor can it connect anew
  trio.line->cut();
  (void)trio.c.call({{"op", "tag_set"}, {"name", "also of C"}});
  trio.check_changes_flow();
  CHECK_FALSE(trio.a.has_tag("also of C"));
  trio.line->stall(Way::there, false);
  trio.check_equal_in_the_end();
  CHECK(trio.a.has_tag("also of C"));
}

TEST_CASE("[T6] flow: while a third device joins, changes of two that are ready are visible within 2 s, and writes go on") {
  TempFolder temp;
  Device a(temp, "A"), b(temp, "B"), c(temp, "C");
  introduce(a, b);
  b.start();
  make_plain_tree(temp / "files", 12'000);
  (void)a.call({{"op", "index"}, {"path", (temp / "files").string()}});
  await_equal(a, b);
  c.init(true);
  a.add_peer(c, false);
  Proxy line(a.port());
  line.limit(Way::back, 150'000);
  c.add_peer_at(a, line.port());
  c.start();
  await("the join is under way", [&] { return c.rows_of(a) > 0; });
  std::vector<Clock::duration> visible;
  int midway = 0;
  for (int i = 0; i < kChanges; ++i) {
    midway += c.status()["readiness"] != "ready" ? 1 : 0;
    for (const auto& [from, to] : {std::pair(&a, &b), std::pair(&b, &a)}) {
      const std::string name = (from == &a ? "A " : "B ") + std::to_string(i);
      const Clock::time_point start = Clock::now();
      (void)from->call({{"op", "tag_set"}, {"name", name}});
      await(name + " is seen", [&, to = to] { return to->has_tag(name); });
      visible.push_back(Clock::now() - start);
    }
  }
  CHECK(midway > 0);
  std::sort(visible.begin(), visible.end());
  CHECK(visible[visible.size() / 2] < kVisibleWithin);
  line.limit(Way::back, 0);
  await_equal({&a, &b, &c});
}

}  // namespace starling::test
