#include "core/replica/membership.h"

#include "core/replica/undo.h"
#include "core/store/ack_store.h"
#include "core/store/member_table.h"
#include "proto/entry.h"
#include "tests/core/replica/author.h"

namespace starling {
namespace {

std::optional<LocalCommit> admitted(TestNode& node, const std::set<DeviceId>& devices) {
  node.store->begin(TransactionKind::apply);
  Expected<std::optional<LocalCommit>> commit = admit(*node.store, devices, node.now.wall);
  REQUIRE(commit);
  node.store->commit();
  return std::move(*commit);
}

// The changes of an entry of ours: "insert 2 14 1, 0", by the number of the device.
std::string told(TestNode& node, std::uint64_t seq) {
  static constexpr const char* kOps[] = {"insert ", "update ", "erase "};
  const Bytes bytes = node.entry(seq);
  const DecodedEntry entry = decode_entry(bytes, node.store->schema()).value();
  std::string text;
  for (const Change& c : entry.changes) {
    ByteReader key(c.key);
    text += (text.empty() ? "" : "; ") + std::string(kOps[static_cast<int>(c.op)]) + std::to_string(static_cast<int>(read_value(key).bytes[0])) + " " +
            std::to_string(c.fields) + " " + describe_values(c.values);
  }
  return text;
}

const AckTable& acks(TestNode& node) {
  (void)node.store->members().all();  // looks at what was written
  return node.store->acks().table();
}

std::string barred(const TestNode& node, unsigned number) {
  return std::to_string(node.store->members().find(device(number))->barred.packed);
}

}  // namespace

TEST_CASE("membership: whoever is admitted first is admitted with the sponsor; a member is not admitted again") {
  TestNode node(1);
  const std::optional<LocalCommit> first = admitted(node, {device(2)});
  REQUIRE(first);
  CHECK(first->seq == Seq{1});
  CHECK(first->changes.empty());  // nothing for the application to see
  CHECK(told(node, 1) == "insert 1 6 1, 0; insert 2 6 1, 0");
  CHECK(node.store->members().is_member(device(1)));
  CHECK(node.store->members().is_member(device(2)));
  CHECK_FALSE(admitted(node, {device(1), device(2)}));
  CHECK(node.own().seq == Seq{1});
  CHECK(admitted(node, {device(2), device(3)})->seq == Seq{2});
  CHECK(told(node, 2) == "insert 3 6 1, 0");
  CHECK(acks(node).all().size() == 2);
  CHECK(acks(node).find(device(3))->vector.empty());  // it counts, and holds nothing yet
}

TEST_CASE("membership: a workspace has so many members and no more, removed ones included") {
  TestNode node(1);
  std::set<DeviceId> many;
  for (std::size_t i = 0; i + 1 < limits::kMembersMax; ++i) {
    DeviceId id = device(2);
    id.raw[1] = static_cast<std::uint8_t>(i >> 8);
    id.raw[2] = static_cast<std::uint8_t>(i);
    many.insert(id);
  }
  REQUIRE(admitted(node, many));
  REQUIRE(remove_member(*node.store, *many.begin(), node.now.wall));
  const Position before = node.own();
  node.store->begin(TransactionKind::apply);
  const Undo undo(*node.store);
  CHECK(admit(*node.store, {device(9)}, node.now.wall).error().code == Errc::too_large);
  CHECK(node.own() == before);
}

TEST_CASE("membership: removal is an entry; the device acknowledges nothing any more, and its lives until now are barred") {
  TestNode node(1);
  (void)admitted(node, {device(2), device(3)});
  REQUIRE(node.store->members().is_member(device(2)));
  REQUIRE(node.store->acks().take({device(2), origin(2).incarnation, 1, {}}, false));
  node.now.wall.ms += 1000;
  const Expected<LocalCommit> commit = remove_member(*node.store, device(2), node.now.wall);
  REQUIRE(commit);
  CHECK(commit->seq == Seq{2});
  CHECK(told(node, 2) == "update 2 6 0, " + barred(node, 2));
  CHECK(node.store->members().is_removed(device(2)));
  CHECK(node.store->members().find(device(2))->barred == origin(2).incarnation.birth);  // the last life that was known
  CHECK(node.store->members().find(device(2))->changed == Stamp{commit->hlc, node.store->self()});
  CHECK(acks(node).find(device(2)) == nullptr);
  CHECK(node.number("SELECT count(*) FROM sync_member WHERE member=1") == 2);
  CHECK_FALSE(admitted(node, {device(2)}));  // not by saying Hello
}

TEST_CASE("membership: a device that was removed is admitted again for a later life") {
  TestNode node(1);
  (void)admitted(node, {device(2)});
  REQUIRE(remove_member(*node.store, device(2), node.now.wall));
  const std::string before = barred(node, 2);
  node.now.wall.ms += 1000;
  const Expected<LocalCommit> commit = readmit_member(*node.store, device(2), node.now.wall);
  REQUIRE(commit);
  CHECK(commit->seq == Seq{3});
  CHECK(node.store->members().is_member(device(2)));
  CHECK(barred(node, 2) == before);
  CHECK(acks(node).find(device(2))->vector.empty());
}

TEST_CASE("membership: what cannot be done is refused with its reason and changes nothing") {
  TestNode node(1);
  (void)admitted(node, {device(2)});
  const Position before = node.own();
  const auto removal = [&](unsigned n) { return remove_member(*node.store, device(n), node.now.wall).error(); };
  const auto return_of = [&](unsigned n) { return readmit_member(*node.store, device(n), node.now.wall).error(); };
  for (const Error& error : {removal(1), removal(3), return_of(1), return_of(2), return_of(3)}) {
    CHECK(error.code == Errc::invalid_argument);
    CHECK_FALSE(error.what.empty());
    CHECK_FALSE(error.remedy.empty());
  }
  REQUIRE(remove_member(*node.store, device(2), node.now.wall));
  CHECK(removal(2).code == Errc::invalid_argument);
  CHECK(node.own().seq == before.seq.next());
  CHECK_FALSE(node.store->in_transaction());

  TestNode joiner(3, false);
  CHECK(remove_member(*joiner.store, device(2), joiner.now.wall).error().code == Errc::not_ready);
  CHECK(joiner.own().seq == Seq{});
}

TEST_CASE("membership: the list says what each member lacks, and since when") {
  TestNode node(1);
  CHECK(list_members(*node.store).empty());
  (void)admitted(node, {device(2), device(3)});
  const std::int64_t admission = node.now.wall.ms;
  node.now.wall.ms += 1000;
  (void)node.write("INSERT INTO note(id) VALUES ('n')");
  Acknowledgement ack{device(2), origin(2).incarnation, 1, {}};
  ack.vector.advance_seq(node.store->self(), Seq{1}, Hlc::of(admission, 0));
  REQUIRE(acks(node).all().size() == 2);
  REQUIRE(node.store->acks().take(ack, false));
  node.now.wall.ms += 1000;
  REQUIRE(remove_member(*node.store, device(3), node.now.wall));
  const std::vector<MemberStatus> list = list_members(*node.store);
  REQUIRE(list.size() == 3);
  CHECK(list[0].self);
  CHECK(list[0].lacks == 0);
  CHECK(list[0].since.ms == admission);
  CHECK(list[1].device == device(2));
  CHECK(list[1].lacks == 2);  // the note and the removal
  CHECK(list[1].oldest.ms == admission + 1000);
  CHECK_FALSE(list[1].removed);
  CHECK(list[2].removed);
  CHECK(list[2].since.ms == admission + 2000);
  CHECK(list[2].lacks == 0);
}

}  // namespace starling
