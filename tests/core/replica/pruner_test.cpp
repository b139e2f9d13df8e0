#include "core/replica/pruner.h"

#include <set>
#include <tuple>

#include "core/base/sha256.h"
#include "core/replica/membership.h"
#include "core/store/ack_store.h"
#include "core/store/member_table.h"
#include "tests/core/replica/author.h"

namespace starling {
namespace {

// An entry or a tombstone, by its place in a stream.
enum class What { entry, tombstone, gone };
using Item = std::tuple<What, Origin, std::uint64_t>;

// A workspace of four devices as one of them sees it: two others write, all others acknowledge.
struct World {
  TestNode node{1};
  Author two{node, 2}, three{node, 3};
  Pruner pruner{*node.store};
  Prng prng;
  std::map<Origin, std::vector<Stamp>> rows;  // of others' notes, by number
  std::map<Origin, std::vector<Hlc>> stamps;  // of entries, by number
  std::map<DeviceId, Acknowledgement> said;

  explicit World(std::uint64_t seed) : prng(seed) {
    node.store->begin(TransactionKind::apply);
    REQUIRE(admit(*node.store, {device(2), device(3), device(4)}, node.now.wall));
    node.store->commit();
    note_stamps();
    (void)prune();  // looks at age and size, and not again for an hour
  }

