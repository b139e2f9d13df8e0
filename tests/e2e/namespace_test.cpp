// Hosts of their own: each daemon in a network namespace, a cable of two ends between them, and what tc(8) does to it.
//
// Needs root, ip(8) and the right to make namespaces; without them it says so and passes.
#include <unistd.h>

#include <csignal>

#include "tests/apps/tree.h"
#include "tests/e2e/device.h"

namespace starling::test {
namespace {

// Two hosts, 10.231.7.1 and 10.231.7.2. Gone with this object.
class Hosts {
 public:
  Hosts() {
    made_ = tool({"ip", "netns", "add", name(0)}) && tool({"ip", "netns", "add", name(1)}) &&
            tool({"ip", "link", "add", "starling0", "netns", name(0), "type", "veth", "peer", "name", "starling1", "netns", name(1)});
    for (int i = 0; made_ && i < 2; ++i) {
      made_ = inside(i, {"ip", "address", "add", address(i) + "/24", "dev", device(i)}) && set_link(i, true);
    }
  }
  ~Hosts() {
    for (int i = 0; i < 2; ++i) (void)tool({"ip", "netns", "delete", name(i)});
  }
  Hosts(const Hosts&) = delete;
  Hosts& operator=(const Hosts&) = delete;

  [[nodiscard]] bool made() const { return made_; }
  [[nodiscard]] const std::string& why_not() const { return why_not_; }
  [[nodiscard]] static std::string address(int i) { return "10.231.7." + std::to_string(i + 1); }
  [[nodiscard]] std::vector<std::string> under(int i) const { return {"ip", "netns", "exec", name(i)}; }
  bool set_link(int i, bool up) { return inside(i, {"ip", "link", "set", device(i), up ? "up" : "down"}); }
  // False: there is no netem here.
  bool make_bad(int i, const std::vector<std::string>& how) {
    std::vector<std::string> words{"tc", "qdisc", "replace", "dev", device(i), "root", "netem"};
    words.insert(words.end(), how.begin(), how.end());
    return inside(i, words);
  }

 private:
  [[nodiscard]] static std::string name(int i) { return "starling-" + std::to_string(::getpid()) + "-" + std::to_string(i); }
  [[nodiscard]] static std::string device(int i) { return "starling" + std::to_string(i); }
  bool inside(int i, std::vector<std::string> words) {
    const std::vector<std::string> before = under(i);
    words.insert(words.begin(), before.begin(), before.end());
    return tool(words);
  }
  bool tool(const std::vector<std::string>& words) {
    std::vector<std::string> silently{"sh", "-c", "exec \"$@\" 2>/dev/null", "sh"};
    silently.insert(silently.end(), words.begin(), words.end());
    const Expected<apps::Finished> done = apps::run_program(silently, 10s);
    if (done && done->ended.code == 0) return true;
    why_not_.clear();
    for (const std::string& word : words) why_not_ += word + " ";
    why_not_ += "failed";
    return false;
  }

  bool made_ = false;
  std::string why_not_;
};

}  // namespace

TEST_CASE("hosts: two in namespaces of their own, over a line that delays and loses packets, and that is unplugged") {
  TempFolder temp;
  Hosts hosts;
  if (!hosts.made()) {
    MESSAGE("not run: no network namespaces here (" << hosts.why_not() << ")");
    return;
  }
  Device a(temp, "A"), b(temp, "B");
  a.init(false, Hosts::address(0) + ":7734");
  b.init(true, Hosts::address(1) + ":7734");
  a.run_under(hosts.under(0));
  b.run_under(hosts.under(1));
  a.add_peer_at(b, Hosts::address(1) + ":7734");  // both dial
  b.add_peer_at(a, Hosts::address(0) + ":7734");
  bool bad = true;
  for (int i = 0; i < 2; ++i) bad = bad && hosts.make_bad(i, {"delay", "20ms", "5ms", "loss", "2%"});
  if (!bad) MESSAGE("without delay and loss: " << hosts.why_not());
  a.start();
  b.start();
  make_plain_tree(temp / "files", 1000);
  (void)a.call({{"op", "index"}, {"path", (temp / "files").string()}});
  (void)b.call({{"op", "tag_set"}, {"name", "of B"}});
  await_equal(a, b);
  CHECK(b.rows_of(a) > 1000);
  CHECK(a.has_tag("of B"));

  CHECK(hosts.set_link(0, false));  // nobody is told
  for (Device* device : {&a, &b}) (void)device->call({{"op", "tag_set"}, {"name", "hot"}, {"description", device->id()}});
  CHECK(hosts.set_link(0, true));
  await_equal({&a, &b});

  b.kill();
  (void)a.call({{"op", "tag_set"}, {"name", "while B is dead"}});
  b.start();
  await("B has it", [&] { return b.has_tag("while B is dead"); });
  await_equal(a, b);
}

}  // namespace starling::test
