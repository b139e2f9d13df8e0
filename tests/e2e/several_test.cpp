// Three to five real daemons: who never meets, who is cut off, and who dies in the middle of a join.
#include <csignal>
#include <thread>

#include "core/base/prng.h"
#include "tests/apps/tree.h"
#include "tests/e2e/device.h"
#include "tests/e2e/proxy.h"

namespace starling::test {
namespace {

namespace fs = std::filesystem;

json index_request(const fs::path& folder) { return {{"op", "index"}, {"path", folder.string()}}; }

// Five devices in a ring, each dialling the one before it through a proxy: A-B-C-D-E-A.
struct Ring {
  static constexpr std::size_t kSize = 5;
  TempFolder temp;
  std::vector<std::unique_ptr<Device>> nodes;
  std::vector<std::unique_ptr<Proxy>> lines;  // lines[i]: from node i + 1 to node i

  Ring() {
    for (std::size_t i = 0; i < kSize; ++i) {
      nodes.push_back(std::make_unique<Device>(temp, std::string(1, static_cast<char>('A' + i))));
      nodes[i]->init(i > 0);
    }
    for (std::size_t i = 0; i < kSize; ++i) next(i).add_peer(*nodes[(i + 2) % kSize], false);
    for (std::size_t i = 0; i < kSize; ++i) {
      nodes[i]->start();
      lines.push_back(std::make_unique<Proxy>(nodes[i]->port()));
    }
    for (std::size_t i = 0; i < kSize; ++i) next(i).add_peer_at(*nodes[i], lines[i]->port());
  }
  Device& next(std::size_t i) { return *nodes[(i + 1) % kSize]; }
  std::vector<Device*> all() {
    std::vector<Device*> devices;
    for (const auto& node : nodes) devices.push_back(node.get());
    return devices;
  }
};

}  // namespace

TEST_CASE("[N3] several: a ring of five is cut into halves, both write, it heals: all are equal") {
  Ring ring;
  await_equal(ring.all());
  for (const std::size_t cut : {1UL, 4UL}) ring.lines[cut]->close(true);  // A B | C D E
  const auto say = [&](Device& device, const std::string& text) {
    (void)device.call({{"op", "tag_set"}, {"name", "hot"}, {"description", text}});
    (void)device.call({{"op", "tag_set"}, {"name", "of " + text}});
  };
  std::vector<std::string> names;
  for (std::size_t i = 0; i < Ring::kSize; ++i) {
    names.push_back(std::string(1, static_cast<char>('A' + i)));
    const fs::path files = ring.temp / ("files " + names.back());
    make_plain_tree(files, 200);
    say(*ring.nodes[i], names.back());
    (void)ring.nodes[i]->call(index_request(files));
  }
  await("the halves agree, each in itself", [&] {
    return ring.nodes[0]->has_tag("of B") && ring.nodes[1]->has_tag("of A") && ring.nodes[2]->has_tag("of E") &&
           ring.nodes[4]->has_tag("of C") && ring.nodes[4]->rows_of(*ring.nodes[2]) > 200;
  });
  CHECK_FALSE(ring.nodes[0]->has_tag("of C"));
  CHECK_FALSE(ring.nodes[3]->has_tag("of B"));
  (void)ring.nodes[1]->call({{"op", "tag_rm"}, {"name", "of A"}});
  for (const std::size_t cut : {1UL, 4UL}) ring.lines[cut]->close(false);
  await("every tag is everywhere", [&] {
    for (const auto& node : ring.nodes) {
      for (const std::string& name : names)
        if (node->has_tag("of " + name) != (name != "A")) return false;
    }
    return true;
  });
  await_equal(ring.all());
}

TEST_CASE("[T7][T15] several: A, B and C in a line; C, who never meets A, gets both classes of A, and knows everyone") {
  TempFolder temp;
  Device a(temp, "A"), b(temp, "B"), c(temp, "C");
  introduce(a, b);
  b.start();
  make_plain_tree(temp / "files a", 300);
  (void)a.call(index_request(temp / "files a"));
  c.init(true);
  b.add_peer(c, false);
  c.add_peer(b, true);
  c.start();
  (void)a.call({{"op", "tag_set"}, {"name", "of A"}});
  (void)c.call({{"op", "tag_set"}, {"name", "of C"}});
  make_plain_tree(temp / "files c", 300);
  (void)c.call(index_request(temp / "files c"));
  await("A has all of C", [&] { return a.has_tag("of C") && a.rows_of(c) > 300; });
  await_equal({&a, &b, &c});
  CHECK(c.rows_of(a) > 300);
  CHECK(c.has_tag("of A"));
  for (Device* device : {&a, &b, &c}) {
    const json names = device->ask({"sql", "SELECT count(*) FROM device"});
    CHECK(names["rows"] == json::array({json::array({3})}));
  }
  CHECK(c.peer(a)["state"] == "none");

  (void)a.call({{"op", "tag_rm"}, {"name", "of C"}});  // deletes, and an owner's too
  fs::remove_all(temp / "files a" / "group 0");
  (void)a.call(index_request(temp / "files a"));
  await("C has seen the deletes", [&] { return !c.has_tag("of C") && c.rows_of(a) == a.rows_of(a); });
  await_equal({&a, &b, &c});
}

TEST_CASE("[N4][N25] several: joiner and source are killed in the middle of a join, again and again: equal in the end") {
  constexpr std::uint64_t kFiles = 8000;
  constexpr int kDeaths = 6;
  TempFolder temp;
  Device a(temp, "A"), b(temp, "B"), c(temp, "C");
  introduce(a, b);
  b.start();
  make_plain_tree(temp / "files", kFiles);
  (void)a.call(index_request(temp / "files"));
  for (int i = 0; i < 200; ++i) (void)a.call({{"op", "tag_set"}, {"name", "tag " + std::to_string(i)}});
  await_equal(a, b);
  Proxy to_a(a.port()), to_b(b.port());
  c.init(true);
  for (Device* source : {&a, &b}) source->add_peer(c, false);
  for (Proxy* line : {&to_a, &to_b}) line->limit(Way::back, 150'000);
  c.add_peer_at(a, to_a.port());
  c.add_peer_at(b, to_b.port());
  Prng random(7);
  int midway = 0;
  c.start();
  for (int i = 0; i < kDeaths; ++i) {
    CAPTURE(i);
    const std::uint64_t wanted = c.rows_of(a) + 1 + random.below(500);
    await("rows come", [&] { return c.rows_of(a) >= std::min(wanted, kFiles); });
    midway += c.rows_of(a) < kFiles ? 1 : 0;
    Device& dies = i % 3 == 0 ? a : i % 3 == 1 ? c : b;
    dies.kill();
    dies.start();
    if (i % 3 == 0) to_a.set_target(a.port());
    if (i % 3 == 2) to_b.set_target(b.port());
    if (&dies != &c) (void)dies.call({{"op", "tag_set"}, {"name", "after death " + std::to_string(i)}});
  }
  CHECK(midway > 0);
  for (Proxy* line : {&to_a, &to_b}) line->limit(Way::back, 0);
  await("C has heard of the last", [&] { return c.has_tag("after death 5"); });
  await_equal({&a, &b, &c});  // by way of C: the others do not meet any more
  CHECK(c.rows_of(a) > kFiles);
}

}  // namespace starling::test
