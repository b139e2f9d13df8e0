// Entries in parts, as a peer played by the test sends them.
#include "core/replica/part_taker.h"

#include "core/store/entry_stage.h"
#include "tests/core/replica/author.h"

namespace starling {
namespace {

constexpr SessionId kPeer = 7;

VersionVector showing(unsigned number, std::uint64_t seq) {
  VersionVector v;
  v.join(origin(number), {Rev{}, Seq{seq}, Hlc{1}});
  return v;
}

// A large entry of device 2, which the node has met and pulls from.
struct Story {
  TestNode node{1};
  Author author{node, 2};
  EntryHeader header = author.header();
  Bytes entry;
  std::vector<Effect> effects;

  explicit Story(std::size_t rows = 700, const VersionVector& dependencies = {}) {
    header.dependencies = dependencies;
    entry = large(header, rows);
    effects = meet(node, kPeer, 2, showing(2, 1));
  }

  Bytes large(const EntryHeader& h, std::size_t rows) {
    Prng prng(1);
    std::vector<Bytes> keys;
    std::vector<Bytes> values;
    std::vector<Change> changes;
    for (std::size_t i = 0; i < rows; ++i) {
      Bytes noise(1000, ' ');
      for (char& c : noise) c = static_cast<char>(prng.next());
      keys.push_back(typed({ValueView::text(std::to_string(100'000 + i))}));
      values.push_back(typed({ValueView::blob(noise), ValueView::null(), ValueView::null()}));
    }
    for (std::size_t i = 0; i < rows; ++i) changes.push_back({author.model("note"), Op::insert, h.stamp(), keys[i], 0b1110, values[i]});
    return author.encode(h, changes);
  }
  [[nodiscard]] EntryPart part(std::size_t offset, std::size_t size = limits::kPartMax) const {
    EntryPart p{author.self, header.seq, static_cast<std::uint32_t>(entry.size()), static_cast<std::uint32_t>(offset), entry.substr(offset, size), false};
    p.last = offset + p.bytes.size() == entry.size();
    return p;
  }
  std::vector<Effect> send(const EntryPart& p) { return effects = node.receive(kPeer, p); }
  void send_all(std::size_t from = 0) {
    for (std::size_t at = from; at < entry.size(); at += limits::kPartMax) (void)send(part(at));
  }
  [[nodiscard]] std::size_t staged() const {
    const auto staged = node.store->stage().find(author.self);
    return staged ? staged->bytes : 0;
  }
  [[nodiscard]] std::int64_t notes() const { return node.number("SELECT count(*) FROM note"); }
  [[nodiscard]] std::optional<std::uint32_t> asked() const {  // the offset in a new pull of that log
    for (const SharedChangeRequest& r : sent<SharedChangeRequest>(effects, kPeer))
      if (r.open && r.origin == author.self) return r.offset;
    return std::nullopt;
  }
};

}  // namespace

TEST_CASE("PartTaker: parts are staged, and the rows of the entry appear together, with its place in the log") {
  Story s;
  CHECK(s.asked() == 0);
  std::size_t acknowledged = 0;
  for (std::size_t at = 0; at < s.entry.size(); at += limits::kPartMax) {
    CHECK(s.notes() == 0);
    CHECK(s.node.vector().at(s.author.self).seq == Seq{});
    (void)s.send(s.part(at));
    if (s.notes() == 0) acknowledged += sent<AckSharedChanges>(s.effects, kPeer).size();
  }
  CHECK(acknowledged == 0);
  CHECK(s.notes() == 700);
  CHECK(s.staged() == 0);
  CHECK(s.node.number("SELECT count(*) FROM sync_stage") == 0);
  CHECK(s.node.store->log().find(*s.node.store->origins().find(s.author.self), Seq{1}) == s.entry);
  CHECK(s.node.replica.status().entries_applied == 1);
  REQUIRE(effects_of<Changed>(s.effects).size() == 1);
  CHECK(effects_of<Changed>(s.effects)[0].event.rows.size() == 700);
}

TEST_CASE("PartTaker: each part that is taken gives credit back, so that the source goes on") {
  Story s;
  (void)s.send(s.part(0));
  const auto requests = sent<SharedChangeRequest>(s.effects, kPeer);
  REQUIRE(requests.size() == 1);
  CHECK_FALSE(requests[0].open);
  CHECK(requests[0].credit == limits::kPartMax);
}

TEST_CASE("PartTaker: another session, and another life of the process, goes on behind what is staged") {
  Story s;
  (void)s.send(s.part(0));
  (void)s.send(s.part(limits::kPartMax));
  (void)s.node.step({PeerDown{kPeer}});
  Replica again(*s.node.store);
  (void)again.step(std::vector<Event>{PeerUp{8, device(3)}}, s.node.now);
  Hello hello = hello_for(s.node, 3);
  hello.vector = showing(2, 1);
  const auto effects = again.step(std::vector<Event>{Received{8, hello}}, s.node.now);
  const auto requests = sent<SharedChangeRequest>(effects, 8);
  REQUIRE(requests.size() == 1);
  CHECK(requests[0].offset == 2 * limits::kPartMax);
  (void)again.step(std::vector<Event>{Received{8, s.part(2 * limits::kPartMax)}}, s.node.now);
  CHECK(s.notes() == 700);
}

TEST_CASE("PartTaker: a duplicate is nothing, parts of any cut continue each other, a gap ends the pull and is asked for again") {
  Story s;
  (void)s.send(s.part(0, 1000));
  (void)s.send(s.part(0, 1000));
  CHECK(s.staged() == 1000);
  (void)s.send(s.part(500, 1000));  // the half of it that is new
  CHECK(s.staged() == 1500);
  CHECK_FALSE(s.asked());
  (void)s.send(s.part(3000));
  CHECK(s.staged() == 1500);
  CHECK(s.asked() == 1500);
  s.send_all(1500);
  CHECK(s.notes() == 700);
}

TEST_CASE("PartTaker: parts that were not asked for, or of another entry than the next, are not staged") {
  Story s;
  EntryPart stranger = s.part(0);
  stranger.origin = origin(9);
  (void)s.send(stranger);
  EntryPart later = s.part(0);
  later.seq = Seq{2};
  (void)s.send(later);
  CHECK(s.node.number("SELECT count(*) FROM sync_stage") == 0);
  CHECK_FALSE(closed_with(s.effects));
  EntryPart ours = s.part(0);
  ours.origin = s.node.store->self();
  ours.seq = s.node.own().seq.next();
  CHECK(closed_with(s.send(ours)) == Errc::not_owner);
}

TEST_CASE("PartTaker: an entry of two sizes closes the session, and nothing of it stays") {
  Story s;
  (void)s.send(s.part(0));
  EntryPart other = s.part(limits::kPartMax);
  other.total += 1;
  CHECK(closed_with(s.send(other)) == Errc::corrupt);
  CHECK(s.node.number("SELECT count(*) FROM sync_stage") == 0);
}

TEST_CASE("PartTaker: a damaged entry closes the session that ended it, is dropped, and is fetched anew from its beginning") {
  Story s;
  const Bytes good = s.entry;
  s.entry[s.entry.size() - 2] ^= 0x55;  // its last columns
  s.send_all();
  CHECK(closed_with(s.effects) == Errc::corrupt);
  CHECK(s.notes() == 0);
  CHECK(s.node.number("SELECT count(*) FROM sync_stage") == 0);
  s.entry = good;
  s.effects = meet(s.node, kPeer + 1, 2, showing(2, 1));
  const auto requests = sent<SharedChangeRequest>(s.effects, kPeer + 1);
  REQUIRE(requests.size() == 1);
  CHECK(requests[0].offset == 0);
}

TEST_CASE("PartTaker: an entry that came in another way meanwhile leaves nothing on the stage") {
  Story s(300);
  (void)s.send(s.part(0));
  (void)s.author.apply(s.header, s.entry);
  CHECK(s.notes() == 300);
  CHECK(s.staged() == limits::kPartMax);
  (void)s.node.step({});
  CHECK(s.node.number("SELECT count(*) FROM sync_stage") == 0);
}

TEST_CASE("PartTaker: what must wait for another's change waits on disk, is not fetched again, and outlives the process") {
  VersionVector needs;
  needs.join(origin(3), {Rev{}, Seq{1}, Hlc::of(1'700'000'000'000, 0)});
  Story s(700, needs);
  s.send_all();
  CHECK(s.notes() == 0);
  CHECK(s.staged() == s.entry.size());
  REQUIRE(s.node.replica.status().waiting.size() == 1);
  CHECK_FALSE(s.asked());
  (void)s.node.wait(60s);
  CHECK_FALSE(s.asked());

  Author third(s.node, 3);
  third.ms = 1'700'000'000'000 - 1;
  const EntryHeader h = third.header();
  SUBCASE("in the same life") {
    (void)third.apply(h, third.insert(h, typed({ValueView::text("first")})));
    (void)s.node.step({});
    CHECK(s.notes() == 701);
    CHECK(s.node.replica.status().waiting.empty());
  }
  SUBCASE("in the next") {
    Replica again(*s.node.store);
    (void)again.step({}, s.node.now);
    CHECK(s.notes() == 0);
    (void)third.apply(h, third.insert(h, typed({ValueView::text("first")})));
    (void)again.step({}, s.node.now);
    CHECK(s.notes() == 701);
  }
  CHECK(s.staged() == 0);
}

TEST_CASE("PartTaker: what is whole is applied by the first step of a life, without a peer") {
  Story s;
  for (std::size_t at = 0; at + limits::kPartMax < s.entry.size(); at += limits::kPartMax) (void)s.send(s.part(at));
  s.node.store->begin(TransactionKind::apply);
  s.node.store->stage().append(*s.node.store->stage().find(s.author.self), BytesView(s.entry).substr(s.staged()));
  s.node.store->commit();  // the process died here
  CHECK(s.notes() == 0);
  Replica again(*s.node.store);
  (void)again.step({}, s.node.now);
  CHECK(s.notes() == 700);
}

TEST_CASE("PartTaker: a stamp too far ahead of our clock waits on disk until time has passed") {
  Story s;
  s.node.now.wall.ms -= 10 * 60 * 1000;
  s.send_all();
  CHECK(s.notes() == 0);
  CHECK(s.staged() == s.entry.size());
  REQUIRE(s.node.replica.status().waiting.size() == 1);
  (void)s.node.step({PeerDown{kPeer}});
  (void)s.node.wait(6min);
  CHECK(s.notes() == 700);
  CHECK(s.node.replica.status().waiting.empty());
}

namespace {

// A part taker by itself: what is staged, and whom it pulls.
struct Room {
  TestNode node{1};
  Applier applier{*node.store};
  Puller puller;
  PartTaker parts{*node.store, applier, puller, 4 * kMost};

  static constexpr std::size_t kMost = 100'000;  // bytes of an entry here

  static Origin author(std::uint32_t n) { return {device(9), {Hlc{n}, n}}; }

  void stage(std::uint32_t author_number, std::size_t bytes, std::size_t total) {
    node.store->begin(TransactionKind::apply);
    node.store->stage().append({author(author_number), Seq{1}, total, 0}, Bytes(bytes, 'x'));
    node.store->commit();
  }
  void pull(std::uint32_t author_number) {
    std::map<SessionId, PeerSession> sessions;
    PeerSession& s = sessions[kPeer];
    s.id = kPeer;
    s.accepted = true;
    s.vector.join(author(author_number), {Rev{}, Seq{1}, Hlc{1}});
    (void)puller.plan(sessions, {}, node.store->self(), true, node.now.mono);
  }
  Expected<bool> take(std::uint32_t author_number, std::size_t offset = 0) {
    node.store->begin(TransactionKind::apply);
    EntryPart part{author(author_number), Seq{1}, static_cast<std::uint32_t>(kMost), static_cast<std::uint32_t>(offset), Bytes(1000, 'y'), false};
    const Expected<bool> taken = parts.take(part, kPeer, node.now.mono);
    node.store->commit();
    return taken;
  }
  [[nodiscard]] bool staged(std::uint32_t n) const { return node.store->stage().find(author(n)).has_value(); }
};

}  // namespace

TEST_CASE("PartTaker: what nobody is sending makes room on the stage, the unfinished first; else the newcomer rests") {
  Room room;
  constexpr std::size_t most = Room::kMost;
  room.stage(1, most, most);  // whole, and waits for something
  room.stage(2, most - 1, most);
  room.stage(3, most - 1, most);
  room.stage(4, most - 500, most);
  for (const std::uint32_t n : {3U, 4U, 5U, 6U, 7U}) room.pull(n);
  CHECK(room.take(5).value());
  CHECK_FALSE(room.staged(2));  // left unfinished
  CHECK(room.staged(1));
  CHECK(room.take(5, 1000).value());  // there is room now
  room.stage(6, most - 1500, most);
  CHECK(room.take(7).value());
  CHECK_FALSE(room.staged(1));
  for (const std::uint32_t n : {3U, 4U, 5U, 6U}) CHECK(room.staged(n));  // somebody sends them
  room.stage(8, most - 1500, most);
  room.pull(8);
  room.pull(9);
  CHECK_FALSE(room.take(9).value());
  CHECK_FALSE(room.staged(9));
  const Hold& hold = room.puller.holds().at({Room::author(9), Stream::log});
  CHECK(hold.why.find("no room") != std::string::npos);
  room.node.now.mono += 1s;
  room.puller.release({}, room.node.now);
  CHECK_FALSE(room.puller.held({Room::author(9), Stream::log}));
  room.puller.stop_all();  // those that were under way are left unfinished
  room.pull(9);
  CHECK(room.take(9).value());
}

TEST_CASE("PartTaker: however many logs a peer invents, few have something on the stage") {
  Room room;
  for (std::uint32_t n = 1; n <= 3 * limits::kStagedEntriesMax; ++n) {
    room.pull(n);
    CHECK(room.take(n).value());
    room.puller.stop_all();
  }
  CHECK(room.node.store->stage().all().size() == limits::kStagedEntriesMax);
}

}  // namespace starling
