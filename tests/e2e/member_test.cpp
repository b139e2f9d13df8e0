// Devices that come and go for good, and joins where the log is gone already: with the real programs.
#include <csignal>
#include <thread>

#include "apps/common/config_file.h"
#include "apps/common/data_folder.h"
#include "tests/apps/tree.h"
#include "tests/e2e/device.h"

namespace starling::test {
namespace {

namespace fs = std::filesystem;

std::int64_t now_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

void set_tags(Device& device, const std::string& name, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) (void)device.call({{"op", "tag_set"}, {"name", name + std::to_string(i)}});
}

json member_of(Device& device, const Device& other) {
  const json all = device.call({{"op", "member_list"}});
  for (const json& member : all["members"])
    if (member["device"] == other.id()) return member;
  return {{"state", "none"}};
}

void await_no_log(const std::vector<Device*>& all) {
  await("nothing is kept", [&] {
    return std::all_of(all.begin(), all.end(), [](Device* one) { return one->status()["log_entries"] == 0; });
  });
}

// A joined by B, and both by C: everybody knows everybody.
struct Three {
  TempFolder temp;
  Device a{temp, "A"};
  Device b{temp, "B"};
  Device c{temp, "C"};

  Three() {
    introduce(a, b);
    c.init(true);
    a.add_peer(c, false);
    b.add_peer(c, false);
    b.start();
    c.add_peer(a, true);
    c.add_peer(b, true);
    c.start();
    await_equal({&a, &b, &c});
  }
};

// A and B, whose log is gone, with so many tags; C is still to join, from A.
struct Pruned {
  TempFolder temp;
  Device a{temp, "A"};
  Device b{temp, "B"};
  Device c{temp, "C"};

  explicit Pruned(std::size_t thousands) {
    make_plain_tree(temp / "files", 20);
    introduce(a, b);
    b.start();
    (void)a.call({{"op", "index"}, {"path", (temp / "files").string()}});
    for (std::size_t i = 0; i < thousands; ++i) {
      json names = json::array();
      for (std::size_t n = 0; n < 1000; ++n) names.push_back("tag " + std::to_string(i * 1000 + n));
      (void)a.call({{"op", "tag"}, {"path", (temp / "files").string()}, {"tags", names}});
    }
    (void)a.ask({"tag", "rm", "tag 7"});
    await_equal({&a, &b}, 120s);
    await_no_log({&a, &b});
    c.init(true);
    a.add_peer(c, false);
    c.add_peer(a, true);
  }
};

}  // namespace

TEST_CASE("[N13] members: who is away and holds back what; removed, it holds back nothing and is refused with the reason") {
  Three t;
  await("three members", [&] { return t.a.status()["members"] == 3 && t.c.status()["members"] == 3; });
  CHECK(member_of(t.a, t.a)["state"] == "this device");
  CHECK(member_of(t.a, t.c)["state"] == "member");
  CHECK(member_of(t.a, t.c)["name"].is_string());
  await_no_log({&t.a, &t.b, &t.c});  // all has been acknowledged
  CHECK(t.c.stop() == 0);
  const std::int64_t before = now_ms();
  set_tags(t.a, "kept", 20);
  await("B has them", [&] { return member_of(t.a, t.b)["lacks"] == 0 && t.b.has_tag("kept19"); });
  const json behind = member_of(t.a, t.c);
  CHECK(behind["lacks"] == 20);
  CHECK(behind["oldest_ms"].get<std::int64_t>() >= before);
  CHECK(behind["oldest_ms"].get<std::int64_t>() <= now_ms());
  CHECK(t.a.starling({"member", "list"}).output.find("20 changes since 20") != std::string::npos);
  CHECK(t.b.status()["log_entries"] == 20);

  const Run unsure = t.a.starling({"member", "remove", t.c.id()});
  CHECK(unsure.code == 1);
  CHECK(unsure.errors.find("--yes") != std::string::npos);
  CHECK(t.a.starling({"member", "remove", t.a.id(), "--yes"}).errors.find("does not remove itself") != std::string::npos);
  CHECK(t.a.starling({"member", "remove", "no such", "--yes"}).errors.find("member list") != std::string::npos);
  CHECK(t.a.starling({"member", "admit", t.c.id()}).errors.find("was not removed") != std::string::npos);
  CHECK(t.a.ask({"member", "remove", t.c.id().substr(0, 9), "--yes"})["device"] == t.c.id());
  await_no_log({&t.a, &t.b});
  CHECK(t.a.status()["entries_dropped"] >= 20);
  CHECK(t.a.status()["members"] == 2);
  CHECK(t.a.peer(t.c)["state"] == "none");
  CHECK(member_of(t.b, t.c)["state"] == "removed");

  t.c.start();
  await("B says why", [&] { return t.c.peer(t.b)["why"].get<std::string>().find("was removed from the workspace") != std::string::npos; });
  CHECK(t.c.state_of(t.b) == "refused");
  CHECK(t.c.starling({"status"}).output.find("was removed from the workspace") != std::string::npos);
  CHECK_FALSE(t.c.has_tag("kept0"));

  CHECK(t.a.ask({"member", "admit", t.c.id()})["device"] == t.c.id());
  t.a.add_peer(t.c, false);
  await("it goes on under a new life", [&] { return t.c.log().find("was removed and admitted again") != std::string::npos; });
  await_equal({&t.a, &t.b, &t.c});
  CHECK(t.c.has_tag("kept0"));
  CHECK(t.c.status()["snapshots_taken"] == 1);
  CHECK(member_of(t.b, t.c)["state"] == "member");
  await_no_log({&t.a, &t.b, &t.c});
}

