#include "core/replica/page_source.h"

#include "core/replica/migration.h"
#include "core/store/quarantine.h"
#include "proto/state_page.h"
#include "tests/core/replica/author.h"

namespace starling {
namespace {

constexpr auto kCredit = static_cast<std::uint32_t>(limits::kPullCredit);

template <class Work>
void apply(TestNode& node, const Work& work) {
  node.store->begin(TransactionKind::apply);
  work();
  node.store->commit();
}

struct Source {
  TestNode node{1};
  PageSource source{*node.store};
  PeerSession session;

  [[nodiscard]] StreamKey state() const { return {node.store->self(), Stream::state}; }
  [[nodiscard]] StreamKey log() const { return {node.store->self(), Stream::log}; }

  // Entries served so far in one answer: "first-last", and "!" where the source says that this was the last.
  std::string serve_log() {
    std::string text;
    for (const Message& m : source.serve(session)) {
      const auto& response = std::get<SharedChangeResponse>(m);
      text += (text.empty() ? "" : " ") + std::to_string(response.batch.from.value) + "-" +
              std::to_string(response.batch.from.value + response.batch.entries.size() - 1) + (response.last ? "!" : "");
    }
    return text;
  }
  // Pages of state: "(from,to]rows".
  std::string serve_state() {
    std::string text;
    for (const Message& m : source.serve(session)) {
      const auto& [page, last] = std::get<StateResponse>(m);
      const auto rows = decode_state_page(page.body, page.from, page.to, node.store->schema());
      REQUIRE(rows);
      text += (text.empty() ? "(" : " (") + std::to_string(page.from.value) + "," + std::to_string(page.to.value) + "]" +
              std::to_string(rows->rows.size()) + (last ? "!" : "");
    }
    return text;
  }
  void notes(int count, const std::string& size) {
    for (int i = 0; i < count; ++i)
      (void)node.write("INSERT INTO note(id, title) VALUES ('" + std::to_string(node.own().seq.value) + "', zeroblob(" + size + "))");
  }
  void files(int count, const std::string& size) {
    for (int i = 0; i < count; ++i)
      (void)node.write("INSERT INTO file(id, path) VALUES (x'" + to_hex(std::to_string(100 + node.own().rev.value)) + "', zeroblob(" + size + "))");
  }
};

}  // namespace

TEST_CASE("PageSource: gives what lies behind the position asked for, and says that it was all") {
  Source s;
  s.notes(3, "10");
  s.files(3, "10");
  s.source.request(s.session, s.log(), 1, kCredit, true);
  CHECK(s.serve_log() == "2-3!");
  s.source.request(s.session, s.state(), 1, kCredit, true);
  CHECK(s.serve_state() == "(1,3]2!");
  CHECK(s.session.serving.empty());
  CHECK(s.session.pushed_seq == Seq{3});  // what follows may be pushed
  CHECK(s.session.pushed_rev == Rev{3});
}

TEST_CASE("PageSource: has nothing of a stream that it does not know, or that it holds no more of, and says so") {
  Source s;
  s.notes(1, "10");
  s.source.request(s.session, s.log(), 1, kCredit, true);
  CHECK(s.serve_log() == "2-1!");
  s.source.request(s.session, {origin(9), Stream::log}, 0, kCredit, true);
  CHECK(s.serve_log() == "1-0!");
  s.source.request(s.session, {origin(9), Stream::state}, 7, kCredit, true);
  CHECK(s.serve_state() == "(7,7]0!");
  CHECK(s.session.serving.empty());
}

TEST_CASE("PageSource: a row that changed later is listed where it stands now, so ranges may be empty") {
  Source s;
  s.files(2, "10");
  (void)s.node.write("UPDATE file SET size=1");
  s.source.request(s.session, s.state(), 0, kCredit, true);
  CHECK(s.serve_state() == "(0,4]2!");
  (void)s.node.write("DELETE FROM file");
  s.source.request(s.session, s.state(), 3, kCredit, true);
  CHECK(s.serve_state() == "(3,6]2!");  // both, as deleted
}

TEST_CASE("PageSource: closes pages near their size, and stops when the credit is used up") {
  Source s;
  s.notes(20, "100000");
  s.source.request(s.session, s.log(), 0, 500'000, true);
  CHECK(s.serve_log() == "1-2 3-4 5-6");
  CHECK(s.serve_log() == "");
  s.source.request(s.session, s.log(), 0, 300'000, false);  // a top-up: it goes on from its cursor
  CHECK(s.serve_log() == "7-8");
  s.source.request(s.session, s.log(), 18, kCredit, true);  // a new pull
  CHECK(s.serve_log() == "19-20!");
}

TEST_CASE("PageSource: credit is bounded, but what one large row took beyond it is given back in full") {
  Source s;
  s.files(4, "1900000");
  s.source.request(s.session, s.state(), 0, 0xffffffff, true);
  CHECK(s.serve_state() == "(0,1]1");
  for (const char* next : {"(1,2]1", "(2,3]1", "(3,4]1!"}) {
    s.source.request(s.session, s.state(), 0, 1'900'000, false);
    CHECK(s.serve_state() == next);
  }
}

TEST_CASE("PageSource: a top-up for a pull that has ended is nothing") {
  Source s;
  s.notes(1, "10");
  s.source.request(s.session, s.log(), 0, kCredit, false);
  CHECK(s.serve_log() == "");
}

TEST_CASE("PageSource: rows in quarantine are handed on") {
  Source s;
  s.node.store->begin(TransactionKind::apply);
  const Ordinal stranger = s.node.store->origins().ordinal(origin(9));
  s.node.store->origins().advance_rev(stranger, Rev{5});
  ByteWriter row;
  write_value(row, ValueView::text("path"));
  write_value(row, ValueView::null());
  ByteWriter key;
  write_value(key, ValueView::blob("\x01"));
  s.node.store->quarantine().put("file", key.bytes(), stranger, Rev{4}, "why", false, row.bytes());
  s.node.store->quarantine().put("file", "\x0c\x02", stranger, Rev{2}, "why", true, "");
  s.node.store->commit();
  s.source.request(s.session, {origin(9), Stream::state}, 0, kCredit, true);
  CHECK(s.serve_state() == "(0,5]2!");
  s.source.request(s.session, {origin(9), Stream::state}, 2, kCredit, true);
  CHECK(s.serve_state() == "(2,5]1!");
}

TEST_CASE("PageSource: a row that came into quarantine before its model grew has the new fields' defaults") {
  Source s;
  const Bytes key = typed({ValueView::blob("k")});
  apply(s.node, [&] {
    const Ordinal stranger = s.node.store->origins().ordinal(origin(9));
    s.node.store->origins().advance_rev(stranger, Rev{1});
    s.node.store->quarantine().put("file", key, stranger, Rev{1}, "why", false, typed({ValueView::text("p"), ValueView::null()}));
  });
  std::vector<Model> models = test_models();
  models[2] = Model::existing("file", Kind::device_owned);
  const auto grow = [](Transaction& t) -> Expected<void> {
    const auto done = t.exec("ALTER TABLE file ADD COLUMN kind TEXT DEFAULT 'plain'");
    return done ? Expected<void>() : done.error();
  };
  REQUIRE(migrate(*s.node.store, grow, models, s.node.now.wall));
  s.source.request(s.session, {origin(9), Stream::state}, 0, kCredit, true);
  const std::vector<Message> pages = s.source.serve(s.session);
  REQUIRE(pages.size() == 1);
  const StatePage& page = std::get<StateResponse>(pages[0]).page;
  const auto decoded = decode_state_page(page.body, page.from, page.to, s.node.store->schema());
  REQUIRE(decoded);
  REQUIRE(decoded->rows.size() == 1);
  CHECK(decoded->rows[0].values == typed({ValueView::text("p"), ValueView::null(), ValueView::text("plain")}));
}

}  // namespace starling