  Pruner::Dropped prune() {
    node.store->begin(TransactionKind::apply);
    const Pruner::Dropped dropped = pruner.prune(node.now.wall);
    node.store->commit();
    return dropped;
  }
  void note_stamps() {
    for (const auto& [of, position] : node.vector())
      if (stamps[of].size() < position.seq.value) stamps[of].push_back(position.hlc);
  }
  void write(Author& a) {
    EntryHeader h = a.header();
    h.previous = a.previous;
    std::vector<Stamp>& own = rows[a.self];
    const bool erase = !own.empty() && prng.chance(40);
    const std::size_t number = erase ? prng.below(own.size()) : own.size();
    const Bytes key = typed({ValueView::text(std::to_string(a.self.device.raw[0]) + " " + std::to_string(number))});
    const Bytes entry = erase ? a.encode(h, {{a.model("note"), Op::erase, own[number], key, 0, {}}}) : a.insert(h, key);
    if (!erase) own.push_back(h.stamp());
    REQUIRE(a.apply(h, entry));
    a.previous = hash128(entry);
    note_stamps();
  }
  void write_here() {
    const std::string n = std::to_string(prng.below(20));
    if (prng.chance(50)) (void)node.write("INSERT OR REPLACE INTO note(id) VALUES ('" + n + "')");
    else (void)node.try_write("DELETE FROM note WHERE id='" + n + "'");
    note_stamps();
    if (prng.chance(50)) (void)node.write("INSERT OR REPLACE INTO file(id) VALUES (CAST('" + n + "' AS BLOB))");
    else (void)node.try_write("DELETE FROM file WHERE id=CAST('" + n + "' AS BLOB)");
  }
  // A member says something: all that we hold, or some of it, or more; it may fall back.
  void acknowledge(unsigned number, bool all) {
    Acknowledgement& ack = said[device(number)];
    ack.member = device(number);
    ack.incarnation = origin(number).incarnation;
    ++ack.version;
    ack.vector = {};
    for (const auto& [of, ours] : node.vector()) {
      const Seq seq{all ? ours.seq.value : prng.below(ours.seq.value + 1)};
      const Rev rev{all ? ours.rev.value : prng.below(ours.rev.value + 1)};
      ack.vector.join(of, {rev, seq, seq == Seq{} ? Hlc{} : stamps.at(of).at(seq.value - 1)});
    }
    if (!all && prng.chance(20)) ack.vector.join(origin(number), {Rev{}, Seq{1000}, Hlc::of(node.now.wall.ms * 2, 0)});
    (void)node.store->acks().take(ack, false);
  }
  [[nodiscard]] std::set<Item> items() const {
    std::set<Item> all;
    const auto add = [&](What what, const char* sql) {
      Statement select(node.store->handle(), sql);
      while (select.step())
        all.insert({what, node.store->origins().origin(static_cast<Ordinal>(select.column_integer(0))), static_cast<std::uint64_t>(select.column_integer(1))});
    };
    add(What::entry, "SELECT origin, seq FROM sync_log");
    add(What::tombstone, "SELECT dead_origin, dead_seq FROM sync_row WHERE dead_origin IS NOT NULL");
    add(What::gone, "SELECT origin, rev FROM sync_row WHERE rev IS NOT NULL AND dead_seq IS NOT NULL");
    return all;
  }
  // The rule, as docs/protocol.md has it.
  [[nodiscard]] bool may_go(const Item& item) const {
    const auto& [what, of, at] = item;
    for (const auto& [member, status] : node.store->members().all()) {
      if (status.removed || member == node.store->self().device) continue;
      const auto found = said.find(member);
      const VersionVector acked = found == said.end() ? VersionVector() : found->second.vector;
      const Position held = acked.at(of);
      const bool has = member == of.device || (what == What::gone ? held.rev.value : held.seq.value) >= at;
      if (!has) return false;
      if (what == What::entry) continue;
      if (!node.vector().covers(acked)) return false;
      for (const auto& [gone, other] : node.store->members().all())
        if (other.removed && !acked.covers(other.changed)) return false;
    }
    return true;
  }
};

}  // namespace

TEST_CASE("Pruner: what goes is exactly what the rule lets go, whatever members acknowledge, until all is said") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    World w(seed);
    const auto check = [&] {
      const std::set<Item> before = w.items();
      std::set<Item> kept;
      for (const Item& item : before)
        if (!w.may_go(item)) kept.insert(item);
      if (kept != before) CHECK(w.pruner.due(w.node.now.wall));
      const Pruner::Dropped dropped = w.prune();
      REQUIRE(w.items() == kept);
      CHECK(dropped.entries + dropped.tombstones == before.size() - kept.size());
      CHECK_FALSE(w.pruner.due(w.node.now.wall));
      for (const auto& [what, of, at] : before)
        if (what == What::entry && !kept.contains({what, of, at})) CHECK(w.node.store->origins().horizon(*w.node.store->origins().find(of)).seq >= Seq{at});
    };
    const std::uint64_t removal = w.prng.below(60);
    for (std::uint64_t step = 0; step < 60; ++step) {
      w.node.now.wall.ms += 10;
      w.write(w.two);
      if (step % 2 == 0) w.write(w.three);
      w.write_here();
      if (step == removal) {
        REQUIRE(remove_member(*w.node.store, device(4), w.node.now.wall));
        w.note_stamps();
      }
      for (const unsigned number : {2U, 3U, 4U})
        if (w.prng.chance(70)) w.acknowledge(number, w.prng.chance(60));
      check();
    }
    for (const unsigned number : {2U, 3U}) w.acknowledge(number, true);
    check();
    CHECK(w.items().empty());
  }
}

TEST_CASE("Pruner: a workspace that has admitted nobody keeps its log; the tombstone of a seed stays for ever") {
  TestNode alone(1);
  (void)alone.write("INSERT INTO note(id) VALUES ('n')");
  (void)alone.write("DELETE FROM note");
  Pruner pruner(*alone.store);
  CHECK(pruner.due(alone.now.wall));  // age and size
  alone.store->begin(TransactionKind::apply);
  CHECK(pruner.prune(alone.now.wall).entries + pruner.prune(alone.now.wall).tombstones == 0);
  alone.store->commit();
  CHECK_FALSE(pruner.due(alone.now.wall));

  World w(1);
  w.node.store->begin(TransactionKind::apply);
  w.node.store->rows().put(w.two.model("note"), typed({ValueView::text("seed")}), {{Hlc{}, w.two.self}, Death{w.two.self, Seq{1}}, {}}, std::nullopt);
  w.node.store->commit();
  w.write(w.two);
  for (const unsigned number : {2U, 3U, 4U}) w.acknowledge(number, true);
  (void)w.prune();
  CHECK(w.items() == std::set<Item>{{What::tombstone, w.two.self, 1}});
}