TEST_CASE("members: who is connected when it is removed is told why, by whoever removed it, too") {
  Three t;
  (void)t.a.ask({"member", "remove", t.c.id(), "--yes"});
  await("C is told", [&] { return t.c.log().find("was removed from the workspace") != std::string::npos; });
  await("both refuse it", [&] { return t.c.state_of(t.a) == "refused" && t.c.state_of(t.b) == "refused"; });
  set_tags(t.c, "lost", 1);
  set_tags(t.a, "after", 1);
  await_equal(t.a, t.b);
  CHECK_FALSE(t.b.has_tag("lost0"));
  CHECK_FALSE(t.c.has_tag("after0"));
  CHECK(t.b.stop() == 0);
  CHECK(t.b.ask({"member", "admit", t.c.id()})["device"] == t.c.id());  // no daemon, no peer yet
  t.b.start();
  await("A has heard of it", [&] { return member_of(t.a, t.c)["state"] == "member"; });
}

TEST_CASE("members: a device that joins when the log is gone takes a snapshot, and what it wrote before reaches all") {
  Pruned t(2);
  CHECK(t.c.ask({"tag", "set", "early"})["commit"]["rows"] == 1);  // no daemon, no peer yet
  t.c.start();
  await_equal({&t.a, &t.b, &t.c});
  CHECK(t.c.status()["snapshots_taken"] == 1);
  CHECK(t.c.starling({"status"}).output.find("Snapshots  1 taken in") != std::string::npos);
  CHECK(t.b.has_tag("early"));
  CHECK_FALSE(t.c.has_tag("tag 7"));
}

TEST_CASE("members: source and joiner are killed in turn in the middle of a snapshot, and all end equal") {
  Pruned t(10);
  const std::string listen = "127.0.0.1:" + std::to_string(t.a.port());  // where it listens when it is back
  const fs::path config = apps::config_path(t.a.folder());
  const Expected<std::string> text = apps::read_text(config);
  REQUIRE(text);
  REQUIRE(apps::write_text(config, apps::with_value(*text, "listen", listen)));
  std::size_t in_the_middle = 0;
  t.c.start();
  for (const auto delay : {0ms, 20ms, 60ms, 120ms, 200ms, 300ms, 100ms, 40ms}) {
    std::this_thread::sleep_for(delay);
    Device& victim = delay.count() % 40 == 0 ? t.c : t.a;
    in_the_middle += t.c.status()["readiness"] == "ready" ? 0 : 1;
    victim.kill();
    victim.start();
  }
  CHECK(in_the_middle > 0);
  MESSAGE(in_the_middle << " of 8 deaths before the joiner was ready");
  await_equal({&t.a, &t.b, &t.c}, 120s);
  CHECK_FALSE(t.c.has_tag("tag 7"));
}

}  // namespace starling::test
