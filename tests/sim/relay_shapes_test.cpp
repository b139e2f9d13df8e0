// Eight devices in a line, a ring, a star and a mesh: everything reaches everyone, no echo, no loop, bounded messages.
#include <doctest/doctest.h>

#include "tests/sim/phrases.h"

namespace starling::sim {
namespace {

constexpr std::size_t kDevices = 8;

struct Shape {
  const char* name;
  bool (*linked)(std::size_t a, std::size_t b);  // a < b
};
const Shape kShapes[] = {
    {"line", [](std::size_t a, std::size_t b) { return b == a + 1; }},
    {"ring", [](std::size_t a, std::size_t b) { return b == a + 1 || (a == 0 && b == kDevices - 1); }},
    {"star", [](std::size_t a, std::size_t) { return a == 0; }},
    {"mesh", [](std::size_t, std::size_t) { return true; }},
};

struct Eight {
  Cluster cluster;
  const Shape& shape;

  explicit Eight(const Shape& s, std::uint64_t seed = 1) : cluster(seed), shape(s) {
    for (std::size_t i = 0; i < kDevices; ++i) {
      const std::string name(1, static_cast<char>('A' + i));
      if (i == 0) cluster.create(name);
      else cluster.join(name);
    }
    each_link([this](SimNode& a, SimNode& b) { cluster.connect(a, b); });
    cluster.run_until_quiet();
  }
  template <class Fn>
  void each_link(Fn fn) {
    for (std::size_t a = 0; a < kDevices; ++a)
      for (std::size_t b = a + 1; b < kDevices; ++b)
        if (shape.linked(a, b)) fn(cluster.node(a), cluster.node(b));
  }
  template <class Fn>
  void each_node(Fn fn) {
    for (std::size_t i = 0; i < kDevices; ++i) fn(cluster.node(i));
  }
};

// What went over one direction of a link since `before`.
struct Said {
  std::map<std::string, WireCount> before;
  static std::string way(const SimNode& from, const SimNode& to) { return from.name() + ">" + to.name(); }

  explicit Said(Eight& eight) {
    eight.each_link([&](SimNode& a, SimNode& b) {
      before[way(a, b)] = eight.cluster.network().count(a, b);
      before[way(b, a)] = eight.cluster.network().count(b, a);
    });
  }
  WireCount on(Eight& eight, const SimNode& from, const SimNode& to) {
    return eight.cluster.network().count(from, to).since(before.at(way(from, to)));
  }
};

}  // namespace

TEST_CASE("[T7] Eight devices in a line, a ring, a star, a mesh: all of both classes reaches all, deletes too, each once") {
  for (const Shape& shape : kShapes) {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      CAPTURE(std::string(shape.name));
      CAPTURE(seed);
      Eight eight(shape, seed);
      const WireCount before = eight.cluster.wire();
      const auto all = static_cast<std::int64_t>(kDevices);
      for (int i = 0; i < 5; ++i) {
        eight.each_node([&](SimNode& node) {
          write_notes(node, node.name().c_str(), i, 1);
          write_files(node, node.name().c_str(), i, 1);
          eight.cluster.run_for(3ms);
        });
      }
      eight.cluster.run_until_quiet();
      eight.each_node([&](SimNode& node) {
        CHECK(node.count("note") == 5 * all);
        CHECK(node.count("file") == 5 * all);
        node.write("DELETE FROM note WHERE id=?", numbered(node.name().c_str(), 1));
        node.write("DELETE FROM file WHERE id=?", Blob{numbered(node.name().c_str(), 2)});
      });
      eight.cluster.run_until_quiet();
      eight.each_node([&](SimNode& node) {
        CHECK(node.count("note") == 4 * all);
        CHECK(node.count("file") == 4 * all);
      });
      const WireCount d = eight.cluster.wire().since(before);
      CHECK(d.entries == 6 * kDevices * (kDevices - 1));  // each to each other device, once
      CHECK(d.rows == 6 * kDevices * (kDevices - 1));
      eight.cluster.expect_converged();
    }
  }
}

TEST_CASE("A change in a line, a ring, a star, a mesh of eight: two messages each way on each link carry it everywhere") {
  // Of them one carries the change or asks for it. A device's acknowledgement changes once by it, so at most one for
  // each device passes a link, however they are gathered.
  for (const Shape& shape : kShapes) {
    CAPTURE(std::string(shape.name));
    Eight eight(shape);
    for (const char* sql : {"INSERT INTO note(id) VALUES ('n')", "INSERT INTO file(id) VALUES (x'01')",
                            "DELETE FROM note WHERE id='n'", "DELETE FROM file WHERE id=x'01'"}) {
      CAPTURE(std::string(sql));
      Said said(eight);
      const WireCount before = eight.cluster.wire();
      eight.cluster.node(2).write(sql);
      eight.cluster.run_until_quiet();
      const WireCount d = eight.cluster.wire().since(before);
      CHECK(d.entries + d.rows == kDevices - 1);  // no echo, no loop
      const auto check = [&](const SimNode& from, const SimNode& to) {
        const WireCount way = said.on(eight, from, to);
        const std::uint64_t acknowledgements = way.of("AckSharedChanges").messages;
        CHECK(way.total.messages - acknowledgements <= 1);
        CHECK(acknowledgements <= kDevices);
      };
      eight.each_link([&](SimNode& a, SimNode& b) {
        check(a, b);
        check(b, a);
      });
    }
    eight.cluster.expect_converged();
  }
}

}  // namespace starling::sim