TEST_CASE("Pruner: by age entries go that members lack, ours only as far as somebody has them; never a tombstone") {
  World w(1);
  w.write(w.two);
  for (int i = 0; i < 3; ++i) {
    (void)w.node.write("INSERT INTO note(id) VALUES ('n')");
    w.note_stamps();
    (void)w.node.write("DELETE FROM note WHERE id='n'");
    w.note_stamps();
  }
  Acknowledgement ack{device(3), origin(3).incarnation, 1, {}};
  ack.vector.advance_seq(w.node.store->self(), Seq{4}, w.stamps.at(w.node.store->self()).at(3));
  REQUIRE(w.node.store->acks().take(ack, false));
  const auto entries = [&] { return w.node.number("SELECT count(*) FROM sync_log"); };
  CHECK(entries() == 8);  // among them the admission
  const auto age = std::chrono::duration_cast<std::chrono::milliseconds>(limits::kLogAgeMax).count();
  const std::int64_t oldest = w.stamps.at(w.node.store->self()).front().ms();
  w.node.now.wall.ms = oldest + age - 1;
  CHECK(w.prune().entries == 0);
  w.node.now.wall.ms += 3'600'000;
  CHECK(w.prune().entries == 5);
  CHECK(entries() == 3);
  const OriginTable& origins = w.node.store->origins();
  CHECK(origins.horizon(w.node.store->self_ordinal()).seq == Seq{4});
  CHECK(origins.horizon(*origins.find(w.two.self)).seq == Seq{1});
  CHECK(w.node.number("SELECT count(*) FROM sync_row WHERE dead_origin IS NOT NULL") == 1);
}

TEST_CASE("Pruner: by size the oldest of all logs go, and no more than is too much") {
  World w(1);
  for (int i = 0; i < 5; ++i) {
    w.write(w.two);
    w.write(w.three);
  }
  const auto size = [&](const Author& a, std::uint64_t seq) { return w.node.store->log().size(*w.node.store->origins().find(a.self), Seq{seq}); };
  const std::size_t keep = size(w.two, 5) + size(w.three, 4) + size(w.three, 5) + w.node.entry(1).size();  // ours: nobody else has it
  w.node.store->begin(TransactionKind::apply);  // another log, of which nothing else is known
  Statement(w.node.store->handle(), "INSERT INTO sync_log(origin, seq, offset, entry) VALUES(999, 1, 0, zeroblob(?))")
      .integer(static_cast<std::int64_t>(limits::kLogSizeMax - keep)).run();
  w.node.store->commit();
  w.node.store->log().reload();
  w.node.now.wall.ms += 3'600'000;
  CHECK(w.prune().entries == 7);
  CHECK(size(w.two, 4) == 0);
  CHECK(size(w.two, 5) > 0);
  CHECK(size(w.three, 3) == 0);
  CHECK(size(w.three, 4) > 0);
}

TEST_CASE("Pruner: what is much goes in slices") {
  World w(1);
  for (std::size_t i = 1; i < limits::kPruneRows + 10; ++i) {
    (void)w.node.write("INSERT INTO note(id) VALUES (" + std::to_string(i) + ")");
    w.note_stamps();
  }
  for (const unsigned number : {2U, 3U, 4U}) w.acknowledge(number, true);
  const Pruner::Dropped first = w.prune();
  CHECK(first.entries == limits::kPruneRows);
  CHECK(first.more);
  CHECK(w.pruner.due(w.node.now.wall));
  CHECK(w.node.store->origins().horizon(w.node.store->self_ordinal()).seq == Seq{limits::kPruneRows});
  const Pruner::Dropped rest = w.prune();
  CHECK(rest.entries == 10);
  CHECK_FALSE(rest.more);
  CHECK(w.items().empty());
}

}  // namespace starling
