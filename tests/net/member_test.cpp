// Members through the library's face.
#include <algorithm>

#include "tests/net/test_node.h"

namespace starling {
namespace {

std::optional<MemberStatus> member_of(TestNode& node, const DeviceId& device) {
  const Expected<std::vector<MemberStatus>> members = node->members();
  REQUIRE(members);
  for (const MemberStatus& member : *members)
    if (member.device == device) return member;
  return std::nullopt;
}

}  // namespace

TEST_CASE("members: who joins is one; removed, it is no peer either, is told why, and comes back only when admitted") {
  NodePair pair;
  const DeviceId b = pair.b->device();
  REQUIRE(eventually([&] { return pair.a->status().members == 2 && pair.b->status().members == 2; }));
  CHECK(member_of(pair.a, pair.a->device())->self);
  CHECK_FALSE(member_of(pair.a, b)->removed);
  CHECK(member_of(pair.a, b)->since.ms > 0);
  REQUIRE(eventually([&] { return member_of(pair.a, b)->lacks == 0; }));

  CHECK(pair.a->remove_member(pair.a->device()).error().code == Errc::invalid_argument);
  CHECK(pair.a->admit_member(b).error().code == Errc::invalid_argument);
  CHECK(pair.a->remove_member(new_device()).error().code == Errc::invalid_argument);
  REQUIRE(pair.a->remove_member(b));
  CHECK(member_of(pair.a, b)->removed);
  CHECK(eventually([&] { return pair.b.logged("was removed from the workspace"); }));
  CHECK(eventually([&] { return pair.a->status().peers.empty(); }));
  REQUIRE(pair.a->add_peer({b, {}}));  // a peer, and no member
  CHECK(eventually([&] { return pair.b->status().peers[0].why.find("was removed from") != std::string::npos; }, 40s));
  REQUIRE(pair.a.put_note("1", "x"));
  CHECK(pair.b.notes() == 0);
  REQUIRE(pair.a->admit_member(b));
  CHECK(eventually([&] { return pair.b.notes() == 1; }, 40s));  // under a new incarnation
}

TEST_CASE("members: alone there are none; a look at them inside a write, and from a node that has stopped, is refused") {
  TestNode a(Start::create);
  CHECK(a->members()->empty());
  REQUIRE(a->write([&](Transaction&) -> Expected<void> {
    CHECK(a->members().error().code == Errc::forbidden);
    CHECK(a->remove_member(new_device()).error().code == Errc::forbidden);
    return {};
  }));
  a->stop();
  CHECK(a->members().error().code == Errc::stopped);
}

}  // namespace starling
